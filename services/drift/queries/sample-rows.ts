/** Single predictions, drawn by their ids: for what learns from rows. */
import type { Drawn, ScoredRow } from '../data/reference.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { MAX_SCORED_ROWS } from '../evaluate/estimates/estimated-loss.ts'
import { MAX_SCORED, type Scored } from '../evaluate/score-attribution.ts'
import { ALL, paramsOf, predictionScope, within, type Cohort } from '../data/cohort.ts'
import { AS_STORED, truthParams, truthSource } from './outcomes/labelled-outcomes.ts'

const rowsWhere = (c: Cohort) =>
  `WHERE model_id = {model:String} AND ${within('predicted_at')}${predictionScope(c)}`

/** Rows of a window, at most `most`, those with features or an embedding. */
export const sampleRows = (
  db: ClickHouse,
  { modelId, window, most }: { modelId: string; window: Window; most: number },
): Promise<Drawn[]> =>
  db.query<Drawn>(
    `SELECT prediction_id AS predictionId, toString(model_version) AS modelVersion, toString(predicted_at) AS predictedAt, features, embedding FROM predictions ${rowsWhere(ALL)} AND (notEmpty(features) OR notEmpty(embedding)) ORDER BY sipHash64(prediction_id) LIMIT {most:UInt32}`,
    { ...paramsOf(modelId, [window], ALL), most },
  )

/** Rows of some spans with a score, or with the number that was predicted. */
export const scoredRows = (
  db: ClickHouse,
  { modelId, spans, c }: { modelId: string; spans: readonly Window[]; c: Cohort },
): Promise<Scored[]> =>
  db.query<Scored>(
    `SELECT features, assumeNotNull(coalesce(score, prediction_number)) AS score FROM predictions ${rowsWhere(c)} AND isNotNull(coalesce(predictions.score, prediction_number))
     ORDER BY sipHash64(prediction_id) LIMIT ${MAX_SCORED}`,
    paramsOf(modelId, spans, c),
  )

/**
 * Rows of a regression in some spans, with their ground truth where it is known.
 *
 * @param labelled whether those with a ground truth alone are drawn
 */
export function estimateRows(
  db: ClickHouse,
  { model, spans, c }: { model: Model; spans: readonly Window[]; c: Cohort },
  labelled: boolean,
): Promise<ScoredRow[]> {
  const truth = truthSource(AS_STORED, model, c)
  return db.query<ScoredRow>(
    `SELECT features, prediction, truth.loss AS loss FROM (
       SELECT prediction_id, features, assumeNotNull(prediction_number) AS prediction FROM predictions
       ${rowsWhere(c)} AND isNotNull(prediction_number)
         ${labelled ? `AND prediction_id IN (SELECT prediction_id FROM ${truth} WHERE isNotNull(error))` : ''}
       ORDER BY sipHash64(prediction_id) LIMIT ${MAX_SCORED_ROWS}) AS own
     LEFT JOIN (SELECT prediction_id, abs(error) AS loss FROM ${truth}) AS truth USING (prediction_id)`,
    truthParams(model, spans, c, 0),
  )
}
