-- Queues that operators have paused: nothing new is claimed of these models.
create table review_pauses (
  model_id text primary key,
  paused_by text not null,
  reason text not null,
  paused_at timestamptz not null
);
