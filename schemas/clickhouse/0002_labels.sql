-- Labels as they came, and outcomes: each prediction with its resolved truth. Then attributes that came apart from it.

CREATE TABLE IF NOT EXISTS labels {on_cluster}
(
    model_id LowCardinality(String),
    -- '' where the label names a trace or a subject in its place.
    prediction_id String,
    trace_id String,
    subject_id String,
    name LowCardinality(String),
    source LowCardinality(String),
    labeler String,
    labelled_at DateTime64(3, 'UTC'),
    label_id String,
    label String,
    confidence Nullable(Float64),
    comment String,
    retracted Bool,
    final Bool,
    inclusion_probability Nullable(Float64),
    received_at DateTime64(3, 'UTC'),
    log_epoch LowCardinality(String),
    topic LowCardinality(String),
    partition LowCardinality(String),
    offset UInt64,
    INDEX by_offset offset TYPE minmax GRANULARITY 1
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, prediction_id, name, source, labeler, labelled_at, label_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- The prediction that was meant by a label naming a trace or a subject: looked up once, so that later ones change nothing.
CREATE TABLE IF NOT EXISTS labels_addressed {on_cluster}
(
    model_id LowCardinality(String),
    prediction_id String,
    label_id String,
    INDEX by_label label_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, prediction_id, label_id);

-- An outcome is a pure function of the prediction and of all its labels; `labels_known` counts those, so a
-- later revision has the higher one and a replay writes the same row again.
CREATE TABLE IF NOT EXISTS outcome_revisions {on_cluster}
(
    model_id LowCardinality(String),
    predicted_at DateTime64(3, 'UTC'),
    prediction_id String,
    name LowCardinality(String),
    labels_known UInt32,
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    prediction Nullable(String),
    prediction_number Nullable(Float64),
    score Nullable(Float64),
    scores Map(LowCardinality(String), Float64),
    attributes Map(LowCardinality(String), String),
    decision LowCardinality(String),
    subject_id String,
    label Nullable(String),
    label_number Nullable(Float64),
    source LowCardinality(String),
    labeler String,
    labelled_at DateTime64(3, 'UTC'),
    label_received_at DateTime64(3, 'UTC'),
    inclusion_probability Nullable(Float64)
)
ENGINE = {engine}ReplacingMergeTree(labels_known)
PARTITION BY toYYYYMM(predicted_at)
ORDER BY (model_id, predicted_at, prediction_id, name);

-- What analysts read: the newest revision of each; a retracted truth has the label NULL.
CREATE VIEW IF NOT EXISTS outcomes {on_cluster} AS
SELECT * FROM outcome_revisions FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

-- How often the truth of a time step has changed: what tells drift that a window is stale.
CREATE TABLE IF NOT EXISTS outcome_changes {on_cluster}
(
    model_id LowCardinality(String),
    step DateTime('UTC'),
    changes SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (model_id, step);

CREATE MATERIALIZED VIEW IF NOT EXISTS outcome_changes_view {on_cluster} TO outcome_changes AS
SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 15 MINUTE, 'UTC') AS step, count() AS changes
FROM outcome_revisions GROUP BY model_id, step;

-- The queue of labels to be joined: a label comes in with sign 1 by the insert that stores it, and goes out with sign -1
-- once its outcome is written. What is done collapses away; a repeated label_id cancels itself out.
CREATE TABLE IF NOT EXISTS labels_waiting_log {on_cluster}
(
    model_id LowCardinality(String),
    prediction_id String,
    label_id String,
    since DateTime64(3, 'UTC'),
    sign Int8
)
ENGINE = {engine}CollapsingMergeTree(sign)
ORDER BY (model_id, prediction_id, label_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- Labels whose prediction nobody has seen yet (and those that are being joined this moment).
CREATE VIEW IF NOT EXISTS labels_waiting {on_cluster} AS
SELECT model_id, prediction_id, label_id, min(since) AS waiting_since
FROM labels_waiting_log GROUP BY model_id, prediction_id, label_id HAVING sum(sign) > 0;

-- Attributes as they came: of one prediction, or of a subject in all its predictions.
CREATE TABLE IF NOT EXISTS attributes {on_cluster}
(
    subject_id String,
    prediction_id String,
    attributes Map(LowCardinality(String), String),
    observed_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC'),
    log_epoch LowCardinality(String),
    topic LowCardinality(String),
    partition LowCardinality(String),
    offset UInt64
)
ENGINE = {engine}MergeTree
ORDER BY (subject_id, prediction_id, observed_at)
SETTINGS non_replicated_deduplication_window = 10000;

-- Of each attribute the newest observation; of two at one instant the greater value, whatever the order of arrival.
CREATE VIEW IF NOT EXISTS attributes_latest {on_cluster} AS
SELECT subject_id, prediction_id, name, argMax(given, (observed_at, given)) AS value
FROM attributes ARRAY JOIN mapKeys(attributes) AS name, mapValues(attributes) AS given
GROUP BY subject_id, prediction_id, name;

-- The queue of attributes whose windows are to be restated, as that of labels; every event has a place of its own.
CREATE TABLE IF NOT EXISTS attributes_waiting_log {on_cluster}
(
    subject_id String,
    prediction_id String,
    place String,
    sign Int8
)
ENGINE = {engine}CollapsingMergeTree(sign)
ORDER BY (subject_id, prediction_id, place)
SETTINGS non_replicated_deduplication_window = 10000;
