-- Alerts that came in for a model, so that a policy may be tried on them; an alert that comes again is the same row.
create table received_alerts (
  model_id text not null,
  cause text not null,
  -- Its alertname; '' where it has none.
  name text not null,
  -- The policy that it names; '' where it names none.
  policy text not null,
  received_at timestamptz not null,
  primary key (model_id, cause)
);
create index received_alerts_newest on received_alerts (model_id, received_at desc);
