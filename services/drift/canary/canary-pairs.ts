/**
 * Requests that both arms answered, as champion and shadow do: the same cases, of which the truth
 * is the same.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Arm } from '../../../lib/stats/canary/compare-arms.ts'
import {
  bothThere,
  canaryParams,
  countedBy,
  lookTimes,
  MAX_UNITS,
  reachedBy,
  WORTH,
  type Arms,
  type ByLook,
  type CanaryQuestion,
} from './canary-queries.ts'
import {
  AS_STORED,
  EVERYTHING,
  PREDICTED,
  truthSource,
} from '../queries/outcomes/labelled-outcomes.ts'

type Pairs = [champion: number, candidate: number][]
interface PairRow extends ByLook {
  units: string
  correct: Pairs
  errors: Pairs
  worth: Pairs
  failed: Pairs
  latencies: Pairs
  firstTokens: Pairs
  costs: Pairs
}

const NOTHING_BY: ByLook = {
  units_by: [],
  correct_by: [],
  errors_by: [],
  worth_by: [],
  failed_by: [],
  latencies_by: [],
  firstTokens_by: [],
  costs_by: [],
}

const BY_LOOK = [
  ['units', '1'],
  ['correct', 'notEmpty(correct_pair)'],
  ['errors', 'notEmpty(error_pair)'],
  ['worth', 'notEmpty(worth_pair)'],
  ['failed', 'notEmpty(failed_pair)'],
  ['latencies', 'notEmpty(latency_pair)'],
  ['firstTokens', 'notEmpty(first_token_pair)'],
  ['costs', 'notEmpty(cost_pair)'],
] as const

/**
 * A unit is a `request_id`, by the first prediction of each arm; the label of either is the truth
 * of both, the champion's before the other. A value counts where both have it.
 *
 * @returns undefined where the arms were never there at the same time
 */
export async function readPairs(
  db: ClickHouse,
  model: Model,
  question: CanaryQuestion,
): Promise<Arms | undefined> {
  const { by, champion } = question
  const span = await bothThere(db, model, question)
  if (!span) return undefined
  const truth = truthSource(AS_STORED, model, EVERYTHING)
  const isRegression = model.task === 'regression'
  const bothOf = (column: string) =>
    `if(countIf(isNull(${column})) = 0, [(maxIf(assumeNotNull(${column}), is_champion), maxIf(assumeNotNull(${column}), NOT is_champion))], []) AS ${column}_pair`
  const [row] = await db.query<PairRow>(
    `WITH units AS (
       SELECT ${by} = {champion:String} AS is_champion, request_id, prediction_id, predicted_at, prediction, prediction_number, score, status, latency_ms, time_to_first_token_ms, cost_usd
       FROM predictions WHERE model_id = {model:String} AND ${by} IN {arms:Array(String)} AND request_id != ''
         AND predicted_at >= {from:DateTime64(3, 'UTC')} AND predicted_at < {to:DateTime64(3, 'UTC')}
       ORDER BY predicted_at, prediction_id LIMIT 1 BY is_champion, request_id),
     truths AS (
       SELECT request_id, argMax((label, label_number), is_champion) AS told FROM units
       INNER JOIN (SELECT prediction_id, label, label_number FROM ${truth}) AS truth USING (prediction_id) GROUP BY request_id)
     SELECT count() AS units, groupArrayArray(correct_pair) AS correct, groupArrayArray(error_pair) AS errors, groupArrayArray(worth_pair) AS worth,
       groupArrayArray(failed_pair) AS failed, groupArrayArray(latency_pair) AS latencies, groupArrayArray(first_token_pair) AS firstTokens, groupArrayArray(cost_pair) AS costs,
       ${BY_LOOK.map(([name, condition]) => `${countedBy('at', condition)} AS ${name}_by`).join(', ')}
     FROM (
       SELECT min(predicted_at) AS at, ${['correct', 'error', 'worth', 'failed', 'latency', 'first_token', 'cost'].map(bothOf).join(', ')} FROM (
         SELECT is_champion, request_id, predicted_at, told.1 AS label, ${PREDICTED} AS predicted, label = {positive:String} AS positive,
           ${isRegression ? "CAST(NULL, 'Nullable(UInt8)')" : 'toInt8(predicted = label)'} AS correct,
           ${isRegression ? 'abs(prediction_number - told.2)' : "CAST(NULL, 'Nullable(Float64)')"} AS error,
           if(isNull(label), NULL, ${WORTH}) AS worth, status = 'error' AS failed, latency_ms AS latency, time_to_first_token_ms AS first_token, cost_usd AS cost
         FROM units LEFT JOIN truths USING (request_id))
       GROUP BY request_id HAVING count() = 2 ORDER BY at, request_id LIMIT ${MAX_UNITS})`,
    { ...canaryParams(model, span, question), champion },
  )
  const pairs = row ?? {
    units: '0',
    correct: [],
    errors: [],
    worth: [],
    failed: [],
    latencies: [],
    firstTokens: [],
    costs: [],
    ...NOTHING_BY,
  }
  const armOf = (side: 0 | 1): Arm => {
    const of = (values: Pairs) => values.map((pair) => pair[side])
    return {
      units: Number(pairs.units),
      correct: of(pairs.correct),
      absoluteErrors: of(pairs.errors),
      worth: of(pairs.worth),
      failed: of(pairs.failed),
      latencies: of(pairs.latencies),
      firstTokens: of(pairs.firstTokens),
      costs: of(pairs.costs),
    }
  }
  return {
    champion: armOf(0),
    candidate: armOf(1),
    from: span.start,
    to: span.end,
    crossed: 0,
    looks: lookTimes(span, question.looks).map((at, i) => {
      const reached = reachedBy(pairs, i)
      return { at, champion: reached, candidate: reached }
    }),
  }
}
