/** What a model card is made of, besides the model file. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { CardAct, CardMetric, CardVersion, CardWindow } from '../../interop/card/facts.ts'

const WHOLE = `model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''`
/** Rows of each part of a card, at most. */
const MAX_VERSIONS = 20
const MAX_WINDOWS = 30
const MAX_METRICS = 200
const MAX_ACTS = 100
const MAX_TOPICS = 20
const TIME = '%FT%TZ'

/** Versions by their newest event, shadows left out. */
export async function readVersions(db: ClickHouse, model: string): Promise<CardVersion[]> {
  const rows = await db.query<Omit<CardVersion, 'events'> & { events: string }>(
    `SELECT model_version, sum(e.events) AS events, formatDateTime(min(step), '${TIME}') AS first, formatDateTime(max(step), '${TIME}') AS last
     FROM event_counts AS e WHERE model_id = {model:String} AND NOT shadow
     GROUP BY model_version ORDER BY last DESC, model_version LIMIT ${MAX_VERSIONS}`,
    { model },
  )
  return rows.map((row) => ({ ...row, events: Number(row.events) }))
}

/** The topics that predictions came by, and the newest event of each. */
export const readTopics = (db: ClickHouse, model: string) =>
  db.query<{ topic: string; newest: string }>(
    `SELECT topic, formatDateTime(max(w.newest), '${TIME}') AS newest FROM watermarks AS w
     WHERE model_id = {model:String} GROUP BY topic ORDER BY topic LIMIT ${MAX_TOPICS}`,
    { model },
  )

/** Evaluated windows in all, and the newest ones. */
export async function readDrift(
  db: ClickHouse,
  model: string,
): Promise<{ windows: number; newest: CardWindow[] }> {
  const rows = await db.query<CardWindow & { all_windows: string; n: string }>(
    `SELECT formatDateTime(end, '${TIME}') AS window_end, n, worst, share AS drift_share, count() OVER () AS all_windows
     FROM (SELECT window_start AS start, window_end AS end, argMax(events, revision) AS n, argMax(r.worst, revision) AS worst
         FROM window_revisions AS r WHERE ${WHOLE} GROUP BY start, end) AS w
     LEFT JOIN (SELECT window_start AS start, window_end AS end, argMax(tuple(value), revision).1 AS share
         FROM window_metrics WHERE ${WHOLE} AND metric = 'drift_share' GROUP BY start, end) AS d USING (start, end)
     ORDER BY end DESC, start DESC LIMIT ${MAX_WINDOWS}`,
    { model },
  )
  return {
    windows: Number(rows[0]?.all_windows ?? 0),
    newest: rows.map(({ window_end, n, worst, drift_share }) => ({
      window_end,
      events: Number(n),
      worst,
      drift_share,
    })),
  }
}

type MetricRow = Omit<CardMetric, 'n'> & { n: string; end: string }

/**
 * Metrics of a family in the newest window that knows a value of them, of all cohorts.
 *
 * @returns the end of the window, '' where there is none
 */
export async function readNewestMetrics(
  db: ClickHouse,
  model: string,
  family: 'performance' | 'fairness',
): Promise<{ window: string; metrics: CardMetric[] }> {
  const rows = await db.query<MetricRow>(
    `SELECT metric, subject, value, ci_low, ci_high, verdict, formatDateTime(window_end, '${TIME}') AS end,
       if(family = 'performance', n_labelled, n_current) AS n,
       arrayStringConcat(arrayFilter(x -> x != '', [
         if(model_version = '', '', concat('version ', model_version)), if(variant = '', '', concat('variant ', variant)),
         if(slice_key = '', '', concat(slice_key, ': ', slice_value))]), ', ') AS cohort
     FROM window_metrics_latest
     WHERE model_id = {model:String} AND family = {family:String} AND convention = 'plumbline' AND method IN ('', 'observed', 'weighted')
       AND metric NOT IN ('worst_cohort_gap', 'cohort_gap')
       AND (window_start, window_end) IN (SELECT window_start, window_end FROM window_metrics
         WHERE ${WHOLE} AND family = {family:String} AND convention = 'plumbline' AND isNotNull(value)
         ORDER BY window_end DESC, window_start DESC LIMIT 1)
     ORDER BY cohort != '', n_current DESC, cohort, metric, subject
     LIMIT 1 BY cohort, metric, subject LIMIT ${MAX_METRICS}`,
    { model, family },
  )
  return {
    window: rows[0]?.end ?? '',
    metrics: rows.map(({ n, end: _end, ...row }) => ({ ...row, n: Number(n) })),
  }
}

/**
 * Entries of the audit log about a model, the newest first, as ClickHouse's copy has them. Who was
 * told of alarms is left out: it would leave no room for what people decided.
 */
export async function readActs(db: ClickHouse, model: string): Promise<CardAct[]> {
  const rows = await db.query<Omit<CardAct, 'sequence'> & { sequence: string }>(
    `SELECT sequence, formatDateTime(a.at, '${TIME}') AS at, actor, action, subject,
       substring(multiIf(JSONExtractString(detail, 'comment') != '', JSONExtractString(detail, 'comment'),
         JSONExtractString(detail, 'message') != '', JSONExtractString(detail, 'message'), JSONExtractString(detail, 'reason')), 1, 300) AS says
     FROM audit_log AS a WHERE JSONExtractString(detail, 'model_id') = {model:String} AND NOT startsWith(action, 'alert.')
     ORDER BY sequence DESC LIMIT 1 BY sequence LIMIT ${MAX_ACTS}`,
    { model },
  )
  return rows.map((row) => ({ ...row, sequence: Number(row.sequence) }))
}
