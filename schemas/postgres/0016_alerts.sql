-- Who is told what: incidents as they were seen last, and a message for each receiver and change. A message is claimed before it
-- is sent, so of several processes one sends it.
create table alert_incidents (
  -- The same for as long as the cause lasts, however severe it is.
  incident_id text primary key,
  model_id text not null,
  content jsonb not null,
  opened_at timestamptz not null,
  -- Since when it was not there; it has ended once that is a while ago.
  gone_at timestamptz,
  resolved_at timestamptz
);
create index alert_incidents_open on alert_incidents (opened_at) where resolved_at is null;
create index alert_incidents_ended on alert_incidents (resolved_at) where resolved_at is not null;

create table alert_deliveries (
  delivery_id text primary key,
  receiver text not null,
  -- The incident, or the digest or test it is of: messages of one subject are sent in their order.
  subject text not null,
  sequence int not null,
  model_id text not null,
  event text not null check (event in ('open', 'update', 'resolve', 'digest', 'test')),
  -- Of what the message is about: another one says something new.
  hash text not null,
  message jsonb not null,
  state text not null check (state in ('waiting', 'delivered', 'failed')),
  -- What the receiver answered last, or why it was not reached.
  answer text not null default '',
  -- What the receiver calls the message, where it is changed later.
  remote_id text not null default '',
  attempts int not null default 0,
  created_at timestamptz not null,
  first_attempt_at timestamptz,
  next_attempt_at timestamptz not null,
  claim text,
  claimed_until timestamptz,
  ended_at timestamptz,
  unique (receiver, subject, sequence)
);
create index alert_deliveries_due on alert_deliveries (next_attempt_at) where state = 'waiting';
create index alert_deliveries_newest on alert_deliveries (created_at desc);
create index alert_deliveries_subject on alert_deliveries (subject, receiver, sequence);
