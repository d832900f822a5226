/**
 * Counts of the slices of models, kept per time step, version and variant: any window of a slice,
 * and any reference, is a sum of them, as it is for all predictions of a model
 * (`schemas/clickhouse/0006_slice_counts.sql`).
 *
 * A step is counted from raw rows when a slice of it is first asked for, for all values of the
 * slice in one reading, and anew once more events of it have come. What a counting has found is
 * used from when `slice_steps` names it, which is written last: a counting that is cut off leaves
 * rows that nobody reads, and two at the same time leave one of them.
 */
import { randomUUID } from 'node:crypto'
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'
import { resolutionBetween } from '../../../lib/sink/counts/log-histogram.ts'
import { gridOf, splitKey, STORED_KEY } from '../../../lib/sink/counts/stored-bins.ts'
import { TIME_BUCKET_MS, type Window } from '../../../lib/models/windows.ts'
import { rawCategories, rawNumbers, rawTotals, rawValues, type Counted } from './raw-counts.ts'
import {
  ALL,
  paramsOf,
  cohortCondition,
  SLICE_VALUE,
  spanOf,
  within,
  type Cohort,
} from '../data/cohort.ts'

/** Of a slice with more values than this in one step, an id perhaps, no counts are kept. */
const MAX_VALUES = 1000
/** Counted by one statement, which must end before ClickHouse ends it: so many events, or a day. */
const EVENTS_AT_ONCE = 1_000_000
const STEPS_AT_ONCE = 96

const NEWEST = `SELECT step, argMax(slice_steps.counting, counted_at) AS counting, argMax(slice_steps.events, counted_at) AS events, argMax(slice_steps.slice_values, counted_at) AS slice_values
  FROM slice_steps WHERE model_id = {model:String} AND slice_key = {slice_key:String} AND ${within('step')} GROUP BY step`

/** Steps that are to be counted, or that have too many values. */
const UNFIT = `SELECT toUnixTimestamp(come.quarter) AS at, come.events AS events, newest.slice_values AS slice_values
  FROM (SELECT toStartOfFifteenMinutes(step) AS quarter, sum(event_counts.events) AS events FROM event_counts WHERE model_id = {model:String} AND ${within('step')} GROUP BY quarter) AS come
  LEFT JOIN (${NEWEST}) AS newest ON come.quarter = newest.step
  WHERE come.events != newest.events OR newest.slice_values > ${MAX_VALUES} ORDER BY at`

interface UnfitStep {
  /** The step, in epoch seconds. */
  at: number
  events: string
  /** 0 where it was never counted. */
  slice_values: string
}

const STEP = 'toStartOfFifteenMinutes(predicted_at)'
const KEYS = {
  slice_value: SLICE_VALUE,
  step: STEP,
  model_version: 'model_version',
  variant: 'variant',
  shadow: 'shadow',
}
const OF_STEPS = {
  table: 'predictions',
  where: `WHERE model_id = {model:String} AND ${within('predicted_at')} AND ${STEP} IN {steps:Array(DateTime('UTC'))} AND ${SLICE_VALUE} != ''`,
  grid: `transform(subject, {subjects:Array(String)}, {grids:Array(UInt8)}, ${gridOf(1)})`,
}
interface SpreadRow {
  subject: string
  low: number
  high: number
  n: string
}
/** Between which numbers most of a subject lie. */
const SPREADS = `SELECT subject, quantile(0.05)(x) AS low, quantile(0.95)(x) AS high, count() AS n FROM (${rawValues({ step: STEP }, OF_STEPS)}) GROUP BY subject`
/** Tables, the columns behind their keys, and what fills them. */
const FILLED = [
  [
    'slice_event_counts',
    'events, errors, weight, squares, error_weight',
    rawTotals(KEYS, OF_STEPS),
  ],
  [
    'slice_numeric_counts',
    'subject, grid, bin, bin_high, weight, total, low, high',
    `SELECT ${Object.keys(KEYS).join(', ')}, subject, grid, ${splitKey('key', 'grid').join(', ')}, n, t, l, h FROM (${rawNumbers(KEYS, OF_STEPS)})`,
  ],
  ['slice_category_counts', 'subject, category, weight', rawCategories(KEYS, OF_STEPS)],
] as const

const stored = (c: Cohort) =>
  `WHERE model_id = {model:String} AND slice_key = {slice_key:String} AND ${within('step')}${cohortCondition(c)} AND (step, counting) IN (SELECT step, counting FROM (${NEWEST}))`

function parts(steps: readonly UnfitStep[]): UnfitStep[][] {
  const found: UnfitStep[][] = []
  let events = Infinity
  for (const step of steps) {
    events += Number(step.events)
    if (events <= EVENTS_AT_ONCE && found.at(-1)!.length < STEPS_AT_ONCE) found.at(-1)!.push(step)
    else {
      found.push([step])
      events = Number(step.events)
    }
  }
  return found
}

const isStepped = ({ start, end }: Window) =>
  start % TIME_BUCKET_MS === 0 && end % TIME_BUCKET_MS === 0

