-- States by the names people know, and what follows on a job that succeeded: its candidate is validated, then promoted or
-- rejected, and what was promoted is watched.
alter table runs drop constraint runs_state_check;

update runs set state = case state when 'pending' then 'queued' else 'launching' end where state in ('pending', 'launched');

alter table runs add constraint runs_state_check check (state in ('proposed', 'awaiting_approval', 'queued', 'launching', 'running',
  'succeeded', 'failed', 'timed_out', 'cancelled', 'validating', 'promoted', 'rolled_back', 'rejected'));

-- The rules by which its candidate is accepted and watched, as the model file had them when the run was decided.
alter table runs add column terms jsonb not null default '{}';
-- The metric results that the decision was about: [{family, metric, subject, slice, version, windows, test}].
alter table runs add column triggers jsonb not null default '[]';
-- When the window that gave the evidence was evaluated, and when the run was first allowed to be launched.
alter table runs add column detected_at timestamptz;
alter table runs add column queued_at timestamptz;
alter table runs add column approval_expires_at timestamptz;
-- Metrics that the job told of its candidate, and of the version that serves.
alter table runs add column reported jsonb;
alter table runs add column acceptance jsonb;
-- When a run that is validated or watched is looked at next.
alter table runs add column look_at timestamptz;
-- When it was promoted, and how far events had come then.
alter table runs add column promoted_at timestamptz;
alter table runs add column promoted_stream_at timestamptz;
alter table runs add column repair jsonb;
-- What came to light after its decision, such as a window that was restated.
alter table runs add column notes text[] not null default '{}';

create index runs_look_at on runs (look_at) where look_at is not null;
create index audit_log_subject on audit_log (subject, sequence);
