-- Who may approve in whose stead, and when. Persons are kept as they are told apart besides, so that one person under two
-- spellings is found.
create table approval_delegations (
  delegation_id text primary key,
  delegator text not null,
  delegator_person text not null,
  delegate text not null,
  delegate_person text not null,
  -- Null: every model.
  models text[],
  begins_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > begins_at),
  reason text not null,
  created_at timestamptz not null,
  revoked_at timestamptz,
  revoked_by text not null default ''
);
create index approval_delegations_delegator on approval_delegations (delegator_person, ends_at);
create index approval_delegations_delegate on approval_delegations (delegate_person, ends_at);
create index approval_delegations_newest on approval_delegations (created_at desc);

-- Approvals that were given in another's stead: [{by, for, delegation_id}].
alter table runs add column delegated jsonb not null default '[]';
