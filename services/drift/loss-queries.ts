/** Single predictions of a regression, from raw rows, with their truth where it is known. */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import type { Model } from '../../lib/models.ts'
import type { Window } from '../../lib/windows.ts'
import { MOST_GUESSES, type Guess } from './evaluate-losses.ts'
import { predictionScope, within, type Combination } from './scope.ts'
import { truthParams, truthSource } from './truth-source.ts'

export const lossQueries = (db: ClickHouse) => ({
  /**
   * Drawn by their ids.
   *
   * @param labelled whether those with a truth alone are drawn
   */
  guesses: (
    model: Model,
    spans: readonly Window[],
    c: Combination,
    labelled: boolean,
  ): Promise<Guess[]> => {
    const truth = truthSource(
      { predictions: 'predictions', outcomes: 'outcome_revisions FINAL' },
      model,
      c,
    )
    return db.query<Guess>(
      `SELECT features, prediction, truth.loss AS loss FROM (
         SELECT prediction_id, features, assumeNotNull(prediction_number) AS prediction FROM predictions
         WHERE model_id = {model:String} AND ${within('predicted_at')}${predictionScope(c)} AND isNotNull(prediction_number)
           ${labelled ? `AND prediction_id IN (SELECT prediction_id FROM ${truth} WHERE isNotNull(error))` : ''}
         ORDER BY sipHash64(prediction_id) LIMIT ${MOST_GUESSES}) AS own
       LEFT JOIN (SELECT prediction_id, abs(error) AS loss FROM ${truth}) AS truth USING (prediction_id)`,
      truthParams(model, spans, c, 0),
    )
  },
})
