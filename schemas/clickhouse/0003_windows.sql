-- What drift says of each window.

CREATE TABLE IF NOT EXISTS window_metrics {on_cluster}
(
    model_id LowCardinality(String),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    slice_key LowCardinality(String),
    slice_value String,
    family LowCardinality(String),
    subject String,
    metric LowCardinality(String),
    convention LowCardinality(String),
    method LowCardinality(String),
    precision LowCardinality(String),
    value Nullable(Float64),
    bound_low Nullable(Float64),
    bound_high Nullable(Float64),
    ci_low Nullable(Float64),
    ci_high Nullable(Float64),
    ci_level Nullable(Float64),
    p_value Nullable(Float64),
    p_adjusted Nullable(Float64),
    threshold Nullable(Float64),
    verdict LowCardinality(String),
    reason String,
    episode_id String,
    n_reference UInt64,
    n_current UInt64,
    n_effective Nullable(Float64),
    n_labelled UInt64,
    label_maturity Nullable(Float64),
    completeness Nullable(Float64),
    reference LowCardinality(String),
    reference_revision UInt32,
    policy_revision String,
    revision UInt32,
    computed_at DateTime64(3, 'UTC')
)
ENGINE = {engine}MergeTree
PARTITION BY toYYYYMM(window_start)
ORDER BY (model_id, window_start, window_end, family, metric, subject, slice_key, slice_value, model_version, variant, reference, convention, revision)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS window_metrics_latest {on_cluster} AS
SELECT * FROM window_metrics
ORDER BY revision DESC
LIMIT 1 BY model_id, model_version, variant, window_start, window_end, slice_key, slice_value, family, subject, metric, convention, method, reference;

-- The newest drift facts in the shape of Databricks' `{table}_drift_metrics`: names and nesting are theirs, numbers ours.
CREATE VIEW IF NOT EXISTS drift_metrics_databricks {on_cluster} AS
SELECT
    tuple(window_start, window_end)::Tuple(start DateTime64(3, 'UTC'), end DateTime64(3, 'UTC')) AS window,
    NULL::Nullable(String) AS window_cmp,
    concat(toString(dateDiff('minute', window_start, window_end)), ' minutes') AS granularity,
    model_id,
    if(m.slice_key = '', NULL, m.slice_key) AS slice_key,
    if(m.slice_key = '', NULL, m.slice_value) AS slice_value,
    subject AS column_name,
    if(countIf(metric = 'wasserstein') > 0, 'double', 'string') AS data_type,
    if(reference = 'recent', 'CONSECUTIVE', 'BASELINE') AS drift_type,
    reference AS baseline_name,
    toInt64(anyIf(n_current, metric = 'psi')) - toInt64(anyIf(n_reference, metric = 'psi')) AS count_delta,
    tuple(anyIf(m.value, metric = 'chi_squared'), anyIf(p_value, metric = 'chi_squared'))::Tuple(statistic Nullable(Float64), pvalue Nullable(Float64)) AS chi_squared_test,
    tuple(anyIf(m.value, metric = 'ks'), anyIf(p_value, metric = 'ks'))::Tuple(statistic Nullable(Float64), pvalue Nullable(Float64)) AS ks_test,
    anyIf(m.value, metric = 'tv') AS tv_distance,
    anyIf(m.value, metric = 'l_infinity') AS l_infinity_distance,
    anyIf(m.value, metric = 'js_distance') AS js_distance,
    anyIf(m.value, metric = 'wasserstein') AS wasserstein_distance,
    anyIf(m.value, metric = 'psi') AS population_stability_index
FROM window_metrics_latest AS m
WHERE family = 'drift' AND convention = 'plumbline' AND reference != ''
GROUP BY model_id, model_version, variant, window_start, window_end, m.slice_key, m.slice_value, subject, reference;

CREATE TABLE IF NOT EXISTS verdicts {on_cluster}
(
    verdict_id String,
    model_id LowCardinality(String),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    slice_key LowCardinality(String),
    slice_value String,
    family LowCardinality(String),
    subject String,
    metric LowCardinality(String),
    convention LowCardinality(String),
    value Nullable(Float64),
    threshold Nullable(Float64),
    verdict LowCardinality(String),
    previous_verdict LowCardinality(String),
    reason String,
    reference LowCardinality(String),
    episode_id String,
    revision UInt32,
    restates UInt32,
    computed_at DateTime64(3, 'UTC')
)
ENGINE = {engine}MergeTree
PARTITION BY toYYYYMM(window_start)
ORDER BY (model_id, window_end, family, metric, subject, verdict_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- The inputs each revision of a window was made from; it is stale when they differ from the counters.
CREATE TABLE IF NOT EXISTS window_revisions {on_cluster}
(
    model_id LowCardinality(String),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    slice_key LowCardinality(String),
    slice_value String,
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    revision UInt32,
    events UInt64,
    outcome_changes UInt64,
    maturity Float64,
    worst LowCardinality(String),
    drift_alarm Bool,
    episode_id String,
    policy_revision String,
    computed_at DateTime64(3, 'UTC')
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, window_start, window_end, revision)
SETTINGS non_replicated_deduplication_window = 10000;

-- What people say of verdicts: accept (this is normal), dismiss (no problem), snooze (not before `until`).
CREATE TABLE IF NOT EXISTS verdict_decisions {on_cluster}
(
    decision_id String,
    verdict_id String,
    model_id LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    family LowCardinality(String),
    metric LowCardinality(String),
    subject String,
    episode_id String,
    decision LowCardinality(String),
    actor String,
    comment String,
    until DateTime64(3, 'UTC'),
    decided_at DateTime64(3, 'UTC')
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, decided_at, decision_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS `references` {on_cluster}
(
    model_id LowCardinality(String),
    name LowCardinality(String),
    kind LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    model_version String,
    revision UInt32,
    frozen_at DateTime64(3, 'UTC')
)
ENGINE = {engine}ReplacingMergeTree(revision)
ORDER BY (model_id, name);
