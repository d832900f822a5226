/** What the shadow predictions of a candidate come to, beside what was served to the same requests. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { ArmCounts } from '../decide/acceptance.ts'

/** Requests that are counted at most, the newest ones. */
const MAX_REQUESTS = 200_000
/** How far back shadow predictions are looked for from the newest event of the model on. */
const LOOK_BACK_MS = 90 * 86_400_000

type CountsRow = { is_served: boolean | number } & Record<keyof ArmCounts, string | number | null>

/** SQL of the class that was answered: by its name, or by the score and the threshold. */
export const PREDICTED = `coalesce(prediction, if(isNull(score), NULL, multiIf(score >= {threshold:Float64}, {positive:String}, truth != {positive:String}, truth, concat('not ', {positive:String}))))`

const UNITS = `WITH shadowed AS (
    SELECT false AS is_served, request_id, prediction_id, predicted_at, prediction, prediction_number, score, status, latency_ms, time_to_first_token_ms, cost_usd
    FROM predictions WHERE model_id = {model:String} AND model_version = {version:String} AND shadow AND request_id != ''
      AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    ORDER BY predicted_at DESC, prediction_id LIMIT 1 BY request_id LIMIT ${MAX_REQUESTS}),
  served AS (
    SELECT true AS is_served, request_id, prediction_id, predicted_at, prediction, prediction_number, score, status, latency_ms, time_to_first_token_ms, cost_usd
    FROM predictions WHERE model_id = {model:String} AND NOT shadow AND model_version != {version:String}
      AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND request_id IN (SELECT request_id FROM shadowed)
    ORDER BY predicted_at, prediction_id LIMIT 1 BY request_id),
  units AS (SELECT * FROM served UNION ALL SELECT * FROM shadowed WHERE request_id IN (SELECT request_id FROM served)),
  told AS (
    SELECT request_id, argMax(own.label, units.is_served) AS label FROM units INNER JOIN (
      SELECT prediction_id, label FROM outcome_revisions FINAL
      WHERE model_id = {model:String} AND name = 'label' AND isNotNull(label) AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND prediction_id IN (SELECT prediction_id FROM units)) AS own USING (prediction_id)
    GROUP BY request_id)`

/**
 * Counts the requests that a candidate answered as a shadow beside a version that served them: the
 * label of either is the truth of both. Truth counts of requests that are older than the label
 * horizon, so that labels which come early do not choose.
 *
 * @param newest up to where events have come, epoch milliseconds
 * @returns undefined where there is no such request
 */
export async function countCandidate(
  db: ClickHouse,
  model: Model,
  { version, newest }: { version: string; newest: number },
): Promise<{ candidate: ArmCounts; current: ArmCounts } | undefined> {
  const isRegression = model.task === 'regression'
  const isBinary = !isRegression && (model.task ?? 'binary') === 'binary'
  const rows = await db.query<CountsRow>(
    `${UNITS}
     SELECT is_served, count() AS events, countIf(isNotNull(correct)) AS labelled, countIf(correct = 1) AS correct,
       countIf(is_positive AND truth = {positive:String}) AS tp, countIf(is_positive AND truth != {positive:String}) AS fp,
       countIf(is_positive = 0 AND truth = {positive:String}) AS fn,
       countIf(isNotNull(error)) AS numbers, sum(ifNull(abs(error), 0)) AS absErrors, sum(ifNull(pow(error, 2), 0)) AS squaredErrors,
       sum(if(isNull(error), 0, truth_number)) AS labelSum, sum(if(isNull(error), 0, pow(truth_number, 2))) AS labelSquares,
       countIf(isNotNull(p)) AS scored, sumIf(-log(least(greatest(assumeNotNull(p), 1e-15), 1 - 1e-15)), isNotNull(p)) AS logLoss, sumIf(pow(1 - assumeNotNull(p), 2), isNotNull(p)) AS brier,
       if(uniqExactIf(truth, isNotNull(p)) < 2, NULL, arrayAUC(groupArrayIf(assumeNotNull(score), isNotNull(p)), groupArrayIf(toUInt8(truth = {positive:String}), isNotNull(p)))) AS auc,
       countIf(status = 'error') AS failed, count(latency_ms) AS latencies,
       quantileExact(0.5)(latency_ms) AS p50, quantileExact(0.95)(latency_ms) AS p95, quantileExact(0.99)(latency_ms) AS p99,
       count(time_to_first_token_ms) AS firstTokens, quantileExact(0.5)(time_to_first_token_ms) AS first50,
       quantileExact(0.95)(time_to_first_token_ms) AS first95, quantileExact(0.99)(time_to_first_token_ms) AS first99,
       count(cost_usd) AS costs, ifNull(sum(cost_usd), 0) AS costSum
     FROM (
       SELECT *, ${PREDICTED} AS predicted,
         if({is_regression:Bool} OR isNull(truth), NULL, toUInt8(predicted = truth)) AS correct,
         if({is_binary:Bool} AND isNotNull(truth), toUInt8(predicted = {positive:String}), NULL) AS is_positive,
         if({is_regression:Bool}, prediction_number - truth_number, NULL) AS error,
         if({has_probabilities:Bool} AND isNotNull(truth) AND score >= -1e-6 AND score <= 1 + 1e-6, if(truth = {positive:String}, score, 1 - score), NULL) AS p
       FROM (
         SELECT units.*, if(predicted_at < fromUnixTimestamp64Milli({truth_until:Int64}, 'UTC'),
             if(told.label != '', CAST(told.label, 'Nullable(String)'), if({absent:String} = 'unknown', NULL, {absent:String})), NULL) AS truth,
           toFloat64OrNull(truth) AS truth_number
         FROM units LEFT JOIN (SELECT request_id, ifNull(label, '') AS label FROM told) AS told USING (request_id)))
     GROUP BY is_served`,
    {
      model: model.modelId,
      version,
      from: Math.max(0, newest - LOOK_BACK_MS),
      truth_until: truthUntil(model, newest),
      positive: model.positiveClass,
      threshold: model.threshold,
      absent: model.labels.absent_means,
      is_regression: isRegression,
      is_binary: isBinary,
      has_probabilities: isBinary && model.scoreKind === 'probability',
    },
  )
  const [served, shadowed] = [true, false].map((is) => rows.find((row) => !!row.is_served === is))
  return served && shadowed && { candidate: armOf(shadowed), current: armOf(served) }
}

/** The newest event itself is in. */
const truthUntil = ({ labels }: Model, newest: number) => newest + 1 - durationMs(labels.horizon)

const NULLABLE = new Set(['auc', 'p50', 'p95', 'p99', 'first50', 'first95', 'first99'])

function armOf({ is_served: _arm, ...row }: CountsRow): ArmCounts {
  const numbers = Object.entries(row).map(([name, value]) => {
    const number = value === null ? NaN : Number(value)
    return [name, NULLABLE.has(name) && !Number.isFinite(number) ? null : number]
  })
  return Object.fromEntries(numbers) as ArmCounts
}
