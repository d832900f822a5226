-- The events and what is counted of them. A range of the log is written into all of these under one token, the row in
-- `sink_ranges` last; after a failure the same inserts again complete what is missing and skip what is there.
-- Within a minute `predictions` keeps the order of the log: parts of different partitions then merge in long runs, not row
-- by row, for a quarter of the work, and what arrives is sorted already.
-- Parts below 128 MiB are compact, since a wide one of a hundred files costs more to make than a batch to write.

CREATE TABLE IF NOT EXISTS predictions {on_cluster}
(
    model_id LowCardinality(String),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    prediction_id String,
    predicted_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD),
    received_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD),
    prediction Nullable(String),
    prediction_number Nullable(Float64),
    score Nullable(Float64),
    scores Map(LowCardinality(String), Float64),
    features Map(LowCardinality(String), Variant(Float64, String, Bool)),
    attributes Map(LowCardinality(String), String),
    quantiles Map(LowCardinality(String), Float64),
    target_time Nullable(DateTime64(3, 'UTC')),
    decision LowCardinality(String),
    group_id String,
    position Nullable(UInt64),
    exposure_propensity Nullable(Float64),
    request_id String,
    latency_ms Nullable(Float64),
    cost_usd Nullable(Float64),
    input_tokens Nullable(UInt64),
    output_tokens Nullable(UInt64),
    status LowCardinality(String),
    input_text String,
    output_text String,
    embedding Array(Float32),
    attributions Map(LowCardinality(String), Float64),
    subject_id String,
    trace_id String,
    sampling_fraction Nullable(Float64),
    producer String,
    producer_sequence Nullable(UInt64),
    unknown_fields UInt16,
    log_epoch LowCardinality(String),
    topic LowCardinality(String),
    partition LowCardinality(String),
    offset UInt64 CODEC(DoubleDelta, ZSTD),
    -- Ids of a partition's newest rows are read back after a restart.
    INDEX by_offset offset TYPE minmax GRANULARITY 1,
    INDEX by_time predicted_at TYPE minmax GRANULARITY 1,
    -- Attributes that come later name whom they describe.
    INDEX by_subject subject_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = {engine}MergeTree
PARTITION BY toYYYYMM(predicted_at)
ORDER BY (model_id, toStartOfMinute(predicted_at), partition, offset)
SETTINGS non_replicated_deduplication_window = 10000, min_bytes_for_wide_part = 134217728;

-- Where a prediction lies, by its id: labels name predictions by id alone, `predictions` is sorted by time.
CREATE TABLE IF NOT EXISTS prediction_times {on_cluster}
(
    model_id LowCardinality(String),
    prediction_id String EPHEMERAL,
    id_hash UInt64 DEFAULT sipHash64(prediction_id),
    predicted_at DateTime64(3, 'UTC')
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, id_hash)
SETTINGS non_replicated_deduplication_window = 10000, min_bytes_for_wide_part = 134217728;

