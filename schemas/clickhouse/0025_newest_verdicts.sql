-- What is active is what was evaluated last, metric by metric: a window that is incomplete, or whose labels are still to come, says
-- nothing of the alarm before it and must not end it. The newest verdict of each metric and cohort is kept as one row, so that
-- asking what is active costs what is monitored and not what has ever been evaluated.

ALTER TABLE verdicts {on_cluster}
    ADD COLUMN IF NOT EXISTS baseline_value Nullable(Float64) COMMENT 'The same metric of the baseline; NULL where the baseline has none.' AFTER value;

-- Of two rows of one window the higher revision counts, then the later, the more severe, the greater id: never the order of inserts.
-- A row whose verdict is 'none' takes an earlier revision's verdict back.
CREATE TABLE IF NOT EXISTS newest_verdicts {on_cluster}
(
    model_id LowCardinality(String),
    model_version LowCardinality(String),
    variant LowCardinality(String),
    slice_key LowCardinality(String),
    slice_value String,
    family LowCardinality(String),
    metric LowCardinality(String),
    subject String,
    newest AggregateFunction(
        argMax,
        Tuple(
            window_start DateTime64(3, 'UTC'), window_end DateTime64(3, 'UTC'), revision UInt32, computed_at DateTime64(3, 'UTC'),
            verdict_id String, verdict String, reason String, value Nullable(Float64), baseline_value Nullable(Float64), threshold Nullable(Float64),
            reference String, episode_id String
        ),
        Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC'), UInt32, DateTime64(3, 'UTC'), UInt8, String)
    ) COMMENT 'State of the newest evaluated verdict; active_alarms finishes it.'
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (model_id, model_version, variant, slice_key, slice_value, family, metric, subject)
COMMENT 'The newest evaluated verdict of each metric and cohort. Read active_alarms.';

CREATE MATERIALIZED VIEW IF NOT EXISTS newest_verdicts_view {on_cluster} TO newest_verdicts AS
SELECT
    model_id, model_version, variant, slice_key, slice_value, family, metric, subject,
    argMaxState(
        CAST(
            tuple(v.window_start, v.window_end, v.revision, v.computed_at, v.verdict_id, v.verdict, v.reason, v.value, v.baseline_value, v.threshold, v.reference, v.episode_id),
            'Tuple(window_start DateTime64(3, \'UTC\'), window_end DateTime64(3, \'UTC\'), revision UInt32, computed_at DateTime64(3, \'UTC\'), verdict_id String, verdict String, reason String, value Nullable(Float64), baseline_value Nullable(Float64), threshold Nullable(Float64), reference String, episode_id String)'
        ),
        tuple(v.window_end, v.window_start, v.revision, v.computed_at, toUInt8(indexOf(['none', 'ok', 'warning', 'alarm'], v.verdict)), v.verdict_id)
    ) AS newest
FROM verdicts AS v
WHERE convention = 'plumbline' AND verdict != 'incomplete'
GROUP BY model_id, model_version, variant, slice_key, slice_value, family, metric, subject;

INSERT INTO newest_verdicts
SELECT
    model_id, model_version, variant, slice_key, slice_value, family, metric, subject,
    argMaxState(
        CAST(
            tuple(v.window_start, v.window_end, v.revision, v.computed_at, v.verdict_id, v.verdict, v.reason, v.value, v.baseline_value, v.threshold, v.reference, v.episode_id),
            'Tuple(window_start DateTime64(3, \'UTC\'), window_end DateTime64(3, \'UTC\'), revision UInt32, computed_at DateTime64(3, \'UTC\'), verdict_id String, verdict String, reason String, value Nullable(Float64), baseline_value Nullable(Float64), threshold Nullable(Float64), reference String, episode_id String)'
        ),
        tuple(v.window_end, v.window_start, v.revision, v.computed_at, toUInt8(indexOf(['none', 'ok', 'warning', 'alarm'], v.verdict)), v.verdict_id)
    ) AS newest
FROM verdicts AS v
WHERE convention = 'plumbline' AND verdict != 'incomplete'
GROUP BY model_id, model_version, variant, slice_key, slice_value, family, metric, subject;

-- Alarms and warnings that were evaluated last, of each metric and cohort. Out are those of a window that somebody accepted or
-- dismissed, and those of a version, variant or slice that has sent nothing in the model's last three windows. A snooze covers a
-- model's family, metric and subject in every cohort; is_snoozed says whether its time is still to come.
CREATE OR REPLACE VIEW active_alarms {on_cluster} AS
SELECT
    a.model_id AS model_id,
    a.model_version AS model_version,
    a.variant AS variant,
    a.slice_key AS slice_key,
    a.slice_value AS slice_value,
    a.family AS family,
    a.metric AS metric,
    a.subject AS subject,
    a.n.reference AS reference,
    a.n.verdict AS severity,
    a.n.value AS value,
    a.n.baseline_value AS baseline_value,
    a.n.threshold AS threshold,
    a.n.reason AS reason,
    a.n.window_start AS window_start,
    a.n.window_end AS window_end,
    -- An episode is named for the end of its first window.
    if(a.n.episode_id = '', a.n.window_end, parseDateTime64BestEffortOrZero(splitByChar('/', a.n.episode_id)[-1], 3, 'UTC')) AS since,
    a.n.revision AS revision,
    a.n.verdict_id AS verdict_id,
    a.n.episode_id AS episode_id,
    a.n.computed_at AS computed_at,
    nullIf(s.last_until, toDateTime64(0, 3, 'UTC')) AS snoozed_until,
    toBool(s.last_until > now64(3)) AS is_snoozed
FROM
(
    SELECT model_id, model_version, variant, slice_key, slice_value, family, metric, subject, argMaxMerge(newest) AS n
    FROM newest_verdicts
    GROUP BY model_id, model_version, variant, slice_key, slice_value, family, metric, subject
    HAVING n.verdict IN ('alarm', 'warning')
) AS a
LEFT JOIN
(
    SELECT model_id, family, metric, subject, max(until) AS last_until
    FROM verdict_decisions
    WHERE decision = 'snooze'
    GROUP BY model_id, family, metric, subject
) AS s ON s.model_id = a.model_id AND s.family = a.family AND s.metric = a.metric AND s.subject = a.subject
LEFT JOIN cohort_newest_windows AS c
    ON c.model_id = a.model_id AND c.model_version = a.model_version AND c.variant = a.variant
    AND c.slice_key = a.slice_key AND c.slice_value = a.slice_value
LEFT JOIN
(
    SELECT model_id, window_start, window_end FROM cohort_newest_windows
    WHERE model_version = '' AND variant = '' AND slice_key = ''
) AS w ON w.model_id = a.model_id
WHERE (a.model_id, a.family, a.metric, a.subject, a.n.window_start, a.n.window_end) NOT IN
    (SELECT model_id, family, metric, subject, window_start, window_end FROM verdict_decisions WHERE decision IN ('accept', 'dismiss'))
  AND c.window_end >= w.window_end - toIntervalMillisecond(3 * dateDiff('millisecond', w.window_start, w.window_end));

ALTER TABLE active_alarms {on_cluster} MODIFY COMMENT 'View: alarms and warnings that were evaluated last, of each metric and cohort.';
ALTER TABLE newest_verdicts_view {on_cluster} MODIFY COMMENT 'Materialized view: keeps the newest evaluated verdict in newest_verdicts.';
