-- Reviewers take their last answer back. Each time names the label that comes after it, so that the later one is another
-- label and not a repeat.
alter table review_tasks add column undone int not null default 0;
-- When it was undone last: a label of the task is later than this.
alter table review_tasks add column undone_at timestamptz;
-- The label that may have been sent before, until its retraction is.
alter table review_tasks add column withdrawn_label jsonb;
create index review_tasks_withdrawn on review_tasks (task_id) where withdrawn_label is not null;
-- The last answer of a reviewer.
create index reviews_by_reviewer on reviews (reviewer, submitted_at);
