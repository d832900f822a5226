-- `verdicts_latest` is the newest revision of each verdict, which policies read; `active_alarms` (0025) is the one definition of
-- which alarms are active. A cohort is a version, a variant and a slice of a model; model_version, variant,
-- slice_key and slice_value are all '' for the model as a whole.

-- Each verdict of each window in its newest revision; 'none' where an earlier revision had a verdict and the newest has none.
-- Two processes may write one revision: the later row counts, then the more severe one, then the greater id, so that the answer
-- never depends on the order of inserts. GROUP BY lets filters on its columns reach the table's key, which LIMIT BY would not.
-- The tuple keeps NULLs, which argMax of a bare column skips.
CREATE VIEW IF NOT EXISTS verdicts_latest {on_cluster} AS
SELECT
    model_id, model_version, variant, slice_key, slice_value, window_start, window_end,
    family, metric, subject, convention, reference,
    newest.1 AS revision,
    newest.2 AS computed_at,
    newest.3 AS verdict_id,
    newest.4 AS verdict,
    newest.5 AS reason,
    newest.6 AS value,
    newest.7 AS threshold,
    newest.8 AS episode_id
FROM
(
    SELECT
        model_id, model_version, variant, slice_key, slice_value, window_start, window_end,
        family, metric, subject, convention, reference,
        argMax(
            tuple(v.revision, v.computed_at, v.verdict_id, v.verdict, v.reason, v.value, v.threshold, v.episode_id),
            tuple(
                v.revision, v.computed_at, indexOf(['none', 'ok', 'incomplete', 'warning', 'alarm'], v.verdict), v.verdict_id,
                v.reason, ifNull(v.value, 0), ifNull(v.threshold, 0), v.episode_id
            )
        ) AS newest
    FROM verdicts AS v
    GROUP BY
        model_id, model_version, variant, slice_key, slice_value, window_start, window_end,
        family, metric, subject, convention, reference
);

-- The newest evaluated window of each cohort; of windows that end together, as after a change of their size, the shorter one.
CREATE VIEW IF NOT EXISTS cohort_newest_windows {on_cluster} AS
SELECT
    model_id, model_version, variant, slice_key, slice_value,
    newest.2 AS window_start,
    newest.1 AS window_end
FROM
(
    SELECT
        model_id, model_version, variant, slice_key, slice_value,
        max(tuple(r.window_end, r.window_start)) AS newest
    FROM window_revisions AS r
    GROUP BY model_id, model_version, variant, slice_key, slice_value
);

ALTER TABLE window_metrics {on_cluster}
    COMMENT COLUMN reference_revision 'Revision of the reference as it was put over HTTP; 1 of a reference of the model file, and where there is none.';
