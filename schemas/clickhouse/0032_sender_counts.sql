-- Who sends what of a model, so that a part of it that falls silent is seen while the rest goes on: a producer by its id, a topic
-- that predictions come by, a source of labels.

CREATE TABLE IF NOT EXISTS sender_counts {on_cluster}
(
    model_id LowCardinality(String) COMMENT 'The model that was sent to.',
    kind LowCardinality(String) COMMENT 'producer: an id that predictions name; source: the topic predictions come by; label_source: the source of labels.',
    sender String COMMENT 'The producer, the topic or the source.',
    step DateTime('UTC') COMMENT 'Start of the time bucket: of predictions by predicted_at, of labels by their arrival.',
    events SimpleAggregateFunction(sum, UInt64) COMMENT 'Events without repeats.',
    newest SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'The newest of these events.'
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (model_id, step, kind, sender)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Events by who sent them, per time bucket.';
