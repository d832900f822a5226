/**
 * The units of two arms, from raw rows: predictions of the same days, old enough that their truth
 * is known.
 */
import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import type { Arm } from '../../../lib/stats/canary/compare-arms.ts'
import { armOf, type StoredArm } from '../../../lib/stats/canary/stored-arm.ts'
import { sqlTime } from '../data/cohort.ts'
import {
  AS_STORED,
  EVERYTHING,
  truthParams,
  truthSource,
} from '../queries/outcomes/labelled-outcomes.ts'

/** Which arms are compared, and over which time. */
export interface CanaryQuestion {
  /** The column that tells the arms apart, and what it holds. */
  by: 'model_version' | 'variant'
  champion: string
  candidate: string
  /** Time before which nothing counts, epoch milliseconds. */
  from: number
  /** Up to here all events are thought to have come. */
  completeUntil: number
  /** Interim looks, evenly apart, at which the units so far are counted. */
  looks: number
}

/** The units of both arms, in the days both were served. */
export interface Arms {
  champion: Arm
  candidate: Arm
  /** The days both were there. */
  from: number
  to: number
  /** Subjects that were served by both: they belong to neither. */
  crossed: number
  /** What had come of both by each look, ascending. */
  looks: Look[]
}

/** How many values of each kind an arm had by some time; those of an arm are its first ones. */
export type Reached = Record<
  'units' | 'correct' | 'errors' | 'worth' | 'failed' | 'latencies' | 'firstTokens' | 'costs',
  number
>

/** What had come by one time. */
export interface Look {
  /** Epoch milliseconds. */
  at: number
  champion: Reached
  candidate: Reached
}

/** Units of an arm that are read; those that came first. */
export const MAX_UNITS = 200_000

interface ArmRow extends ByLook, StoredArm {
  arm: string
}

/** Values of each kind that had come by each interim look. */
export type ByLook = Record<`${keyof Reached}_by`, string[]>

/**
 * The days both arms were there, up to where predictions are too young; undefined where there are
 * none.
 */
export async function bothThere(
  db: ClickHouse,
  model: Model,
  { by, champion, candidate, from: notBefore, completeUntil }: CanaryQuestion,
): Promise<Window | undefined> {
  const old = completeUntil - durationMs(model.labels.horizon)
  const bounds = await db.query<{ arm: string; first: string; last: string }>(
    `SELECT ${by} AS arm, toUnixTimestamp64Milli(min(predicted_at)) AS first, toUnixTimestamp64Milli(max(predicted_at)) AS last FROM predictions
     WHERE model_id = {model:String} AND ${by} IN {arms:Array(String)} AND predicted_at >= {from:DateTime64(3, 'UTC')} AND predicted_at < {to:DateTime64(3, 'UTC')} GROUP BY arm`,
    {
      model: model.modelId,
      arms: [champion, candidate],
      from: sqlTime(notBefore),
      to: sqlTime(Math.max(0, old)),
    },
  )
  if (bounds.length < 2) return undefined
  const start = largest(bounds.map(({ first }) => Number(first)))
  const end = Math.min(old, smallest(bounds.map(({ last }) => Number(last))) + 1)
  return start < end ? { start, end } : undefined
}

/**
 * Parameters of the queries over both arms in `span`; worths that the model file does not give are
 * 0.
 */
export const canaryParams = (model: Model, span: Window, question: CanaryQuestion): Params => ({
  ...truthParams(model, [span], EVERYTHING, question.completeUntil),
  arms: [question.champion, question.candidate],
  tp: model.businessValue?.tp ?? 0,
  fp: model.businessValue?.fp ?? 0,
  fn: model.businessValue?.fn ?? 0,
  tn: model.businessValue?.tn ?? 0,
  looks: lookTimes(span, question.looks).map(sqlTime),
})

/** Times evenly apart, the last one the end of the span. */
export const lookTimes = ({ start, end }: Window, looks: number): number[] =>
  Array.from({ length: looks }, (_, i) => Math.round(start + ((i + 1) * (end - start)) / looks))

/** SQL of how many rows with a value had come by each look, from the times and the condition. */
export const countedBy = (at: string, condition: string): string =>
  `sumForEach(arrayMap(t -> toUInt64(${at} < t AND (${condition})), {looks:Array(DateTime64(3, 'UTC'))}))`

