-- Counts of the slices of models, as `event_counts`, `numeric_counts` and `category_counts` are of all their predictions. Which
-- slices a model has its file says, mostly after its first events: they are counted from `predictions` when they are first asked for,
-- step by step. What one counting has found is valid once `slice_steps` names it; the newest one of a step counts, and is stale
-- when `event_counts` has other events of the step than it saw.

CREATE TABLE IF NOT EXISTS slice_steps {on_cluster}
(
    model_id LowCardinality(String),
    slice_key LowCardinality(String),
    step DateTime('UTC'),
    counting String,
    -- Of the model in this step, when it was counted.
    events UInt64,
    -- How many values the slice had; where they were too many, nothing was counted.
    slice_values UInt64,
    counted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, slice_key, step);

CREATE TABLE IF NOT EXISTS slice_event_counts {on_cluster}
(
    model_id LowCardinality(String),
    slice_key LowCardinality(String),
    slice_value String,
    step DateTime('UTC'),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    counting LowCardinality(String),
    events UInt64,
    errors UInt64,
    -- Sums of 1/f and of 1/f² over sampled events, which are 1 for every other, and of 1/f over errors.
    weight Float64,
    squares Float64,
    error_weight Float64
)
ENGINE = {engine}MergeTree
PARTITION BY toYYYYMM(step)
ORDER BY (model_id, slice_key, slice_value, step);

CREATE TABLE IF NOT EXISTS slice_numeric_counts {on_cluster}
(
    model_id LowCardinality(String),
    slice_key LowCardinality(String),
    slice_value String,
    step DateTime('UTC'),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    counting LowCardinality(String),
    subject LowCardinality(String),
    grid UInt16,
    bin Int32,
    weight Float64,
    total Float64,
    low Float64,
    high Float64
)
ENGINE = {engine}MergeTree
PARTITION BY toYYYYMM(step)
ORDER BY (model_id, slice_key, slice_value, step, subject, bin);

CREATE TABLE IF NOT EXISTS slice_category_counts {on_cluster}
(
    model_id LowCardinality(String),
    slice_key LowCardinality(String),
    slice_value String,
    step DateTime('UTC'),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    shadow Bool,
    counting LowCardinality(String),
    subject LowCardinality(String),
    category String,
    weight Float64
)
ENGINE = {engine}MergeTree
PARTITION BY toYYYYMM(step)
ORDER BY (model_id, slice_key, slice_value, step, subject, category);
