-- Events that were refused because they violate an expectation with `on_violation: reject`. They are dead letters and no rows of
-- `predictions`; this counts them under the token of their offset range, once.

CREATE TABLE IF NOT EXISTS expectation_refusals {on_cluster}
(
    model_id LowCardinality(String) COMMENT 'The model.',
    step DateTime('UTC') COMMENT 'Start of the 15 minutes that predicted_at lies in.',
    rule String COMMENT 'Name of the rule; of several the first in the model file.',
    model_version LowCardinality(String) COMMENT 'The version that the event names.',
    variant LowCardinality(String) COMMENT 'The variant that the event names.',
    shadow Bool COMMENT 'Whether it was a shadow prediction.',
    refused SimpleAggregateFunction(sum, UInt64) COMMENT 'Events that were refused.',
    weight SimpleAggregateFunction(sum, Float64) COMMENT 'How many events of the stream they stand for, where it was sampled.'
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (model_id, step, rule, model_version, variant, shadow)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Events that were refused because they violate an expectation, counted by 15 minutes.';
