-- The join goes by what has arrived, not by what waits: labels in the order of the log, and how far both sides were joined.

-- Labels in the order in which they came; written by the insert that stores them. What is joined is of no more use.
CREATE TABLE IF NOT EXISTS labels_arrived {on_cluster}
(
    model_id LowCardinality(String),
    prediction_id String,
    label_id String,
    trace_id String,
    subject_id String,
    labelled_at DateTime64(3, 'UTC'),
    log_epoch LowCardinality(String),
    topic LowCardinality(String),
    partition LowCardinality(String),
    offset UInt64 CODEC(DoubleDelta, ZSTD),
    arrived_at DateTime('UTC') DEFAULT now()
)
ENGINE = {engine}MergeTree
PARTITION BY toMonday(arrived_at)
ORDER BY (topic, partition, log_epoch, offset)
TTL arrived_at + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- The offset after the last that was joined, by partition of the log; it only grows, so two writers cannot take it back.
CREATE TABLE IF NOT EXISTS join_positions {on_cluster}
(
    topic LowCardinality(String),
    partition LowCardinality(String),
    log_epoch LowCardinality(String),
    position SimpleAggregateFunction(max, UInt64)
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (topic, partition, log_epoch);

-- The predictions of the batch that is being joined, gone when it is: what the statements of a batch share.
CREATE TABLE IF NOT EXISTS labels_joining {on_cluster}
(
    batch UInt64,
    is_stored Bool,
    model_id LowCardinality(String),
    prediction_id String,
    predicted_at DateTime64(3, 'UTC')
)
ENGINE = {engine}MergeTree
PARTITION BY batch
ORDER BY (is_stored, model_id, prediction_id);

-- Of several predictions that a label was taken for, the first (of a trace) or the newest (of a subject) is meant. Of those
-- looked up before this column was, the time is not known (1970): they stay.
ALTER TABLE labels_addressed {on_cluster} ADD COLUMN IF NOT EXISTS predicted_at DateTime64(3, 'UTC');

-- What was stored lately is asked for by time.
ALTER TABLE sink_ranges {on_cluster} ADD INDEX IF NOT EXISTS by_stored_at stored_at TYPE minmax GRANULARITY 1;
ALTER TABLE sink_ranges {on_cluster} MATERIALIZE INDEX by_stored_at;

-- What waits today is tried once more; predictions are looked at from now on.
INSERT INTO labels_arrived (model_id, prediction_id, label_id, trace_id, subject_id, labelled_at, log_epoch, topic, partition, offset)
SELECT model_id, prediction_id, label_id, trace_id, subject_id, labelled_at, log_epoch, topic, partition, offset FROM labels
WHERE (model_id, prediction_id, label_id) IN (SELECT model_id, prediction_id, label_id FROM labels_waiting);

INSERT INTO join_positions SELECT topic, partition, log_epoch, max(last) + 1 FROM sink_ranges
WHERE topic != 'plumbline.labels.v1' GROUP BY topic, partition, log_epoch;
