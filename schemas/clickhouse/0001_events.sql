-- The events and what is counted of them. A batch is inserted into a wire table of engine Null; its views
-- write the good rows, the refused ones and every count under the insert's one token, so that all of them land
-- exactly once or, after a failure, are completed by the same insert again.

CREATE TABLE IF NOT EXISTS predictions_wire {on_cluster}
(
    log_epoch String,
    topic String,
    partition String,
    offset UInt64,
    received_at DateTime64(3, 'UTC'),
    key String,
    value String,
    reject_code LowCardinality(String),
    reject_message String,
    unknown_fields UInt16,
    prediction_id String,
    model_id String,
    model_version String,
    predicted_at DateTime64(3, 'UTC'),
    prediction Nullable(String),
    prediction_number Nullable(Float64),
    score Nullable(Float64),
    scores Map(LowCardinality(String), Float64),
    features Map(LowCardinality(String), Variant(Float64, String, Bool)),
    feature_names Array(LowCardinality(String)),
    feature_raws Array(String),
    feature_numbers Array(Nullable(Float64)),
    attributes Map(LowCardinality(String), String),
    quantiles Map(LowCardinality(String), Float64),
    target_time Nullable(DateTime64(3, 'UTC')),
    decision LowCardinality(String),
    group_id String,
    position Nullable(UInt64),
    exposure_propensity Nullable(Float64),
    variant String,
    request_id String,
    shadow Bool,
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
    producer_sequence Nullable(UInt64)
)
ENGINE = Null;

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
    offset UInt64 CODEC(DoubleDelta, ZSTD)
)
ENGINE = {engine}MergeTree
PARTITION BY toYYYYMM(predicted_at)
ORDER BY (model_id, predicted_at, prediction_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS predictions_good {on_cluster} TO predictions AS
SELECT * EXCEPT (key, value, reject_code, reject_message, feature_names, feature_raws, feature_numbers)
FROM predictions_wire WHERE reject_code = '';

-- Where a prediction lies, by its id: labels name predictions by id alone, `predictions` is sorted by time.
CREATE TABLE IF NOT EXISTS prediction_times {on_cluster}
(
    model_id LowCardinality(String),
    id_hash UInt64,
    predicted_at DateTime64(3, 'UTC')
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, id_hash)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS prediction_times_view {on_cluster} TO prediction_times AS
SELECT model_id, sipHash64(prediction_id) AS id_hash, predicted_at
FROM predictions_wire WHERE reject_code = '';

-- Events per time step of 15 minutes. Every window size is a multiple of it, or is read from raw rows.
CREATE TABLE IF NOT EXISTS event_counts {on_cluster}
(
    model_id LowCardinality(String),
    step DateTime('UTC'),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    events SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (model_id, step, model_version, variant, shadow)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS event_counts_view {on_cluster} TO event_counts AS
SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 15 MINUTE, 'UTC') AS step, model_version, variant, shadow,
    count() AS events, countIf(status = 'error') AS errors
FROM predictions_wire WHERE reject_code = ''
GROUP BY model_id, step, model_version, variant, shadow;

-- Numbers, counted on grid 1: the leading 19 bits of the value as a 32-bit float, negative for negative values.
-- Bins are 1/1024 of their octave wide at every scale, in the order of the values, and zero has its own.
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
    high SimpleAggregateFunction(max, Float64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toYYYYMM(step)
ORDER BY (model_id, step, subject, model_version, variant, shadow, grid, bin)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS numeric_counts_view {on_cluster} TO numeric_counts AS
SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 15 MINUTE, 'UTC') AS step, subject, model_version, variant, shadow,
    toUInt16(1) AS grid,
    toInt32(bitShiftRight(bitAnd(reinterpretAsUInt32(toFloat32(x)), 0x7fffffff), 13)) * if(x < 0, -1, 1) AS bin,
    count() AS count, sum(x) AS total, min(x) AS low, max(x) AS high
FROM
(
    SELECT model_id, predicted_at, model_version, variant, shadow, subject, assumeNotNull(value) AS x
    FROM predictions_wire
    ARRAY JOIN
        arrayConcat(feature_names, ['@prediction', '@score', '@latency_ms', '@cost_usd', '@input_tokens', '@output_tokens']) AS subject,
        arrayConcat(feature_numbers, [prediction_number, score, latency_ms, cost_usd, toFloat64(input_tokens), toFloat64(output_tokens)]) AS value
    WHERE reject_code = '' AND isNotNull(value)
)
GROUP BY model_id, step, subject, model_version, variant, shadow, bin;

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
    count SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toYYYYMM(step)
ORDER BY (model_id, step, subject, model_version, variant, shadow, category)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS category_counts_view {on_cluster} TO category_counts AS
SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 15 MINUTE, 'UTC') AS step, subject, model_version, variant, shadow,
    substringUTF8(if(startsWith(raw, '"'), JSONExtractString(raw), raw), 1, 200) AS category, count() AS count
FROM
(
    SELECT model_id, predicted_at, model_version, variant, shadow, subject, raw
    FROM
    (
        -- Numbers are dropped before the join of arrays: most features are.
        SELECT *,
            arrayConcat(feature_raws, [if(isNull(prediction) OR isNotNull(prediction_number), 'null', toJSONString(assumeNotNull(prediction)))]) AS raws,
            arrayConcat(feature_names, ['@prediction']) AS names
        FROM predictions_wire WHERE reject_code = ''
    )
    ARRAY JOIN
        arrayFilter((name, r) -> startsWith(r, '"') OR r IN ('true', 'false'), names, raws) AS subject,
        arrayFilter(r -> startsWith(r, '"') OR r IN ('true', 'false'), raws) AS raw
)
GROUP BY model_id, step, subject, model_version, variant, shadow, category;

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

CREATE MATERIALIZED VIEW IF NOT EXISTS watermarks_view {on_cluster} TO watermarks AS
SELECT model_id, topic, partition, max(predicted_at) AS newest, max(w.received_at) AS received_at
FROM predictions_wire AS w WHERE reject_code = '' AND predicted_at <= w.received_at + INTERVAL 5 MINUTE
GROUP BY model_id, topic, partition;

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

CREATE MATERIALIZED VIEW IF NOT EXISTS predictions_dead {on_cluster} TO dead_letters AS
SELECT topic, partition, offset, key, value, reject_code AS reason, reject_message AS message, 'ingest' AS service, received_at, log_epoch
FROM predictions_wire WHERE reject_code != '';

-- Every stored range of the log, written by the insert that stored it.
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

CREATE MATERIALIZED VIEW IF NOT EXISTS predictions_ranges {on_cluster} TO sink_ranges AS
SELECT log_epoch, topic, partition, min(offset) AS first, max(offset) AS last, count() AS rows,
    countIf(reject_code != '') AS rejected, 0 AS duplicates, sum(unknown_fields) AS unknown_fields
FROM predictions_wire GROUP BY log_epoch, topic, partition;
