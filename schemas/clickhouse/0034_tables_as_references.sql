-- A table, such as the one a model was trained on, is a reference: its rows are kept apart from what was predicted, and shaped so
-- that what reads predictions and outcomes reads them too. What rows of a table have not is an alias that holds nothing.
CREATE TABLE IF NOT EXISTS reference_rows {on_cluster}
(
    model_id LowCardinality(String) COMMENT 'Under what the counts of the reference stand: model, reference and revision, in lines.',
    row UInt64 COMMENT 'Number of the row in the table, from 0.',
    predicted_at DateTime64(3, 'UTC') COMMENT 'The one instant that all rows of tables have: rows have no time.',
    prediction Nullable(String) COMMENT 'What was predicted, as text. NULL where the table has none.',
    prediction_number Nullable(Float64) COMMENT 'What was predicted, where it is a number.',
    score Nullable(Float64) COMMENT 'Score of the positive class. NULL where the table has none.',
    features Map(LowCardinality(String), Variant(Float64, String, Bool)) COMMENT 'All other columns by name; what is null is missing.',
    attributes Map(LowCardinality(String), String) COMMENT 'Columns that the model file names as protected attributes or slices, as text.',
    label Nullable(String) COMMENT 'The truth, as text. NULL where the table has none.',
    label_number Nullable(Float64) COMMENT 'The truth, where it is a number.',
    prediction_id String ALIAS toString(row),
    name String ALIAS 'label',
    model_version String ALIAS '',
    variant String ALIAS '',
    shadow Bool ALIAS false,
    status String ALIAS '',
    decision String ALIAS '',
    subject_id String ALIAS '',
    latency_ms Nullable(Float64) ALIAS CAST(NULL, 'Nullable(Float64)'),
    cost_usd Nullable(Float64) ALIAS CAST(NULL, 'Nullable(Float64)'),
    input_tokens Nullable(UInt64) ALIAS CAST(NULL, 'Nullable(UInt64)'),
    output_tokens Nullable(UInt64) ALIAS CAST(NULL, 'Nullable(UInt64)'),
    sampling_fraction Nullable(Float64) ALIAS CAST(NULL, 'Nullable(Float64)'),
    source String ALIAS 'ground_truth',
    label_received_at DateTime64(3, 'UTC') ALIAS predicted_at,
    inclusion_probability Nullable(Float64) ALIAS CAST(NULL, 'Nullable(Float64)')
)
ENGINE = {engine}MergeTree
ORDER BY (model_id, row)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Rows of tables that are references, such as the one a model was trained on.';

ALTER TABLE `references` {on_cluster}
    ADD COLUMN IF NOT EXISTS content String COMMENT 'Of a table: a hash of its bytes and of how its columns are read.',
    ADD COLUMN IF NOT EXISTS note String COMMENT 'Of a table: what was read of it, in words.';

