-- The queue of review tasks in the order of an index: a claim reads what it takes, however long the queue is.
create sequence review_positions;
-- Place in the queue. A task that gets room again, given back or skipped, goes to the end: whoever has passed it finds it there.
alter table review_tasks add column position bigint;
update review_tasks t set position = placed.place
  from (select task_id, row_number() over (order by created_at, task_id) as place from review_tasks) as placed where placed.task_id = t.task_id;
select setval('review_positions', (select count(*) + 1 from review_tasks));
alter table review_tasks alter column position set default nextval('review_positions');
alter table review_tasks alter column position set not null;
-- Answers, and leases as answers to come.
alter table review_tasks add column taken int not null default 0;
update review_tasks t set taken = (select count(*) from reviews r where r.task_id = t.task_id and not r.skipped)
  + (select count(*) from review_leases l where l.task_id = t.task_id);
create index review_tasks_claimable on review_tasks (model_id, position) where state = 'open' and taken < reviewers;

-- How far a reviewer has come in the queue of a model: what lies before it they have seen, or it had no room.
create table review_cursors (
  reviewer text not null,
  model_id text not null,
  position bigint not null,
  primary key (reviewer, model_id)
);
create index review_leases_by_reviewer on review_leases (reviewer);
create index review_leases_by_end on review_leases (expires_at);

-- disputed: as many said one thing as another, whoever else was asked; impossible: too many could not tell; gone: the
-- prediction is not stored any more.
alter table review_tasks drop constraint review_tasks_state_check;
alter table review_tasks add constraint review_tasks_state_check check (state in ('open', 'done', 'disputed', 'impossible', 'gone'));
-- Reviewers that were asked beyond those of the model file, since the others disagreed.
alter table review_tasks add column extra int not null default 0;
-- What the answers amount to, once there are all; votes is null of numbers, whose label is the middle one.
alter table review_tasks add column label jsonb;
alter table review_tasks add column votes int;
alter table review_tasks add column answers int;
alter table review_tasks add column answered_at timestamptz;
update review_tasks t set label = a.label, votes = a.votes, answers = a.answers, answered_at = a.answered_at
  from (
    select task_id, mode() within group (order by label) as label, count(*)::int as answers, max(submitted_at) as answered_at,
      (select max(n)::int from (select count(*) as n from reviews o where o.task_id = r.task_id and not o.skipped group by o.label) as counted) as votes
    from reviews r where not skipped group by task_id
  ) as a where a.task_id = t.task_id and t.state = 'done' and not t.label_emitted;
create index review_tasks_unsent on review_tasks (task_id) where state = 'done' and not label_emitted;

alter table reviews add column reason text not null default '';
