-- Tasks whose reviewers disagree, as adjudicators hold and decide them: one at a time, never a voter.
create table review_adjudications (
  task_id text primary key references review_tasks,
  adjudicator text not null,
  lease_id text not null unique,
  expires_at timestamptz not null,
  label jsonb,
  comment text not null default '',
  decided_at timestamptz
);
create index review_tasks_disputed on review_tasks (model_id, position) where state = 'disputed';
create index review_adjudications_by_person on review_adjudications (adjudicator) where decided_at is null;
