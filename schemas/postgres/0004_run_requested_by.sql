-- Who asked for a run: with two approvals needed, whoever asked is none of the two.
alter table runs add column requested_by text not null default '';

update runs set requested_by = coalesce(
  (select a.actor from audit_log a where a.subject = runs.run_id order by a.sequence limit 1), '');
