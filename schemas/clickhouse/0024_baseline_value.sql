-- What a number is compared with, beside it: readers need no second query, and relative lines are drawn from it.
ALTER TABLE window_metrics {on_cluster}
    ADD COLUMN IF NOT EXISTS baseline_value Nullable(Float64) COMMENT 'The same metric of the baseline; NULL where the baseline has none.' AFTER p_adjusted;

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
    COMMENT COLUMN n_effective 'Independent events that the sampled events of the window are worth. NULL where nothing was sampled.';
