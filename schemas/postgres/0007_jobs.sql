-- The job of a run in the system that runs it: started by one process, asked after and cancelled by any.
alter table runs add column job_id text;
alter table runs add column job_url text not null default '';
-- Asked after until it has ended; a run that was called off or took too long leaves a job to cancel.
alter table runs add column job_state text check (job_state in ('followed', 'to cancel', 'ended'));
alter table runs add column job_due_at timestamptz;
-- Requests about the job that failed since one was answered.
alter table runs add column job_failures int not null default 0;

create index runs_job_due on runs (job_due_at) where job_state in ('followed', 'to cancel');
