-- Where a model file declares no label horizon, it is learned from how long labels took. What was learned is kept, so that it is
-- the same in every process and after a restart, and windows that were mature stay so.

CREATE TABLE IF NOT EXISTS label_horizons {on_cluster}
(
    model_id LowCardinality(String) COMMENT 'The model.',
    horizon_ms UInt64 COMMENT 'The label horizon from then on, in milliseconds; the longest one of a model holds.',
    delay_p99_ms UInt64 COMMENT 'Within how long 99 of 100 labels came, in milliseconds.',
    labels UInt64 COMMENT 'Labels that were measured.',
    windows UInt32 COMMENT 'Windows that these labels are of.',
    learned_at DateTime64(3, 'UTC') COMMENT 'When it was learned.'
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, learned_at)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Label horizons that were learned from measured delays, one row each; model files that declare one have none.';

ALTER TABLE window_metrics {on_cluster}
    COMMENT COLUMN method 'How labels were used: observed, weighted by their inclusion probabilities, poststratified, estimated without them (cbpe, dle), or made up for those still to come (nowcast).';
ALTER TABLE window_metrics_latest {on_cluster}
    COMMENT COLUMN method 'How labels were used: observed, weighted by their inclusion probabilities, poststratified, estimated without them (cbpe, dle), or made up for those still to come (nowcast).';
