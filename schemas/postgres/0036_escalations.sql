-- Steps by which an approval that nobody has given was taken further, each once.
create table approval_escalations (
  run_id text not null,
  step int not null,
  told_at timestamptz not null,
  -- Receivers that were told, and those that the file of alerts did not have.
  receivers text[] not null,
  missing text[] not null,
  primary key (run_id, step)
);
