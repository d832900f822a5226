-- `active_alarms` is the one definition of which alarms are active: Alertmanager, Grafana, the pages and analysts read it, and
-- policies read its base, `verdicts_latest`. A cohort is a version, a variant and a slice of a model; model_version, variant,
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

-- Alarms and warnings of the newest evaluated window of each cohort. A snooze covers a model's family, metric and subject in every
-- cohort; snoozed_until is NULL where nobody snoozed the alarm, and is_snoozed says whether that time is still to come.
CREATE VIEW IF NOT EXISTS active_alarms {on_cluster} AS
SELECT
    a.model_id AS model_id,
    a.model_version AS model_version,
    a.variant AS variant,
    a.slice_key AS slice_key,
    a.slice_value AS slice_value,
    a.family AS family,
    a.metric AS metric,
    a.subject AS subject,
    a.reference AS reference,
    a.verdict AS severity,
    a.value AS value,
    a.threshold AS threshold,
    a.reason AS reason,
    a.window_start AS window_start,
    a.window_end AS window_end,
    a.revision AS revision,
    a.verdict_id AS verdict_id,
    a.episode_id AS episode_id,
    a.computed_at AS computed_at,
    nullIf(s.last_until, toDateTime64(0, 3, 'UTC')) AS snoozed_until,
    toBool(s.last_until > now64(3)) AS is_snoozed
FROM
(
    SELECT * FROM verdicts_latest
    WHERE convention = 'plumbline' AND verdict IN ('alarm', 'warning')
      AND (model_id, model_version, variant, slice_key, slice_value, window_start, window_end) IN
          (SELECT model_id, model_version, variant, slice_key, slice_value, window_start, window_end FROM cohort_newest_windows)
) AS a
LEFT JOIN
(
    SELECT model_id, family, metric, subject, max(until) AS last_until
    FROM verdict_decisions
    WHERE decision = 'snooze'
    GROUP BY model_id, family, metric, subject
) AS s ON s.model_id = a.model_id AND s.family = a.family AND s.metric = a.metric AND s.subject = a.subject;

ALTER TABLE window_metrics {on_cluster}
    COMMENT COLUMN reference_revision 'Revision of the reference as it was put over HTTP; 1 of a reference of the model file, and where there is none.';
