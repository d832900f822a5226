/** What a trial of a policy reads: windows, what had come by their ends, and how the model did. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { TriedWindow } from '../decide/tried-policy.ts'

/** A span of a model's history; times are epoch milliseconds, both ends of windows included. */
export interface TrialSpan {
  modelId: string
  from: number
  to: number
}

/** How the model did in one window. */
export interface Performance {
  windowEnd: number
  metric: string
  value: number
}

/** The first of these that a model has tells how it did. */
const PERFORMANCE = ['accuracy', 'macro_f1', 'mae', 'rmse', 'ndcg_at_k', 'estimated_accuracy']

const WHOLE = `model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''`
const WITHIN = `toUnixTimestamp64Milli(window_end) BETWEEN {from:Int64} AND {to:Int64}`

/**
 * Reads the evaluated windows of a span by their ends, with how many labels and predictions had been
 * made by then, in event time.
 *
 * @param most windows, the newest of the span
 */
export async function readTriedWindows(
  db: ClickHouse,
  { modelId, from, to }: TrialSpan,
  most: number,
): Promise<TriedWindow[]> {
  const rows = await db.query<{ end: string }>(
    `SELECT DISTINCT toUnixTimestamp64Milli(window_end) AS end FROM window_revisions WHERE ${WHOLE} AND ${WITHIN}
     ORDER BY end DESC LIMIT {most:UInt32}`,
    { model: modelId, from, to, most },
  )
  const ends = rows.map(({ end }) => Number(end)).toReversed()
  if (ends.length === 0) return []
  const [labels, predictions] = await Promise.all([
    cumulative(
      db,
      `SELECT toUnixTimestamp64Milli(labelled_at) AS at, 1 AS n FROM outcome_revisions FINAL
       WHERE model_id = {model:String} AND name = 'label' AND isNotNull(label)`,
      { modelId, ends },
    ),
    cumulative(
      db,
      `SELECT toUnixTimestamp(step) * 1000 AS at, events AS n FROM event_counts WHERE model_id = {model:String} AND NOT shadow`,
      { modelId, ends },
    ),
  ])
  return ends.map((windowEnd, i) => ({
    windowEnd,
    labels: labels[i]!,
    predictions: predictions[i]!,
  }))
}

/** For each end how much of `n` lies before it. */
async function cumulative(
  db: ClickHouse,
  counted: string,
  { modelId, ends }: { modelId: string; ends: readonly number[] },
): Promise<number[]> {
  const rows = await db.query<{ place: string; n: string }>(
    `SELECT arrayFirstIndex(e -> at < e, {ends:Array(Int64)}) AS place, sum(n) AS n FROM (${counted}) GROUP BY place`,
    { model: modelId, ends },
  )
  const byPlace = new Map(rows.map(({ place, n }) => [Number(place), Number(n)]))
  let sum = 0
  return ends.map((_, i) => (sum += byPlace.get(i + 1) ?? 0))
}

/** Reads how the model did in the windows of a span, by their ends; empty where nothing tells. */
export async function readPerformance(
  db: ClickHouse,
  { modelId, from, to }: TrialSpan,
): Promise<Performance[]> {
  const rows = await db.query<{ end: string; metric: string; value: number }>(
    `SELECT toUnixTimestamp64Milli(window_end) AS end, metric, value FROM window_metrics_latest
     WHERE ${WHOLE} AND ${WITHIN} AND family = 'performance' AND subject = '' AND convention = 'plumbline'
       AND metric IN {metrics:Array(String)} AND isNotNull(value)
     ORDER BY window_end, method = 'observed' DESC, reference != '' DESC, method LIMIT 1 BY window_end, metric`,
    { model: modelId, from, to, metrics: PERFORMANCE },
  )
  const metric = PERFORMANCE.find((name) => rows.some((row) => row.metric === name))
  return rows
    .filter((row) => row.metric === metric)
    .map(({ end, value }) => ({ windowEnd: Number(end), metric: metric!, value }))
}
