-- What the audit log takes from elsewhere. Acts that are rows of ClickHouse (feedback on verdicts, references) are entered once
-- each; changes of files are noticed by what was seen of them last.

-- Acts that have their entry; those of a week and more ago are forgotten, and looked for no more.
create table audit_acts (
  id text primary key,
  kind text not null,
  at timestamptz not null
);
create index audit_acts_newest on audit_acts (kind, at);

-- What was in force of each kind (model files, source files, keys) when it was last looked at.
create table audit_seen (
  kind text not null,
  subject text not null,
  state text not null,
  primary key (kind, subject)
);
