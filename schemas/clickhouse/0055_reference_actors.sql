-- A reference is what drift is held against, so who put it is part of it.

ALTER TABLE `references` {on_cluster}
    ADD COLUMN IF NOT EXISTS actor String COMMENT 'Who put it; '''' where the service froze it by itself, and in rows of before.';
