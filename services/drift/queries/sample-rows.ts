/** Single predictions, drawn by their ids: for what learns from rows. */
import type { Drawn, Guess } from '../data/reference.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { MOST_GUESSES } from '../evaluate/estimated-loss.ts'
import { MOST_SCORED, type Scored } from '../evaluate/score-attribution.ts'
import { ALL, paramsOf, predictionScope, within, type Combination } from '../data/cohort.ts'
import { AS_STORED, truthParams, truthSource } from './labelled-outcomes.ts'

const rowsWhere = (c: Combination) =>
  `WHERE model_id = {model:String} AND ${within('predicted_at')}${predictionScope(c)}`

export const rowQueries = (db: ClickHouse) => ({
  /** Of a window, those with features or an embedding. */
  rows: (modelId: string, window: Window, most: number): Promise<Drawn[]> =>
    db.query<Drawn>(
      `SELECT features, embedding FROM predictions ${rowsWhere(ALL)} AND (notEmpty(features) OR notEmpty(embedding)) ORDER BY sipHash64(prediction_id) LIMIT {most:UInt32}`,
      { ...paramsOf(modelId, [window], ALL), most },
    ),

  /** With a score, or the number that was predicted. */
  scored: (modelId: string, spans: readonly Window[], c: Combination): Promise<Scored[]> =>
    db.query<Scored>(
      `SELECT features, assumeNotNull(coalesce(score, prediction_number)) AS score FROM predictions ${rowsWhere(c)} AND isNotNull(coalesce(predictions.score, prediction_number))
       ORDER BY sipHash64(prediction_id) LIMIT ${MOST_SCORED}`,
      paramsOf(modelId, spans, c),
    ),

  /**
   * Of a regression, with their truth where it is known.
   *
   * @param labelled whether those with a truth alone are drawn
   */
  guesses: (
    model: Model,
    spans: readonly Window[],
    c: Combination,
    labelled: boolean,
  ): Promise<Guess[]> => {
    const truth = truthSource(AS_STORED, model, c)
    return db.query<Guess>(
      `SELECT features, prediction, truth.loss AS loss FROM (
         SELECT prediction_id, features, assumeNotNull(prediction_number) AS prediction FROM predictions
         ${rowsWhere(c)} AND isNotNull(prediction_number)
           ${labelled ? `AND prediction_id IN (SELECT prediction_id FROM ${truth} WHERE isNotNull(error))` : ''}
         ORDER BY sipHash64(prediction_id) LIMIT ${MOST_GUESSES}) AS own
       LEFT JOIN (SELECT prediction_id, abs(error) AS loss FROM ${truth}) AS truth USING (prediction_id)`,
      truthParams(model, spans, c, 0),
    )
  },
})
