/**
 * How far models have come: what has arrived of them, and which windows are evaluated. Read for
 * many models at once.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { bucketMs, timeBucketMs, TIME_BUCKET_MS, type Window } from '../../../lib/models/windows.ts'
import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import { sqlTime } from '../data/cohort.ts'
import type { EvaluatedWindow, PartitionProgress, StepCount } from '../plan/due-windows.ts'
import { learnsHorizon, type LearnedHorizon } from '../plan/label-horizon.ts'
import { learnedHorizons } from './outcomes/label-delays.ts'

/** How far a model has come, and what of it is evaluated. */
export interface ModelProgress {
  /**
   * Buckets of time with events or changed truth, ascending; every window is a union of buckets.
   */
  steps: StepCount[]
  partitions: PartitionProgress[]
  /** The newest revision of each window, for the cohort of everything. */
  evaluated: EvaluatedWindow[]
  /** Its label horizon, where none is declared and one was learned. */
  learned?: LearnedHorizon | undefined
}

interface StepRow {
  model: string
  at: string
  events: string
  changes: string
}

interface EvaluatedRow extends Pick<EvaluatedWindow, 'maturity' | 'worst' | 'alarmed' | 'episode'> {
  model: string
  start: string
  end: string
  revision: number
  events: string
  changes: string
}

/** How far each model has come, by its id: four statements for all of them at most. */
export async function readProgress(
  db: ClickHouse,
  models: readonly Model[],
): Promise<Map<string, ModelProgress>> {
  const ids = models.map((model) => model.modelId)
  const steps = []
  for (const [bucket, some] of Map.groupBy(models, (model) => bucketMs(model.windows)))
    for (const step of await stepsOf(db, some, bucket)) steps.push(step)
  const perModel = <T extends { model: string }>(rows: T[]) => Map.groupBy(rows, (row) => row.model)
  const ownSteps = perModel(steps)
  const partitions = perModel(await partitionsOf(db, ids))
  const evaluated = perModel(await evaluatedOf(db, ids))
  const learned = await learnedHorizons(
    db,
    models.filter(learnsHorizon).map(({ modelId }) => modelId),
  )
  return new Map(
    ids.map((id) => [
      id,
      {
        steps: ownSteps.get(id) ?? [],
        partitions: partitions.get(id) ?? [],
        evaluated: evaluated.get(id) ?? [],
        learned: learned.get(id),
      },
    ]),
  )
}

/** How far the partitions of one model's events have come. */
export const readPartitions = (db: ClickHouse, modelId: string): Promise<PartitionProgress[]> =>
  partitionsOf(db, [modelId])

/**
 * Counts of longer buckets than windows need make no windows: they are of the time before the model
 * had such windows.
 */
const FINE_ENOUGH = `if(bucket_s = 0, ${TIME_BUCKET_MS}, 1000 * bucket_s) <= {own:UInt64}`

async function stepsOf(db: ClickHouse, models: readonly Model[], bucket: number) {
  const rows = await db.query<StepRow>(
    `SELECT model_id AS model, intDiv(toUnixTimestamp(step) * 1000, {bucket:UInt64}) * {bucket:UInt64} AS at, sum(events) AS events, sum(changes) AS changes FROM (
         SELECT model_id, step, toUInt64(events) AS events, toUInt64(0) AS changes FROM event_counts WHERE model_id IN {models:Array(String)} AND ${FINE_ENOUGH}
         UNION ALL
         SELECT model_id, step, toUInt64(0) AS events, toUInt64(changes) AS changes FROM outcome_changes WHERE model_id IN {models:Array(String)}
       ) GROUP BY model, at ORDER BY model, at`,
    { models: models.map((model) => model.modelId), bucket, own: timeBucketMs(models[0]!.windows) },
  )
  return rows.map((row) => ({
    model: row.model,
    step: Number(row.at),
    events: Number(row.events),
    changes: Number(row.changes),
  }))
}

/** A model, a window of it, and the spans that it is compared with. */
export interface StateQuestion {
  model: Pick<Model, 'modelId' | 'windows'>
  window: Window
  spans: readonly Window[]
}

/** Counters that grow with all that comes: while they are the same, so is what they count. */
export interface DataState {
  /** Events of the window. */
  events: number
  changes: number
  /** Events of all steps that reach into the spans. */
  referenceEvents: number
  referenceChanges: number
}

