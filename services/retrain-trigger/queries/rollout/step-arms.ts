/** What both versions of a rollout have served since a step: units with their truth, and counts. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { durationMs } from '../../../../lib/runtime/durations.ts'
import type { Arm } from '../../../../lib/stats/canary/compare-arms.ts'
import { armOf, type StoredArm } from '../../../../lib/stats/canary/stored-arm.ts'
import { PREDICTED } from '../candidate-counts.ts'

/** Units of a version that are read; those that came first. */
const MAX_UNITS = 200_000

/** Which versions are compared; times are epoch milliseconds. */
export interface StepQuestion {
  current: string
  candidate: string
  /** When the step was served, in stream time. */
  from: number
  /** How far events have come. */
  newest: number
}

interface ArmRow extends StoredArm {
  arm: string
  labelled: string
}

/** One version since the step. */
export type StepArm = Arm & { labelled: number }

/**
 * Reads both versions since a step. A unit is a subject, by its first prediction since then; one
 * without a subject is a unit of its own, and subjects that both versions served belong to neither.
 * Truth counts of what is older than the label horizon, so that labels which come early do not choose.
 */
export async function readStepArms(
  db: ClickHouse,
  model: Model,
  { current, candidate, from, newest }: StepQuestion,
): Promise<{ current: StepArm; candidate: StepArm }> {
  const worth = model.businessValue
  const rows = await db.query<ArmRow>(
    `SELECT arm, count() AS units, countIf(isNotNull(truth)) AS labelled, groupArray(correct) AS correct, groupArray(error) AS errors,
       groupArray(worth) AS worth, groupArray(status = 'error') AS failed, groupArray(latency_ms) AS latencies, groupArray(time_to_first_token_ms) AS firstTokens, groupArray(cost_usd) AS costs
     FROM (
       SELECT *, ${PREDICTED} AS predicted, truth = {positive:String} AS positive,
         if({is_regression:Bool} OR isNull(truth), NULL, toInt8(predicted = truth)) AS correct,
         if({is_regression:Bool}, abs(prediction_number - toFloat64OrNull(truth)), NULL) AS error,
         if(isNull(correct) OR NOT {has_worth:Bool}, NULL, multiIf(predicted = {positive:String}, if(positive, {tp:Float64}, {fp:Float64}), positive, {fn:Float64}, {tn:Float64})) AS worth
       FROM (
         SELECT own.*, if(predicted_at < fromUnixTimestamp64Milli({truth_until:Int64}, 'UTC'),
             if(told.label != '', CAST(told.label, 'Nullable(String)'), if({absent:String} = 'unknown', NULL, {absent:String})), NULL) AS truth
         FROM (
           SELECT model_version AS arm, prediction_id, predicted_at, prediction, prediction_number, score, status, latency_ms, time_to_first_token_ms, cost_usd,
             if(subject_id = '', concat('\\n', prediction_id), subject_id) AS unit, uniqExact(model_version) OVER (PARTITION BY unit) AS arms_seen
           FROM predictions WHERE model_id = {model:String} AND model_version IN {arms:Array(String)} AND NOT shadow
             AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
           ORDER BY predicted_at, prediction_id LIMIT 1 BY unit) AS own
         LEFT JOIN (
           SELECT prediction_id, ifNull(label, '') AS label FROM outcome_revisions FINAL
           WHERE model_id = {model:String} AND name = 'label' AND isNotNull(label) AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')) AS told USING (prediction_id)
         WHERE arms_seen = 1 ORDER BY predicted_at, prediction_id LIMIT ${MAX_UNITS} BY arm))
     GROUP BY arm`,
    {
      model: model.modelId,
      arms: [current, candidate],
      from,
      truth_until: newest + 1 - durationMs(model.labels.horizon),
      positive: model.positiveClass,
      threshold: model.threshold,
      absent: model.labels.absent_means,
      is_regression: model.task === 'regression',
      has_worth: worth !== undefined,
      tp: worth?.tp ?? 0,
      fp: worth?.fp ?? 0,
      fn: worth?.fn ?? 0,
      tn: worth?.tn ?? 0,
    },
  )
  const [a, b] = [current, candidate].map((name) => stepArmOf(rows.find(({ arm }) => arm === name)))
  return { current: a!, candidate: b! }
}

const stepArmOf = (row: ArmRow | undefined): StepArm => ({
  ...armOf(row),
  labelled: Number(row?.labelled ?? 0),
})

/** Versions that are counted at most, those with the most events. */
const MAX_VERSIONS = 100

/** Counts what each version has served since an instant, epoch milliseconds; shadows left out. */
export async function countServed(
  db: ClickHouse,
  modelId: string,
  from: number,
): Promise<Map<string, number>> {
  const rows = await db.query<{ version: string; n: string }>(
    `SELECT model_version AS version, count() AS n FROM predictions
     WHERE model_id = {model:String} AND NOT shadow AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
     GROUP BY version ORDER BY n DESC LIMIT ${MAX_VERSIONS}`,
    { model: modelId, from },
  )
  return new Map(rows.map(({ version, n }) => [version, Number(n)]))
}
