-- Control state: what needs conditional updates. ClickHouse holds mirrors for analysts, fed from `outbox`.

create table outbox (
  id bigint generated always as identity primary key,
  target text not null,
  row jsonb not null
);

create table review_tasks (
  task_id text primary key,
  model_id text not null,
  prediction_id text not null,
  reviewers int not null,
  inclusion_probability double precision not null,
  state text not null default 'open' check (state in ('open', 'done')),
  revision int not null default 1,
  created_at timestamptz not null,
  label_emitted boolean not null default false,
  unique (model_id, prediction_id)
);

create table review_leases (
  task_id text not null references review_tasks,
  reviewer text not null,
  lease_id text not null unique,
  expires_at timestamptz not null,
  primary key (task_id, reviewer)
);

create table reviews (
  task_id text not null references review_tasks,
  reviewer text not null,
  label jsonb,
  skipped boolean not null default false,
  comment text not null default '',
  submitted_at timestamptz not null,
  primary key (task_id, reviewer)
);

create table runs (
  run_id text primary key,
  model_id text not null,
  policy text not null,
  -- One run per cause: the window end, the label epoch, the cron tick or the request that asked for it.
  cause text not null,
  state text not null check (state in ('awaiting_approval', 'pending', 'launched', 'running', 'succeeded', 'failed', 'rejected', 'cancelled')),
  -- Why it was asked for, and what was last said of it.
  reason text not null,
  message text not null default '',
  window_end timestamptz,
  -- The stream time of the decision: cool-down and monthly cap count by it.
  decided_at timestamptz not null,
  -- Labelled outcomes at that time: `labels.new` counts from here.
  labels_known bigint not null default 0,
  approvals text[] not null default '{}',
  approvals_needed int not null default 0,
  new_version text not null default '',
  attempts int not null default 0,
  next_attempt_at timestamptz,
  revision int not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (model_id, policy, cause)
);

-- Every answer of a policy, launch or not, with the reason: what the emitter of a replay waits for.
create table decisions (
  model_id text not null,
  policy text not null,
  cause text not null,
  action text not null check (action in ('launch', 'none')),
  reason text not null,
  window_end timestamptz,
  evidence_revision int not null default 0,
  at timestamptz not null,
  primary key (model_id, policy, cause)
);

create table audit_log (
  sequence bigint primary key,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null,
  previous_hash text not null,
  hash text not null
);
