-- When a restated window withdrew what a launched run was about: such a run was a false start.
alter table runs add column withdrawn_at timestamptz;
