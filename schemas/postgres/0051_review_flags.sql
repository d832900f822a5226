-- What reviewers say is wrong with a task itself, until an operator has closed it.
create table review_flags (
  flag_id text primary key,
  task_id text not null,
  model_id text not null,
  prediction_id text not null,
  reviewer text not null,
  reason text not null check (reason in ('bad_example', 'unclear_instruction', 'personal_data', 'wrong_fields')),
  comment text not null,
  flagged_at timestamptz not null,
  closed_by text,
  closed_at timestamptz,
  -- What the operator said of it.
  message text not null default '',
  -- Whether the task was taken off the queue.
  taken_off boolean not null default false
);
-- The same thing twice is one flag.
create unique index review_flags_open on review_flags (task_id, reviewer, reason) where closed_at is null;
create index review_flags_by_model on review_flags (model_id, flagged_at);
