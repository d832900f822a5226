/**
 * Predictions that are drawn from the closed hours of a model's stream: every one whose hash lies
 * below its hour's inclusion probability. All draws go by one hash, so that the smaller draw is part
 * of the larger: what judges are asked about, people are, too.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'

/** A prediction with the probability in (0, 1] with which it was drawn. */
export interface DrawnPrediction {
  predictionId: string
  inclusionProbability: number
}

/** How much is drawn of which hours. */
export interface Draw {
  modelId: string
  /** How late events may come: an hour is closed once the newest event is later by that much. */
  latenessMs: number
  /** Greatest share of an hour's predictions. */
  share: number
  /** About how many of an hour are drawn at most. */
  perHour: number
  /** Most that are read: far more than is ever drawn, since a cut would make probabilities wrong. */
  limit: number
}

const HOUR_MS = 3_600_000
/** How far back an hour may lie and still be drawn from. */
const LOOK_BACK_HOURS = 24

const OF_HOURS = `model_id = {model:String} AND NOT shadow AND step >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND step < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`

/** The end of the newest closed hour, epoch milliseconds; 0 where there is none. */
export async function closedUntil(
  db: ClickHouse,
  { modelId, latenessMs }: Pick<Draw, 'modelId' | 'latenessMs'>,
): Promise<number> {
  const [mark] = await db.query<{ newest: string }>(
    'SELECT toUnixTimestamp64Milli(max(newest)) AS newest FROM watermarks WHERE model_id = {model:String}',
    { model: modelId },
  )
  const closed = Math.floor((Number(mark?.newest ?? 0) - latenessMs) / HOUR_MS) * HOUR_MS
  return Math.max(0, closed)
}

/** How many events lie in the hours that a draw looks at; another number means another draw. */
export async function eventsBefore(
  db: ClickHouse,
  modelId: string,
  closed: number,
): Promise<number> {
  const [row] = await db.query<{ events: string }>(
    `SELECT sum(events) AS events FROM event_counts WHERE ${OF_HOURS}`,
    { model: modelId, from: closed - LOOK_BACK_HOURS * HOUR_MS, to: closed },
  )
  return Number(row?.events ?? 0)
}

/** Draws from the hours of the last day before `closed`; reads only. */
export async function drawnPredictions(
  db: ClickHouse,
  { modelId, share, perHour, limit }: Draw,
  closed: number,
): Promise<DrawnPrediction[]> {
  if (closed <= 0) return []
  const rows = await db.query<{ prediction_id: string; pi: number }>(
    `WITH hours AS (
       SELECT toStartOfHour(step) AS hour, least({share:Float64}, {budget:Float64} / sum(events)) AS pi FROM event_counts
       WHERE ${OF_HOURS} GROUP BY hour)
     SELECT p.prediction_id AS prediction_id, h.pi AS pi
     FROM (SELECT prediction_id, toStartOfHour(predicted_at) AS hour FROM predictions
           WHERE model_id = {model:String} AND NOT shadow AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND predicted_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')) AS p
     INNER JOIN hours AS h ON h.hour = p.hour
     WHERE sipHash64('review', prediction_id) / 18446744073709551616 < pi LIMIT {limit:UInt32}`,
    {
      model: modelId,
      share,
      budget: perHour,
      from: closed - LOOK_BACK_HOURS * HOUR_MS,
      to: closed,
      limit,
    },
  )
  return rows.map((row) => ({ predictionId: row.prediction_id, inclusionProbability: row.pi }))
}
