/** What is read from ClickHouse of a model whose run was promoted. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Trigger } from '../../../schemas/http/runs/run-outcomes.ts'
import type { WatchedWindow } from '../decide/repair.ts'

/** Windows of one metric that are read at most. */
const MAX_WINDOWS = 200

/** Which windows of a trigger's metric are asked for; times are epoch milliseconds. */
export interface WatchedQuestion {
  modelId: string
  trigger: Trigger
  /** Version in place of the trigger's, where it has one. */
  version: string
  /** The name of the baseline. */
  baseline: string
  /** Bounds of the ends of windows, both included. */
  endFrom: number
  endTo: number
  /** Windows that begin earlier are left out. */
  startFrom: number
}

interface WatchedRow {
  windowStart: string
  windowEnd: string
  value: number
  ciLow: number | null
  ciHigh: number | null
  ciLevel: number | null
  verdict: string
}

/** Reads complete windows that have a value of the metric, by their ends, the earliest first. */
export async function readWatched(
  db: ClickHouse,
  { modelId, trigger, version, baseline, endFrom, endTo, startFrom }: WatchedQuestion,
): Promise<WatchedWindow[]> {
  const { family, metric, subject, slice } = trigger
  const rows = await db.query<WatchedRow>(
    `SELECT toUnixTimestamp64Milli(window_start) AS windowStart, toUnixTimestamp64Milli(window_end) AS windowEnd, value,
       ci_low AS ciLow, ci_high AS ciHigh, ci_level AS ciLevel, verdict
     FROM (
       SELECT * FROM window_metrics_latest
       WHERE model_id = {model:String} AND model_version = {version:String} AND variant = '' AND convention = 'plumbline'
         AND family = {family:String} AND metric = {metric:String} AND subject = {subject:String}
         AND slice_key = {key:String} AND slice_value = {slice:String}
         AND (reference IN ('', {baseline:String}) OR metric IN ('skew', 'missing_skew'))
         AND toUnixTimestamp64Milli(window_end) BETWEEN {from:Int64} AND {to:Int64}
         AND toUnixTimestamp64Milli(window_start) >= {start:Int64} AND isNotNull(value) AND verdict != 'incomplete'
       ORDER BY method = 'observed' DESC, reference != '' DESC, method LIMIT 1 BY window_start, window_end)
     ORDER BY window_end, window_start LIMIT ${MAX_WINDOWS}`,
    {
      model: modelId,
      version,
      family,
      metric,
      subject,
      key: slice?.key ?? '',
      slice: slice?.value ?? '',
      baseline,
      from: endFrom,
      to: endTo,
      start: startFrom,
    },
  )
  return rows.map((row) => ({
    ...row,
    windowStart: Number(row.windowStart),
    windowEnd: Number(row.windowEnd),
  }))
}

/** Up to where events of a model have come, epoch milliseconds; undefined where none has. */
export async function readStreamTime(db: ClickHouse, modelId: string): Promise<number | undefined> {
  const [row] = await db.query<{ at: string }>(
    'SELECT toUnixTimestamp64Milli(max(newest)) AS at FROM watermarks WHERE model_id = {model:String}',
    { model: modelId },
  )
  const at = Number(row?.at ?? 0)
  return at > 0 ? at : undefined
}

/**
 * The time bucket after the one in which a version was served first, epoch milliseconds; undefined
 * where it has not been.
 */
export async function readServedFrom(
  db: ClickHouse,
  modelId: string,
  version: string,
): Promise<number | undefined> {
  const [row] = await db.query<{ n: string; at: string }>(
    `SELECT count() AS n, toUnixTimestamp(min(step)) AS at FROM event_counts
     WHERE model_id = {model:String} AND model_version = {version:String} AND NOT shadow`,
    { model: modelId, version },
  )
  return Number(row?.n ?? 0) > 0 ? Number(row!.at) * 1000 : undefined
}
