-- What one process at a time does with the stores: retention once an hour, erasures one after another.
create table keep_work (
  name text primary key,
  holder text not null,
  -- Until when the holder alone may go on.
  until timestamptz not null,
  -- When it was done last.
  done_at timestamptz
);
