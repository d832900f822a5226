-- Links by which one person answers one run once. The token of a link is made by a key that is not here.
create table approval_links (
  link_id text primary key,
  run_id text not null,
  person text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  -- approve or reject, once it was used.
  act text
);
create index approval_links_run on approval_links (run_id);
