-- A candidate gets its traffic step by step: the run is promoting meanwhile, and each step is launched as a run of its own, so that
-- its launch is claimed, tried again, followed and cancelled as every other is.
alter table runs drop constraint runs_state_check;

alter table runs add constraint runs_state_check check (state in ('proposed', 'awaiting_approval', 'queued', 'launching', 'running',
  'succeeded', 'failed', 'timed_out', 'cancelled', 'validating', 'promoting', 'promoted', 'rolled_back', 'rejected'));

-- Where the traffic of its candidate stands.
alter table runs add column rollout jsonb;
-- The step that a run launches: {of, action, share, new_version, current_version}; null for a run of retraining.
alter table runs add column step jsonb;

create index runs_steps on runs ((step->>'of')) where step is not null;