-- Events per time step of 15 minutes. Every window size is a multiple of it, or is read from raw rows.
CREATE TABLE IF NOT EXISTS event_counts {on_cluster}
(
    model_id LowCardinality(String),
    step DateTime('UTC'),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    events SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    duplicates SimpleAggregateFunction(sum, UInt64),
    -- Of a sampled stream an event stands for 1 / sampling_fraction: the sums of (1/f - 1) and of (1/f² - 1).
    extra_weight SimpleAggregateFunction(sum, Float64),
    extra_squares SimpleAggregateFunction(sum, Float64)
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (model_id, step, model_version, variant, shadow)
SETTINGS non_replicated_deduplication_window = 10000;

-- Numbers, counted on grid 1 to 4: the leading 12 + 4 * grid bits of the value as a 32-bit float, negative for negative
-- values. On grid 1 bins are 1/128 of their octave wide at every scale, in the order of the values, and zero has its own; a bin
-- of one grid is 16 bins of the next. Values that spread little are counted finely; what is merged takes the coarsest grid of its parts.
-- Subjects are features, and the model's own numbers under @names.
CREATE TABLE IF NOT EXISTS numeric_counts {on_cluster}
(
    model_id LowCardinality(String),
    step DateTime('UTC'),
    subject LowCardinality(String),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    grid UInt16,
    bin Int32,
    count SimpleAggregateFunction(sum, UInt64),
    total SimpleAggregateFunction(sum, Float64),
    low SimpleAggregateFunction(min, Float64),
    high SimpleAggregateFunction(max, Float64),
    extra_weight SimpleAggregateFunction(sum, Float64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toYYYYMM(step)
ORDER BY (model_id, step, subject, model_version, variant, shadow, grid, bin)
SETTINGS non_replicated_deduplication_window = 10000, min_bytes_for_wide_part = 134217728;

-- Strings and booleans, counted as they are.
CREATE TABLE IF NOT EXISTS category_counts {on_cluster}
(
    model_id LowCardinality(String),
    step DateTime('UTC'),
    subject LowCardinality(String),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    category String,
    count SimpleAggregateFunction(sum, UInt64),
    extra_weight SimpleAggregateFunction(sum, Float64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toYYYYMM(step)
ORDER BY (model_id, step, subject, model_version, variant, shadow, category)
SETTINGS non_replicated_deduplication_window = 10000, min_bytes_for_wide_part = 134217728;

-- What producers say they emitted, by the sequence numbers of their events.
CREATE TABLE IF NOT EXISTS producer_counts {on_cluster}
(
    model_id LowCardinality(String),
    producer String,
    step DateTime('UTC'),
    received SimpleAggregateFunction(sum, UInt64),
    duplicates SimpleAggregateFunction(sum, UInt64),
    lowest SimpleAggregateFunction(min, UInt64),
    highest SimpleAggregateFunction(max, UInt64)
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (model_id, step, producer)
SETTINGS non_replicated_deduplication_window = 10000;

-- Per producer: what it emitted, what came, what came twice, and what is missing so far.
CREATE VIEW IF NOT EXISTS producer_completeness {on_cluster} AS
SELECT model_id, producer, max(highest) - min(lowest) + 1 AS emitted, sum(received) AS received_events, sum(duplicates) AS duplicated,
    emitted - received_events AS missing
FROM producer_counts GROUP BY model_id, producer;

-- The newest event per model and log partition; events from the future do not count.
CREATE TABLE IF NOT EXISTS watermarks {on_cluster}
(
    model_id LowCardinality(String),
    topic LowCardinality(String),
    partition LowCardinality(String),
    newest SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (model_id, topic, partition)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS dead_letters {on_cluster}
(
    topic LowCardinality(String),
    partition LowCardinality(String),
    offset UInt64,
    key String,
    value String,
    headers Map(String, String),
    reason LowCardinality(String),
    message String,
    service LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    log_epoch LowCardinality(String)
)
ENGINE = {engine}MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (topic, log_epoch, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Every stored range of the log: that its row is here tells that all of it is.
CREATE TABLE IF NOT EXISTS sink_ranges {on_cluster}
(
    log_epoch String,
    topic LowCardinality(String),
    partition LowCardinality(String),
    first UInt64,
    last UInt64,
    rows UInt64,
    rejected UInt64,
    duplicates UInt64,
    unknown_fields UInt64,
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = {engine}MergeTree
ORDER BY (topic, partition, log_epoch, first)
SETTINGS non_replicated_deduplication_window = 10000;

-- Requests and responses of model servers until they are paired: a half comes in with sign 1 and goes out with sign -1.
CREATE TABLE IF NOT EXISTS inference_halves {on_cluster}
(
    model_id LowCardinality(String),
    exchange_id String,
    part LowCardinality(String),
    model_version String,
    exchanged_at DateTime64(3, 'UTC'),
    body String CODEC(ZSTD),
    received_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    log_epoch LowCardinality(String),
    topic LowCardinality(String),
    partition LowCardinality(String),
    offset UInt64,
    sign Int8
)
ENGINE = {engine}CollapsingMergeTree(sign)
ORDER BY (model_id, exchange_id, part)
SETTINGS non_replicated_deduplication_window = 10000;
