-- Windows that could not be evaluated, one row a try: the others go on, and these are tried again after longer and longer waits. A
-- row whose window starts and ends at 1970-01-01 is about the model: how far it has come could not be read.

CREATE TABLE IF NOT EXISTS evaluation_failures {on_cluster}
(
    model_id String,
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    -- In a row, from 1.
    attempts UInt32,
    error String,
    failed_at DateTime64(3, 'UTC')
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, window_start, window_end, failed_at)
TTL toDateTime(failed_at) + INTERVAL 30 DAY;
