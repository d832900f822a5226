-- Gold tasks: predictions whose right answer is known hide among those that reviewers are asked about. They lie beside the
-- queue and not in it: no label is ever made of them, and a prediction of gold may be drawn like any other.
create table review_gold (
  -- As the draw would name a task of this prediction: nobody tells the two apart.
  task_id text primary key,
  model_id text not null,
  prediction_id text not null,
  label jsonb not null,
  -- How far a number may lie beside the known one.
  tolerance double precision not null default 0,
  declared_by text not null,
  declared_at timestamptz not null,
  -- It is given to nobody any more; answers to it count still.
  retired_at timestamptz,
  undone int not null default 0,
  unique (model_id, prediction_id)
);
create table gold_leases (
  task_id text not null references review_gold on delete cascade,
  reviewer text not null,
  lease_id text not null unique,
  expires_at timestamptz not null,
  -- What the task of the queue whose place it takes would have come to, by an answer or a skip.
  next_states jsonb not null,
  primary key (task_id, reviewer)
);
create index gold_leases_by_reviewer on gold_leases (reviewer);
create table gold_answers (
  task_id text not null references review_gold on delete cascade,
  reviewer text not null,
  label jsonb,
  skipped boolean not null default false,
  reason text not null default '',
  comment text not null default '',
  -- What the reviewer was told that the task had come to.
  state text not null,
  next_states jsonb not null,
  submitted_at timestamptz not null,
  primary key (task_id, reviewer)
);
create index gold_answers_by_reviewer on gold_answers (reviewer, submitted_at);
