-- A row of the outbox that its target refuses is tried again later and then set aside, so that the others pass.

alter table outbox add column tries int not null default 0;
alter table outbox add column first_failed_at timestamptz;
alter table outbox add column next_try_at timestamptz;

-- What was set aside, and why. Put back into `outbox` by hand once the reason is mended.
create table outbox_refused (
  id bigint primary key,
  target text not null,
  row jsonb not null,
  tries int not null,
  reason text not null,
  refused_at timestamptz not null default now()
);