/** Questions that are alike but for the model can be answered by one read. */
export const stateGroup = ({ model: { windows }, window, spans }: StateQuestion): string =>
  JSON.stringify([bucketMs(windows), timeBucketMs(windows), window, spans])

/**
 * Reads the state of windows and of what they are compared with, by the steps of {@link
 * readProgress}.
 *
 * @param asked questions of one {@link stateGroup}
 */
export async function readStates(
  db: ClickHouse,
  asked: readonly StateQuestion[],
): Promise<DataState[]> {
  const { model, window, spans } = asked[0]!
  const bucket = bucketMs(model.windows)
  const all = [window, ...spans]
  const rows = await db.query<Record<keyof DataState | 'model', string>>(
    `SELECT model_id AS model, sumIf(came, ${IN_WINDOW}) AS events, sumIf(changed, ${IN_WINDOW}) AS changes,
       sumIf(came, ${IN_SPANS}) AS referenceEvents, sumIf(changed, ${IN_SPANS}) AS referenceChanges FROM (
         SELECT model_id, intDiv(toUnixTimestamp(step) * 1000, {bucket:Int64}) * {bucket:Int64} AS at, toUInt64(events) AS came, toUInt64(0) AS changed
         FROM event_counts WHERE model_id IN {models:Array(String)} AND ${FINE_ENOUGH} AND ${REACHED}
         UNION ALL
         SELECT model_id, intDiv(toUnixTimestamp(step) * 1000, {bucket:Int64}) * {bucket:Int64} AS at, toUInt64(0) AS came, toUInt64(changes) AS changed
         FROM outcome_changes WHERE model_id IN {models:Array(String)} AND ${REACHED}
       ) GROUP BY model`,
    {
      models: asked.map((one) => one.model.modelId),
      bucket,
      own: timeBucketMs(model.windows),
      start: window.start,
      end: window.end,
      starts: spans.map((span) => span.start),
      ends: spans.map((span) => span.end),
      from: sqlTime(smallest(all.map((span) => span.start)) - bucket),
      to: sqlTime(largest(all.map((span) => span.end))),
    },
  )
  const byModel = new Map(rows.map((row) => [row.model, row]))
  const of = (id: string, what: keyof DataState) => Number(byModel.get(id)?.[what] ?? 0)
  return asked.map(({ model: { modelId } }) => ({
    events: of(modelId, 'events'),
    changes: of(modelId, 'changes'),
    referenceEvents: of(modelId, 'referenceEvents'),
    referenceChanges: of(modelId, 'referenceChanges'),
  }))
}

const IN_WINDOW = 'at >= {start:Int64} AND at < {end:Int64}'
/** As `stepsWithin` has it: a step that reaches into a span lies in it. */
const IN_SPANS =
  'arrayExists((s, e) -> at > s - {bucket:Int64} AND at < e, {starts:Array(Int64)}, {ends:Array(Int64)})'
const REACHED = "step >= {from:DateTime64(3, 'UTC')} AND step < {to:DateTime64(3, 'UTC')}"

async function partitionsOf(db: ClickHouse, models: readonly string[]) {
  const rows = await db.query<{ model: string; newest: string; received: string }>(
    `SELECT model_id AS model, toUnixTimestamp64Milli(max(newest)) AS newest, toUnixTimestamp64Milli(max(received_at)) AS received
       FROM watermarks WHERE model_id IN {models:Array(String)} GROUP BY model_id, topic, partition`,
    { models },
  )
  return rows.map(({ model, newest, received }) => ({
    model,
    newest: Number(newest),
    receivedAt: Number(received),
  }))
}

async function evaluatedOf(db: ClickHouse, models: readonly string[]) {
  const rows = await db.query<EvaluatedRow>(
    `SELECT model_id AS model, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, max(revision) AS revision,
         argMax(events, revision) AS events, argMax(outcome_changes, revision) AS changes, argMax(maturity, revision) AS maturity,
         argMax(worst, revision) AS worst, argMax(drift_alarm, revision) AS alarmed, argMax(episode_id, revision) AS episode
       FROM window_revisions
       WHERE model_id IN {models:Array(String)} AND model_version = '' AND variant = '' AND slice_key = ''
       GROUP BY model, window_start, window_end`,
    { models },
  )
  return rows.map((row) => ({
    ...row,
    start: Number(row.start),
    end: Number(row.end),
    events: Number(row.events),
    changes: Number(row.changes),
  }))
}
