/** Events that were kept of windows, and those that may be. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { ALL, paramsOf, sqlTime, within } from '../data/cohort.ts'
import type { Candidate } from '../evaluate/expectations/unusual.ts'

/** Events of some spans that have features, at most `most`, drawn by their ids; without shadows. */
export const featureRows = (
  db: ClickHouse,
  { modelId, spans, most }: { modelId: string; spans: readonly Window[]; most: number },
): Promise<Candidate[]> =>
  db.query<Candidate>(
    `SELECT prediction_id AS predictionId, toString(model_version) AS modelVersion, toString(predicted_at) AS predictedAt, features FROM predictions
     WHERE model_id = {model:String} AND ${within('predicted_at')} AND NOT shadow AND notEmpty(features)
     ORDER BY sipHash64(prediction_id), prediction_id LIMIT {most:UInt32}`,
    { ...paramsOf(modelId, spans, ALL), most },
  )

/** A row of `window_examples`, without what its question gives. */
export interface WindowExample {
  window_start: string
  window_end: string
  kind: 'expectation' | 'unusual' | 'novel'
  subject: string
  prediction_id: string
  model_version: string
  predicted_at: string
  score: number | null
  detail: string
}

/** Which examples of a model are asked for; '' means all. */
export interface ExamplesQuestion {
  modelId: string
  from: string
  to: string
  kind: string
  subject: string
  most: number
}

/** The examples that stand of the windows in a span, the newest window first. */
export const windowExamples = (
  db: ClickHouse,
  { modelId, ...asked }: ExamplesQuestion,
): Promise<WindowExample[]> =>
  db.query<WindowExample>(
    `SELECT window_start, window_end, kind, subject, prediction_id, model_version, predicted_at, score, detail
     FROM window_examples
     WHERE model_id = {model:String}
       AND ({from:String} = '' OR window_end > parseDateTime64BestEffortOrZero({from:String}, 3, 'UTC'))
       AND ({to:String} = '' OR window_start < parseDateTime64BestEffortOrZero({to:String}, 3, 'UTC'))
       AND kind != '' AND ({kind:String} = '' OR kind = {kind:String}) AND ({subject:String} = '' OR subject = {subject:String})
       AND (window_start, window_end, revision) IN (SELECT window_start, window_end, max(revision) FROM window_examples WHERE model_id = {model:String} GROUP BY window_start, window_end)
     ORDER BY window_start DESC, window_end DESC, kind, subject, rank LIMIT {most:UInt32}`,
    { model: modelId, ...asked },
  )

/** Traces of the predictions of examples, by prediction id; those without one are left out. */
export async function tracesOf(
  db: ClickHouse,
  { modelId, of }: { modelId: string; of: readonly WindowExample[] },
): Promise<ReadonlyMap<string, string>> {
  if (of.length === 0) return new Map()
  const rows = await db.query<{ id: string; trace: string }>(
    `SELECT prediction_id AS id, any(trace_id) AS trace FROM predictions
     WHERE model_id = {model:String} AND prediction_id IN {ids:Array(String)} AND predicted_at IN {times:Array(DateTime64(3, 'UTC'))} AND trace_id != ''
     GROUP BY id`,
    {
      model: modelId,
      ids: of.map((example) => example.prediction_id),
      times: of.map((example) => sqlTime(Date.parse(example.predicted_at))),
    },
  )
  return new Map(rows.map(({ id, trace }) => [id, trace]))
}