-- Two questions are answered of one window: whether production differs from a table (skew), and from its own past (drift).
ALTER TABLE window_metrics {on_cluster}
    ADD COLUMN IF NOT EXISTS reference_kind LowCardinality(String) COMMENT 'What kind of reference it was compared with, as the model file names kinds: table, first, trailing, ...; '''' where with none, and in rows of before.' AFTER reference;

ALTER TABLE verdicts {on_cluster}
    ADD COLUMN IF NOT EXISTS reference_kind LowCardinality(String) COMMENT 'What kind of reference it was compared with: a table answers for skew, others for drift.' AFTER reference;

CREATE OR REPLACE VIEW window_metrics_latest {on_cluster} AS
SELECT * FROM window_metrics
ORDER BY revision DESC
LIMIT 1 BY model_id, model_version, variant, window_start, window_end, slice_key, slice_value, family, subject, metric, convention, method, reference;

ALTER TABLE window_metrics_latest {on_cluster}
    MODIFY COMMENT 'View: the newest revision of each metric result.',
    COMMENT COLUMN value 'The metric. NULL where it cannot be known: reason says why.',
    COMMENT COLUMN method 'How labels were used: observed, poststratified, or estimated without them (cbpe, dle).',
    COMMENT COLUMN precision 'How value was computed, not how sure it is: exact, or bounded where bins or groups hold several values. The metric of that name has nothing to do with it.',
    COMMENT COLUMN bound_low 'With precision bounded: the exact value is surely no less. NULL where nothing bounds it.',
    COMMENT COLUMN bound_high 'With precision bounded: the exact value is surely no more. NULL where nothing bounds it.',
    COMMENT COLUMN ci_low 'Lower end of the confidence interval of value at ci_level, rows taken as independent. NULL where there is none.',
    COMMENT COLUMN ci_high 'Upper end of the confidence interval of value at ci_level, rows taken as independent. NULL where there is none.',
    COMMENT COLUMN ci_level 'Confidence level of ci_low and ci_high: 0.95, for groups beside one another 1 - 0.05 / (groups - 1).',
    COMMENT COLUMN p_value 'p of no change, allowing for the noise between windows. Of convention iid: of independent rows.',
    COMMENT COLUMN p_adjusted 'p_value corrected (Holm) for all that is tested of the window.',
    COMMENT COLUMN baseline_value 'The same metric of the baseline. NULL where the baseline has none.',
    COMMENT COLUMN threshold 'The fixed line that value was held against. NULL where a p decided.',
    COMMENT COLUMN n_reference 'Values of the reference that the metric divides by. Of fairness: of the privileged group.',
    COMMENT COLUMN n_current 'Values of the window that the metric divides by.',
    COMMENT COLUMN n_effective 'Independent events that the sampled events of the window are worth. NULL where nothing was sampled.',
    COMMENT COLUMN reference_kind 'What kind of reference it was compared with: a table answers for skew, others for drift.';

-- Databricks calls a comparison CONSECUTIVE where a window is held against the one before it, BASELINE where against a table. Rows of
-- before know no kind: of these the one called recent was the last windows. Granularities are spelled as Databricks spells them.
CREATE OR REPLACE VIEW drift_metrics_databricks {on_cluster} AS
SELECT
    tuple(window_start, window_end)::Tuple(start DateTime64(3, 'UTC'), end DateTime64(3, 'UTC')) AS window,
    NULL::Nullable(String) AS window_cmp,
    multiIf(
        toDayOfMonth(window_start) = 1 AND window_end = addMonths(window_start, 1), '1 month',
        minutes % 10080 = 0, if(minutes = 10080, '1 week', concat(toString(intDiv(minutes, 10080)), ' weeks')),
        minutes % 1440 = 0, if(minutes = 1440, '1 day', concat(toString(intDiv(minutes, 1440)), ' days')),
        minutes % 60 = 0, if(minutes = 60, '1 hour', concat(toString(intDiv(minutes, 60)), ' hours')),
        if(minutes = 1, '1 minute', concat(toString(minutes), ' minutes'))) AS granularity,
    model_id,
    if(m.slice_key = '', NULL, m.slice_key) AS slice_key,
    if(m.slice_key = '', NULL, m.slice_value) AS slice_value,
    subject AS column_name,
    if(countIf(metric = 'wasserstein') > 0, 'double', 'string') AS data_type,
    if(any(m.reference_kind) IN ('previous', 'trailing') OR (any(m.reference_kind) = '' AND reference = 'recent'), 'CONSECUTIVE', 'BASELINE') AS drift_type,
    reference AS baseline_name,
    toInt64(anyIf(n_current, metric = 'psi')) - toInt64(anyIf(n_reference, metric = 'psi')) AS count_delta,
    tuple(anyIf(m.value, metric = 'chi_squared'), anyIf(p_value, metric = 'chi_squared'))::Tuple(statistic Nullable(Float64), pvalue Nullable(Float64)) AS chi_squared_test,
    tuple(anyIf(m.value, metric = 'ks'), anyIf(p_value, metric = 'ks'))::Tuple(statistic Nullable(Float64), pvalue Nullable(Float64)) AS ks_test,
    anyIf(m.value, metric = 'tv') AS tv_distance,
    anyIf(m.value, metric = 'l_infinity') AS l_infinity_distance,
    anyIf(m.value, metric = 'js_distance') AS js_distance,
    anyIf(m.value, metric = 'wasserstein') AS wasserstein_distance,
    anyIf(m.value, metric = 'psi') AS population_stability_index
FROM (SELECT *, dateDiff('minute', window_start, window_end) AS minutes FROM window_metrics_latest) AS m
WHERE family = 'drift' AND convention = 'plumbline' AND reference != '' AND metric NOT IN ('skew', 'missing_skew')
GROUP BY model_id, model_version, variant, window_start, window_end, minutes, m.slice_key, m.slice_value, subject, reference;

ALTER TABLE drift_metrics_databricks {on_cluster} MODIFY COMMENT 'View: the newest drift results in the shape of Databricks'' drift metrics table.';