/** A slice of a model in some spans. */
export interface SliceSpans {
  modelId: string
  spans: readonly Window[]
  key: string
}

/**
 * Counts every step of the spans that is not counted yet, or of which more has come since.
 *
 * @returns false where no counts can be kept: the slice has too many values, a span does not begin
 *   and end with a step, or the
 *   attribute comes apart from predictions
 * @throws what ClickHouse throws; what was counted before stays
 */
export async function ensureCounted(
  db: ClickHouse,
  { modelId, spans, key }: SliceSpans,
): Promise<boolean> {
  if (!spans.every(isStepped)) return false
  const params = paramsOf(modelId, spans, { ...ALL, slice: { key, value: '' } })
  const late = await db.query(
    'SELECT 1 FROM attributes WHERE mapContains(attributes, {slice_key:String}) LIMIT 1',
    params,
  )
  if (late.length > 0) return false
  const unfit = await db.query<UnfitStep>(UNFIT, params)
  if (unfit.length === 0) return true
  // Whoever once had too many values is not counted over and over.
  if (unfit.some(isFull)) return false
  for (const steps of parts(unfit)) await countSteps(db, params, steps)
  return !(await db.query<UnfitStep>(UNFIT, params)).some(isFull)
}

const isFull = ({ slice_values }: UnfitStep) => Number(slice_values) > MAX_VALUES

async function countSteps(db: ClickHouse, params: Params, unfit: readonly UnfitStep[]) {
  const counting = randomUUID()
  const all = { ...params, counting, steps: unfit.map(({ at }) => at) }
  const found = await db.query<{ at: number; n: string }>(
    `SELECT toUnixTimestamp(${STEP}) AS at, uniqExact(${SLICE_VALUE}) AS n FROM ${OF_STEPS.table} ${OF_STEPS.where} GROUP BY at`,
    all,
  )
  const valuesOf = new Map(found.map(({ at, n }) => [at, Number(n)]))
  const steps = found.flatMap(({ at, n }) => (Number(n) <= MAX_VALUES ? [at] : []))
  if (steps.length > 0) await fillCounts(db, { ...all, steps })
  await db.insertRows(
    'slice_steps',
    unfit.map(({ at, events }) => ({
      model_id: params['model'],
      slice_key: params['slice_key'],
      step: at,
      counting,
      events,
      slice_values: valuesOf.get(at) ?? 0,
    })),
  )
}

async function fillCounts(db: ClickHouse, params: Params) {
  const spreads = await db.query<SpreadRow>(SPREADS, params)
  const all = {
    ...params,
    subjects: spreads.map(({ subject }) => subject),
    grids: spreads.map(({ low, high, n }) => gridOf(resolutionBetween(low, high, Number(n)))),
  }
  for (const [table, columns, select] of FILLED)
    await db.command(
      `INSERT INTO ${table} (model_id, slice_key, counting, ${Object.keys(KEYS).join(', ')}, ${columns})
       SELECT {model:String}, {slice_key:String}, {counting:String}, * FROM (${select})`,
      all,
    )
}

/** Values of a slice in some spans. */
export interface ValuesQuestion {
  modelId: string
  window: Window
  key: string
  most: number
}

/**
 * Values of a slice that is {@link ensureCounted counted}, those with the most events first; ties
 * in the order of the values.
 */
export async function countedValues(
  db: ClickHouse,
  { modelId, window, key, most }: ValuesQuestion,
): Promise<string[]> {
  const rows = await db.query<{ slice_value: string }>(
    `SELECT slice_value FROM slice_event_counts ${stored(ALL)} GROUP BY slice_value ORDER BY sum(events) DESC, slice_value LIMIT {most:UInt32}`,
    { ...paramsOf(modelId, [window], { ...ALL, slice: { key, value: '' } }), most },
  )
  return rows.map(({ slice_value }) => slice_value)
}

/**
 * The counts of a value of a slice that is {@link ensureCounted counted}, in SQL.
 *
 * @param bySpan whether spans are counted apart, or all as one
 */
export function countedSlice(c: Cohort, bySpan: boolean): Counted {
  const where = `${stored(c)} AND slice_value = {slice_value:String}`
  const keys = `'' AS model, ${bySpan ? spanOf('step') : '1'} AS span`
  return {
    totals: `SELECT ${keys}, sum(events) AS events, sum(errors) AS errors, sum(weight) AS weight, sum(squares) AS squares, sum(error_weight) AS error_weight
      FROM slice_event_counts ${where} GROUP BY model, span`,
    numbers: `SELECT ${keys}, subject, grid, ${STORED_KEY} AS key, sum(weight) AS n, sum(total) AS t, min(low) AS l, max(high) AS h
      FROM slice_numeric_counts ${where} GROUP BY model, span, subject, grid, key`,
    categories: `SELECT ${keys}, subject, category, sum(weight) AS n FROM slice_category_counts ${where} GROUP BY model, span, subject, category`,
  }
}
