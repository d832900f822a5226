/** What the overview and a model's headline are made of, read for all models at once or for one. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { ModelAge } from '../data/model-age.ts'

/** A model with evaluated windows, and what its newest one tells; 64-bit counts are strings. */
export interface ModelSummary {
  model_id: string
  windows: string
  last_window_end: string | null
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
    v.incomplete AS incomplete, v.evaluated AS evaluated, v.learning AS learning,
    e.events AS events, d.share AS drift_share, d.features AS features
  FROM (${NEWEST}) AS n
  LEFT JOIN (SELECT model_id, uniqExact(window_end) AS windows FROM window_revisions WHERE ${OF_MODEL} AND ${WHOLE} GROUP BY model_id) AS r USING (model_id)
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

/** When each model's newest event was predicted, epoch milliseconds. */
export async function newestEvents(db: ClickHouse, model = ''): Promise<Map<string, number>> {
  const rows = await db.query<{ model_id: string; newest: string }>(
    `SELECT model_id, toUnixTimestamp64Milli(max(newest)) AS newest FROM watermarks WHERE ${OF_MODEL} GROUP BY model_id`,
    { model },
  )
  return new Map(rows.map(({ model_id: id, newest }) => [id, Number(newest)]))
}

/** Models whose age is told, at most: those with the newest events. */
const MAX_AGES = 10_000

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
