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
import { ALL, paramsOf, cohortCondition, spanOf, within, type Cohort } from '../data/cohort.ts'
import { isInSlice, sliceValue, type SliceRest } from '../data/slices.ts'
import { OTHER, type SliceDefinition } from '../../../lib/models/slices.ts'

/** Values of a slice in one step above which no counts are kept: it is an id, perhaps. */
const MAX_VALUES = 1000
/** Counted by one statement, which must end before ClickHouse ends it: so many events, or a day. */
const EVENTS_AT_ONCE = 1_000_000
const STEPS_AT_ONCE = 96

const NEWEST = `SELECT step, argMax(slice_steps.counting, counted_at) AS counting, argMax(slice_steps.events, counted_at) AS events, argMax(slice_steps.slice_values, counted_at) AS slice_values
  FROM slice_steps WHERE model_id = {model:String} AND slice_key = {slice_stored:String} AND ${within('step')} GROUP BY step`

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
const keysOf = (slice: SliceDefinition) => ({
  slice_value: sliceValue(slice),
  step: STEP,
  model_version: 'model_version',
  variant: 'variant',
  shadow: 'shadow',
})
const ofSteps = (slice: SliceDefinition) => ({
  table: 'predictions',
  where: `WHERE model_id = {model:String} AND ${within('predicted_at')} AND ${STEP} IN {steps:Array(DateTime('UTC'))} AND ${sliceValue(slice)} != ''`,
  grid: `transform(subject, {subjects:Array(String)}, {grids:Array(UInt8)}, ${gridOf(1)})`,
})
interface SpreadRow {
  subject: string
  low: number
  high: number
  n: string
}
/** Between which numbers most of a subject lie. */
const spreads = (slice: SliceDefinition) =>
  `SELECT subject, quantile(0.05)(x) AS low, quantile(0.95)(x) AS high, count() AS n FROM (${rawValues({ step: STEP }, ofSteps(slice))}) GROUP BY subject`
/** Tables, the columns behind their keys, and what fills them. */
const filled = (slice: SliceDefinition) =>
  [
    [
      'slice_event_counts',
      'events, errors, weight, squares, error_weight',
      rawTotals(keysOf(slice), ofSteps(slice)),
    ],
    [
      'slice_numeric_counts',
      'subject, grid, bin, bin_high, weight, total, low, high',
      `SELECT ${Object.keys(keysOf(slice)).join(', ')}, subject, grid, ${splitKey('key', 'grid').join(', ')}, n, t, l, h FROM (${rawNumbers(keysOf(slice), ofSteps(slice))})`,
    ],
    [
      'slice_category_counts',
      'subject, category, weight',
      rawCategories(keysOf(slice), ofSteps(slice)),
    ],
  ] as const

const stored = (c: Cohort) =>
  `WHERE model_id = {model:String} AND slice_key = {slice_stored:String} AND ${within('step')}${cohortCondition(c)} AND (step, counting) IN (SELECT step, counting FROM (${NEWEST}))`

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

/** A cohort with a slice. */
export type Sliced = Cohort & Required<Pick<Cohort, 'slice'>>

const isStepped = ({ start, end }: Window) =>
  start % TIME_BUCKET_MS === 0 && end % TIME_BUCKET_MS === 0

/** A slice of a model in some spans. */
export interface SliceSpans {
  modelId: string
  spans: readonly Window[]
  slice: SliceDefinition
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
  { modelId, spans, slice }: SliceSpans,
): Promise<boolean> {
  if (!spans.every(isStepped)) return false
  const params = paramsOf(modelId, spans, { ...ALL, slice: { ...slice, value: '' } })
  const late = await db.query(
    'SELECT 1 FROM attributes WHERE hasAny(mapKeys(attributes), {slice_names:Array(String)}) LIMIT 1',
    params,
  )
  if (late.length > 0) return false
  const unfit = await db.query<UnfitStep>(UNFIT, params)
  if (unfit.length === 0) return true
  // Whoever once had too many values is not counted over and over.
  if (unfit.some(isFull)) return false
  for (const steps of parts(unfit)) await countSteps(db, slice, params, steps)
  return !(await db.query<UnfitStep>(UNFIT, params)).some(isFull)
}

const isFull = ({ slice_values }: UnfitStep) => Number(slice_values) > MAX_VALUES

