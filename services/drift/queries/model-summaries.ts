/** What the overview and a model's headline are made of, read for all models at once or for one. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import {
  FAMILIES_BY_GRAVITY,
  type ActiveCount,
  type ActiveResult,
  type ActiveSeries,
  type ModelAge,
} from '../data/active-result.ts'

/** A model with evaluated windows, and what its newest one tells; 64-bit counts are strings. */
export interface ModelSummary {
  model_id: string
  windows: string
  last_window_end: string | null
  alarms: string
  warnings: string
  incomplete: string
}

/** What a headline needs besides. */
export interface NewestWindow {
  events: string
  evaluated: string
  learning: string
  drift_share: number | null
  features: string
}

const OF_MODEL = `({model:String} = '' OR model_id = {model:String})`
const WHOLE = `model_version = '' AND variant = '' AND slice_key = ''`
const NEWEST = `SELECT model_id, window_start, window_end FROM cohort_newest_windows WHERE ${OF_MODEL} AND ${WHOLE}`
const IN_NEWEST = `${OF_MODEL} AND ${WHOLE} AND (model_id, window_start, window_end) IN (${NEWEST})`

/**
 * Only the newest windows are read of verdicts and results, so that years of windows cost what a
 * day's do.
 */
const SUMMARIES = `SELECT model_id, n.window_end AS last_window_end, r.windows AS windows,
    a.alarms AS alarms, a.warnings AS warnings, v.incomplete AS incomplete, v.evaluated AS evaluated, v.learning AS learning,
    e.events AS events, d.share AS drift_share, d.features AS features
  FROM (${NEWEST}) AS n
  LEFT JOIN (SELECT model_id, uniqExact(window_end) AS windows FROM window_revisions WHERE ${OF_MODEL} AND ${WHOLE} GROUP BY model_id) AS r USING (model_id)
  LEFT JOIN (SELECT model_id, countIf(severity = 'alarm') AS alarms, countIf(severity = 'warning') AS warnings
      FROM active_alarms WHERE ${OF_MODEL} AND NOT is_snoozed AND ${WHOLE} GROUP BY model_id) AS a USING (model_id)
  LEFT JOIN (SELECT model_id, countIf(verdict = 'incomplete') AS incomplete, countIf(verdict IN ('ok', 'warning', 'alarm')) AS evaluated,
        anyIf(reason, startsWith(reason, 'learning, window ')) AS learning
      FROM verdicts_latest WHERE convention = 'plumbline' AND ${IN_NEWEST} GROUP BY model_id) AS v USING (model_id)
  LEFT JOIN (SELECT model_id, argMax(events, revision) AS events FROM window_revisions WHERE ${IN_NEWEST} GROUP BY model_id) AS e USING (model_id)
  LEFT JOIN (SELECT model_id, argMax(tuple(value), revision).1 AS share, argMax(n_current, revision) AS features
      FROM window_metrics WHERE metric = 'drift_share' AND ${IN_NEWEST} GROUP BY model_id) AS d USING (model_id)
  ORDER BY model_id`

/** One summary for each model with an evaluated window, by id; of one model where one is named. */
export const modelSummaries = (
  db: ClickHouse,
  model = '',
): Promise<(ModelSummary & NewestWindow)[]> => db.query(SUMMARIES, { model })

/**
 * Alarms and warnings of each model that a headline is made from: the first ones of each family.
 */
const MAX_ACTIVE = 200

/** What is active of models as a whole, by model. */
export async function activeResults(
  db: ClickHouse,
  model = '',
): Promise<Map<string, ActiveResult[]>> {
  const rows = await db.query<
    Pick<ActiveResult, 'family' | 'metric' | 'subject' | 'severity' | 'value' | 'reason'> & {
      model_id: string
      baseline_value: number | null
      since: string
    }
  >(
    `SELECT model_id, family, metric, subject, severity, value, baseline_value, reason, toUnixTimestamp64Milli(since) AS since
     FROM active_alarms WHERE ${OF_MODEL} AND NOT is_snoozed AND ${WHOLE}
     ORDER BY model_id, severity, family, value DESC LIMIT ${MAX_ACTIVE} BY model_id`,
    { model },
  )
  return Map.groupBy(
    rows.map(({ baseline_value: baselineValue, since, ...row }) => ({
      ...row,
      baselineValue,
      since: Number(since),
    })),
    ({ model_id: id }) => id,
  )
}

/** When each model's newest event was predicted, epoch milliseconds. */
export async function newestEvents(db: ClickHouse, model = ''): Promise<Map<string, number>> {
  const rows = await db.query<{ model_id: string; newest: string }>(
    `SELECT model_id, toUnixTimestamp64Milli(max(newest)) AS newest FROM watermarks WHERE ${OF_MODEL} GROUP BY model_id`,
    { model },
  )
  return new Map(rows.map(({ model_id: id, newest }) => [id, Number(newest)]))
}

/** Series of active alarms at most; of more, the first by model. */
const MAX_SERIES = 20_000
/** Models whose age is told, at most: those with the newest events. */
const MAX_AGES = 10_000

/**
 * Active alarms and warnings that nobody snoozed, of each model the gravest: of the model as a whole
 * first, alarms before warnings.
 *
 * @param most of each model
 */
export const activeSeries = (db: ClickHouse, most: number): Promise<ActiveSeries[]> =>
  db.query(
    `SELECT model_id, model_version, variant, family, subject, metric, severity,
       if(slice_key = '', '', concat(slice_key, ':', slice_value)) AS slice
     FROM active_alarms WHERE NOT is_snoozed
     ORDER BY model_id, NOT (${WHOLE}), severity, indexOf({gravity:Array(String)}, family), metric, subject, model_version, variant, slice
     LIMIT {most:UInt32} BY model_id LIMIT ${MAX_SERIES}`,
    { most, gravity: FAMILIES_BY_GRAVITY },
  )

/** How many alarms and warnings of each model as a whole are active that nobody snoozed. */
export const activeCounts = (db: ClickHouse): Promise<ActiveCount[]> =>
  db.query(
    `SELECT model_id, severity, count() AS n FROM active_alarms
     WHERE NOT is_snoozed AND ${WHOLE} GROUP BY model_id, severity ORDER BY model_id, severity LIMIT ${MAX_SERIES}`,
  )

/** How old the newest event and the newest evaluated window of each model are. */
export async function modelAges(db: ClickHouse): Promise<ModelAge[]> {
  const rows = await db.query<{ model_id: string; event: string; window: string }>(
    `SELECT model_id, toUnixTimestamp64Milli(e.newest_event) AS event, toUnixTimestamp64Milli(w.newest_window) AS window
     FROM (SELECT model_id, max(newest) AS newest_event FROM watermarks GROUP BY model_id ORDER BY newest_event DESC LIMIT ${MAX_AGES}) AS e
     LEFT JOIN (SELECT model_id, window_end AS newest_window FROM cohort_newest_windows WHERE ${WHOLE}) AS w USING (model_id)`,
  )
  const known = (ms: string) => (Number(ms) > 0 ? Number(ms) : undefined)
  return rows.map(({ model_id: modelId, event, window }) => ({
    modelId,
    newestEvent: known(event),
    newestWindow: known(window),
  }))
}
