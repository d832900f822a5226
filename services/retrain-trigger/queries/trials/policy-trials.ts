/** What a trial of a policy reads: windows, what had come by their ends, and how the model did. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { TriedWindow } from '../../decide/tried-policy.ts'

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
 * Reads how many labels and predictions of a model had been made by each of these window ends, in
 * event time.
 *
 * @param ends epoch milliseconds, ascending
 */
export async function readTriedWindows(
  db: ClickHouse,
  modelId: string,
  ends: readonly number[],
): Promise<TriedWindow[]> {
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
      `SELECT toInt64(toUnixTimestamp(step)) * 1000 AS at, events AS n FROM event_counts WHERE model_id = {model:String} AND NOT shadow`,
      { modelId, ends },
    ),
  ])
  return ends.map((windowEnd, i) => ({
    windowEnd,
    labels: labels[i]!,
    predictions: predictions[i]!,
  }))
}

/** For each end how much of `n` lies before it; the place of a row is found by halves. */
async function cumulative(
  db: ClickHouse,
  counted: string,
  { modelId, ends }: { modelId: string; ends: readonly number[] },
): Promise<number[]> {
  const rows = await db.query<{ reached: string; n: string }>(
    `SELECT roundDown(at, {reached:Array(Int64)}) AS reached, sum(n) AS n FROM (${counted}) WHERE at < {last:Int64} GROUP BY reached`,
    { model: modelId, reached: [0, ...ends], last: ends.at(-1)! },
  )
  const byReached = new Map(rows.map(({ reached, n }) => [Number(reached), Number(n)]))
  let sum = 0
  return ends.map((_, i) => (sum += byReached.get(i === 0 ? 0 : ends[i - 1]!) ?? 0))
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

/** A verdict of a window as a whole. */
export type WorstVerdict = 'ok' | 'warning' | 'alarm' | 'incomplete' | 'none'
const VERDICTS = new Set<string>(['ok', 'warning', 'alarm', 'incomplete'])

/** Reads the worst verdict of each window of a span as it stands, by the ends of windows. */
export async function readWorst(
  db: ClickHouse,
  { modelId, from, to }: TrialSpan,
): Promise<ReadonlyMap<number, WorstVerdict>> {
  const rows = await db.query<{ end: string; worst: WorstVerdict }>(
    `SELECT toUnixTimestamp64Milli(window_end) AS end, toString(argMax(worst, revision)) AS worst FROM window_revisions
     WHERE ${WHOLE} AND ${WITHIN} GROUP BY window_end`,
    { model: modelId, from, to },
  )
  const known = (worst: WorstVerdict) => (VERDICTS.has(worst) ? worst : 'none')
  return new Map(rows.map(({ end, worst }) => [Number(end), known(worst)]))
}
