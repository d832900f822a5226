-- What a run costs and where its counts began: a run that was never launched costs no cool-down, `predictions.new` counts from a
-- run as `labels.new` does, and one process at a time may launch a run.
alter table runs add column launched_at timestamptz;
alter table runs add column predictions_known bigint not null default 0;
-- Until when a process alone may launch the run, and which claim that is.
alter table runs add column claimed_until timestamptz;
alter table runs add column claim text;
-- When its launch was tried first: transient failures are tried again for hours from then on.
alter table runs add column first_attempt_at timestamptz;

update runs set launched_at =
  (select min(a.at) from audit_log a where a.subject = runs.run_id and a.action in ('run.launched', 'run.running', 'run.succeeded'));
