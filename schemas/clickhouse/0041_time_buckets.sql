-- Models with windows of minutes are counted per 1 or 5 minutes. Rows of time buckets of different lengths are summed together, for any
-- window that is a multiple of the longest; which rows are fine enough for a window of minutes bucket_s says.
ALTER TABLE event_counts {on_cluster}
    ADD COLUMN IF NOT EXISTS bucket_s SimpleAggregateFunction(min, UInt16) COMMENT 'Length of the time bucket in seconds where it is shorter than 15 minutes; 0 for 15 minutes, also where parts of both lengths were summed.',
    MODIFY COMMENT 'Events, errors and repeats per time bucket. Sum them: parts merge later.',
    COMMENT COLUMN step 'Start of the time bucket, of 15 minutes unless bucket_s says less.';

ALTER TABLE numeric_counts {on_cluster} COMMENT COLUMN step 'Start of the time bucket, as in event_counts.';

-- Which windows a changed truth belongs to is known to the minute, whatever the model's windows are.
DROP VIEW IF EXISTS outcome_changes_view {on_cluster};

CREATE MATERIALIZED VIEW IF NOT EXISTS outcome_changes_view {on_cluster} TO outcome_changes AS
SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 1 MINUTE, 'UTC') AS step, count() AS changes
FROM outcome_revisions GROUP BY model_id, step;

ALTER TABLE outcome_changes_view {on_cluster} MODIFY COMMENT 'Materialized view: counts changed outcomes into outcome_changes.';