async function countSteps(
  db: ClickHouse,
  slice: SliceDefinition,
  params: Params,
  unfit: readonly UnfitStep[],
) {
  const counting = randomUUID()
  const all = { ...params, counting, steps: unfit.map(({ at }) => at) }
  const found = await db.query<{ at: number; n: string }>(
    `SELECT toUnixTimestamp(${STEP}) AS at, uniqExact(${sliceValue(slice)}) AS n FROM ${ofSteps(slice).table} ${ofSteps(slice).where} GROUP BY at`,
    all,
  )
  const valuesOf = new Map(found.map(({ at, n }) => [at, Number(n)]))
  const steps = found.flatMap(({ at, n }) => (Number(n) <= MAX_VALUES ? [at] : []))
  if (steps.length > 0) await fillCounts(db, slice, { ...all, steps })
  await db.insertRows(
    'slice_steps',
    unfit.map(({ at, events }) => ({
      model_id: params['model'],
      slice_key: params['slice_stored'],
      step: at,
      counting,
      events,
      slice_values: valuesOf.get(at) ?? 0,
    })),
  )
}

async function fillCounts(db: ClickHouse, slice: SliceDefinition, params: Params) {
  const found = await db.query<SpreadRow>(spreads(slice), params)
  const all = {
    ...params,
    subjects: found.map(({ subject }) => subject),
    grids: found.map(({ low, high, n }) => gridOf(resolutionBetween(low, high, Number(n)))),
  }
  for (const [table, columns, select] of filled(slice))
    await db.command(
      `INSERT INTO ${table} (model_id, slice_key, counting, ${Object.keys(keysOf(slice)).join(', ')}, ${columns})
       SELECT {model:String}, {slice_stored:String}, {counting:String}, * FROM (${select})`,
      all,
    )
}

/** Values of a slice in a window. */
export interface ValuesQuestion {
  modelId: string
  window: Window
  slice: SliceDefinition
  most: number
}

/** The values of a slice that are evaluated one by one, and what there is beside them. */
export interface SliceValues extends SliceRest {
  /** Those with the most events first; ties in the order of the values. */
  except: readonly string[]
}

interface ValueRow {
  value: string
  events: string
  all_values: string
  all_events: string
}

/**
 * SQL of the most frequent values with the totals of all; a value that reads as the rest is one of
 * the rest.
 *
 * @param counted SQL with `value` and `events`, one row a value
 */
export const mostFrequent = (counted: string) =>
  `SELECT value, events, all_values, all_events FROM (
     SELECT value, events, count() OVER () AS all_values, sum(events) OVER () AS all_events FROM (${counted}))
   ORDER BY value = '${OTHER}', events DESC, value LIMIT {most:UInt32}`

/** The answer to {@link mostFrequent}. */
export function valuesOf(rows: readonly ValueRow[]): SliceValues {
  const own = rows.filter(({ value }) => value !== OTHER)
  return {
    except: own.map(({ value }) => value),
    values: Number(rows[0]?.all_values ?? 0),
    events: Number(rows[0]?.all_events ?? 0),
    ofOwn: own.reduce((sum, { events }) => sum + Number(events), 0),
  }
}

/** Values of a slice that is {@link ensureCounted counted}, as many as are asked for. */
export async function countedValues(
  db: ClickHouse,
  { modelId, window, slice, most }: ValuesQuestion,
): Promise<SliceValues> {
  const rows = await db.query<ValueRow>(
    mostFrequent(
      `SELECT slice_value AS value, sum(slice_event_counts.events) AS events FROM slice_event_counts ${stored(ALL)} GROUP BY value`,
    ),
    { ...paramsOf(modelId, [window], { ...ALL, slice: { ...slice, value: '' } }), most },
  )
  return valuesOf(rows)
}

/**
 * The counts of a value of a slice that is {@link ensureCounted counted}, in SQL.
 *
 * @param bySpan whether spans are counted apart, or all as one
 */
export function countedSlice(c: Sliced, bySpan: boolean): Counted {
  const where = `${stored(c)} AND ${isInSlice(c.slice, 'slice_value')}`
  const keys = `'' AS model, ${bySpan ? spanOf('step') : '1'} AS span`
  return {
    totals: `SELECT ${keys}, sum(events) AS events, sum(errors) AS errors, sum(weight) AS weight, sum(squares) AS squares, sum(error_weight) AS error_weight
      FROM slice_event_counts ${where} GROUP BY model, span`,
    numbers: `SELECT ${keys}, subject, grid, ${STORED_KEY} AS key, sum(weight) AS n, sum(total) AS t, min(low) AS l, max(high) AS h
      FROM slice_numeric_counts ${where} GROUP BY model, span, subject, grid, key`,
    categories: `SELECT ${keys}, subject, category, sum(weight) AS n FROM slice_category_counts ${where} GROUP BY model, span, subject, category`,
  }
}
