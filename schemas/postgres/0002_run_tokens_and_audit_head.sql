-- A run's job proves itself by a token of that run alone; each attempt to launch makes one, and only hashes are kept.
alter table runs add column token_hashes text[] not null default '{}';

-- How many entries the audit log has and the hash of the last: entries that are cut off its end are missed by it.
create table audit_head (
  one boolean primary key default true check (one),
  entries bigint not null,
  hash text not null
);

insert into audit_head (entries, hash)
  select count(*), coalesce((select hash from audit_log order by sequence desc limit 1), repeat('0', 64)) from audit_log;