/** What a decision was worth, by its class and its truth. */
export const WORTH =
  'if(isNull(predicted), NULL, multiIf(predicted = {positive:String}, if(positive, {tp:Float64}, {fp:Float64}), positive, {fn:Float64}, {tn:Float64}))'

const BY_LOOK = [
  ['units', '1'],
  ['correct', 'isNotNull(correct)'],
  ['errors', 'isNotNull(error)'],
  ['worth', 'isNotNull(worth)'],
  ['failed', 'isNotNull(failed)'],
  ['latencies', 'isNotNull(latency)'],
  ['firstTokens', 'isNotNull(first_token)'],
  ['costs', 'isNotNull(cost)'],
] as const

/**
 * A unit is a subject, by its first prediction; a prediction without a subject is one of its own.
 *
 * @returns undefined where the arms were never there at the same time
 */
export async function readArms(
  db: ClickHouse,
  model: Model,
  question: CanaryQuestion,
): Promise<Arms | undefined> {
  const { by, champion, candidate } = question
  const span = await bothThere(db, model, question)
  if (!span) return undefined
  const params = canaryParams(model, span, question)
  const units = `(SELECT ${by} AS arm, prediction_id, predicted_at, status, latency_ms, time_to_first_token_ms, cost_usd, if(subject_id = '', concat('\\n', prediction_id), subject_id) AS unit,
      uniqExact(${by}) OVER (PARTITION BY unit) AS arms_seen
    FROM predictions WHERE model_id = {model:String} AND ${by} IN {arms:Array(String)} AND predicted_at >= {from:DateTime64(3, 'UTC')} AND predicted_at < {to:DateTime64(3, 'UTC')}
    ORDER BY predicted_at, prediction_id LIMIT 1 BY unit)`
  const isRegression = model.task === 'regression'
  const truth = truthSource(AS_STORED, model, EVERYTHING)
  const rows = await db.query<ArmRow>(
    `SELECT arm, count() AS units,
       groupArray(${MAX_UNITS})(correct) AS correct, groupArray(${MAX_UNITS})(error) AS errors, groupArray(${MAX_UNITS})(worth) AS worth,
       groupArray(${MAX_UNITS})(failed) AS failed, groupArray(${MAX_UNITS})(latency) AS latencies, groupArray(${MAX_UNITS})(first_token) AS firstTokens, groupArray(${MAX_UNITS})(cost) AS costs,
       ${BY_LOOK.map(([name, condition]) => `${countedBy('predicted_at', condition)} AS ${name}_by`).join(', ')}
     FROM (
       SELECT arm, predicted_at, ${isRegression ? "CAST(NULL, 'Nullable(UInt8)')" : 'toInt8(truth.predicted = truth.label)'} AS correct,
         ${isRegression ? 'abs(truth.error)' : "CAST(NULL, 'Nullable(Float64)')"} AS error,
         ${WORTH} AS worth,
         status = 'error' AS failed, latency_ms AS latency, time_to_first_token_ms AS first_token, cost_usd AS cost
       FROM ${units} AS own LEFT JOIN (SELECT prediction_id, predicted, label, positive, error FROM ${truth}) AS truth USING (prediction_id)
       WHERE arms_seen = 1 ORDER BY predicted_at, prediction_id LIMIT ${MAX_UNITS} BY arm)
     GROUP BY arm`,
    params,
  )
  const [crossed] = await db.query<{ n: string }>(
    `SELECT count() AS n FROM ${units} WHERE arms_seen > 1`,
    params,
  )
  const rowOf = (name: string) => rows.find((row) => row.arm === name)
  return {
    champion: armOf(rowOf(champion)),
    candidate: armOf(rowOf(candidate)),
    from: span.start,
    to: span.end,
    crossed: Number(crossed?.n ?? 0),
    looks: lookTimes(span, question.looks).map((at, i) => ({
      at,
      champion: reachedBy(rowOf(champion), i),
      candidate: reachedBy(rowOf(candidate), i),
    })),
  }
}

/** What an arm had by one look; nothing where it has no row. */
export const reachedBy = (row: ByLook | undefined, look: number): Reached => {
  const of = (counts: readonly string[] | undefined) => Number(counts?.[look] ?? 0)
  return {
    units: of(row?.units_by),
    correct: of(row?.correct_by),
    errors: of(row?.errors_by),
    worth: of(row?.worth_by),
    failed: of(row?.failed_by),
    latencies: of(row?.latencies_by),
    firstTokens: of(row?.firstTokens_by),
    costs: of(row?.costs_by),
  }
}
