/**
 * Counts of numbers and categories of some spans: of whole cohorts, of slices, and from raw rows.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import {
  ALL,
  keyOf,
  paramsOf,
  predictionScope,
  cohortCondition,
  spanOf,
  within,
  type Cohort,
  type SpanGroups,
} from '../data/cohort.ts'
import { effectiveCounts } from '../data/sampling.ts'
import type { WindowCounts } from '../data/window-data.ts'
import {
  keptCounts,
  readCounted,
  readCounts,
  readCountsOfGroups,
  type Counts,
} from './count-queries.ts'
import { ofModels, readTotals, totalsOf, WEIGHTS, type Present } from './event-totals.ts'
import { knownBy } from './known-by.ts'
import { tablesOf } from './late-attributes.ts'
import { rawCounts } from './raw-counts.ts'
import { countedSlice, type Sliced } from './slice-counts.ts'

const COUNTS_OF_ALL = `WHERE model_id IN {models:Array(String)} AND ${within('step')}`
const countsWhere = (c: Cohort) => `${COUNTS_OF_ALL}${cohortCondition(c)}`
const rawWhere = (c: Cohort) =>
  `WHERE model_id = {model:String} AND ${within('predicted_at')}${predictionScope(c)}`

/** Whether a cohort has a slice. */
export const isSliced = (c: Cohort): c is Sliced => c.slice !== undefined

/** A cohort without a slice, in some spans. */
export interface CountQuestion {
  modelId: string
  spans: readonly Window[]
  c: Cohort
}

/** Questions with the same name can be answered by one read. */
export const countGroup = ({ spans, c }: CountQuestion): string =>
  JSON.stringify([spans, c.withShadows ? keyOf(c) : ''])

/**
 * Merged counts of cohorts without a slice, one answer a question, in their order; all spans count
 * as one.
 *
 * @param asked questions of one {@link countGroup}, of any models and cohorts: two statements
 *   answer all of them
 */
export async function mergedCounts(
  db: ClickHouse,
  asked: readonly CountQuestion[],
): Promise<Counts[]> {
  const { spans, c } = asked[0]!
  const keys = [...new Set(asked.map((one) => keyOf(one.c)))]
  const apart = keys.length > 1
  const of = apart
    ? await readCounts(db, ofModels(asked, spans, ALL), COUNTS_OF_ALL, keys)
    : await readCounts(db, ofModels(asked, spans, c), countsWhere(c))
  return asked.map((one) => of(one.modelId)[apart ? keys.indexOf(keyOf(one.c)) : 0]!)
}

/** Spans of one model, each group of them counted by itself, and cohorts without a slice. */
export interface GroupsQuestion {
  modelId: string
  of: SpanGroups
  /** Cohorts, at least one. */
  cohorts: readonly Cohort[]
}

/**
 * Counts of each group of spans and each cohort by itself, one answer a question, in their order:
 * by group, and in each by cohort.
 *
 * @param asked questions about the same groups, of any models and cohorts: two statements answer
 *   all of them
 */
export async function countsOfGroups(
  db: ClickHouse,
  asked: readonly GroupsQuestion[],
): Promise<Counts[][][]> {
  const { spans, groups, memberships } = asked[0]!.of
  const keys = [...new Set(asked.flatMap(({ cohorts }) => cohorts.map(keyOf)))]
  const [c] = asked[0]!.cohorts
  const params = { ...ofModels(asked, spans, c!), groups: memberships }
  const isOne = keys.length === 1
  const where = isOne ? countsWhere(c!) : COUNTS_OF_ALL
  const apart = { groups: groups.length, cohorts: isOne ? undefined : keys }
  const of = await readCountsOfGroups(db, params, where, apart)
  return asked.map(({ modelId, cohorts }) =>
    of(modelId).map((counts) => cohorts.map((c) => counts[keys.indexOf(keyOf(c))]!)),
  )
}

/**
 * Counts of one subject of a cohort without a slice; all spans count as one. What is read does not
 * grow with the other features.
 *
 * @param subject a feature, `@prediction` or `@score`
 */
export async function subjectCounts(
  db: ClickHouse,
  question: CountQuestion,
  subject: string,
): Promise<Counts> {
  const { modelId, spans, c } = question
  const where = `${countsWhere(c)} AND subject = {subject:String}`
  const of = await readCounts(db, { ...ofModels([question], spans, c), subject }, where)
  return of(modelId)[0]!
}

/** Counts of a whole cohort with its totals: `present` are the events of the same spans. */
export function withTotals(counts: Counts, present: readonly Present[], c: Cohort): WindowCounts {
  const totals = totalsOf(present, c)
  const { events, errors, errorWeight, duplicates } = totals
  return { events, errors, errorWeight, duplicates, ...effectiveCounts(counts, totals) }
}

/** The totals of a cohort without a slice, and no numbers or categories. */
export const totalsAlone = (present: readonly Present[], c: Cohort): WindowCounts => ({
  ...totalsOf(present, c),
  numeric: new Map(),
  categories: new Map(),
})

/** A cohort with a slice, in some spans. */
export interface SliceCountQuestion {
  modelId: string
  spans: readonly Window[]
  c: Sliced
  /**
   * Whether counts of the slice are kept for the spans: `ensureCounted` of `slice-counts.ts` says
   * so.
   */
  isCounted: boolean
}

/** Reads the counts that are kept of a slice where they are, and raw rows where not. */
const countedOf = async (db: ClickHouse, { c, isCounted }: SliceCountQuestion, bySpan: boolean) =>
  isCounted ? countedSlice(c, bySpan) : rawCounts(await rawSource(db, c), bySpan)

/** Counts of a value of a slice, all spans as one. */
export async function slicedCounts(
  db: ClickHouse,
  question: SliceCountQuestion,
): Promise<WindowCounts> {
  const { modelId, spans, c } = question
  const counted = await countedOf(db, question, false)
  const [own] = await readCounted(db, paramsOf(modelId, spans, c), counted, false)
  return own!
}

/** The totals of a value of a slice, and no numbers or categories. */
export async function slicedTotals(
  db: ClickHouse,
  question: SliceCountQuestion,
): Promise<WindowCounts> {
  const { modelId, spans, c } = question
  const counted = await countedOf(db, question, false)
  const [totals] = await readTotals(db, paramsOf(modelId, spans, c), counted, false)
  return { ...totals!, numeric: new Map(), categories: new Map() }
}

/** Counts of a value of a slice, each span by itself, in the order of the spans. */
export async function slicedCountsBySpan(
  db: ClickHouse,
  question: SliceCountQuestion,
): Promise<WindowCounts[]> {
  const { modelId, spans, c } = question
  return readCounted(db, paramsOf(modelId, spans, c), await countedOf(db, question, true), true)
}

/** Counts of a cohort without a slice, each span by itself, in the order of the spans. */
export function countsBySpan(
  db: ClickHouse,
  { modelId, spans, c }: CountQuestion,
): Promise<WindowCounts[]> {
  const where = countsWhere(c)
  const totals = `SELECT ${spanOf('step')} AS span, sum(events) AS events, sum(errors) AS errors, ${WEIGHTS} FROM event_counts ${where} GROUP BY span`
  const counted = { totals, ...keptCounts(where, spanOf('step')) }
  return readCounted(db, { ...paramsOf(modelId, spans, c), models: [modelId] }, counted, true)
}

/** Raw predictions of a cohort, with attributes that came late where the cohort is of a slice. */
async function rawSource(db: ClickHouse, c: Cohort) {
  const { predictions } = await tablesOf(db, c.slice !== undefined)
  return { table: predictions, where: rawWhere(c) }
}

/** How raw predictions are counted. */
export interface RawOptions {
  /** Makes every value a bin of its own. */
  exact: boolean
  /** Counts sampled events as they came. */
  unweighted: boolean
  /** Leaves out events that were received later, epoch milliseconds; none unless given. */
  asOf?: number
}

/** Counts of a cohort from raw predictions, all spans as one: costs grow with the events. */
export async function countsFromRows(
  db: ClickHouse,
  { modelId, spans, c }: CountQuestion,
  { asOf, ...options }: RawOptions,
): Promise<WindowCounts> {
  const { table, where } = await rawSource(db, c)
  const received = asOf === undefined ? '' : ` AND ${RECEIVED}`
  const source = { table, where: `${where}${received}`, ...options }
  const params = { ...paramsOf(modelId, spans, c), ...(asOf !== undefined && knownBy(asOf)) }
  const [raw] = await readCounted(db, params, rawCounts(source, false), false)
  return raw!
}

const RECEIVED = `received_at <= {as_of:DateTime64(3, 'UTC')}`

/**
 * Whether an event of the spans was received after `asOf` (epoch milliseconds): the counts that are
 * kept hold it, and do not say when it came. Events that were dropped since are not looked at.
 */
export async function hasLaterEvents(
  db: ClickHouse,
  { modelId, spans, c }: CountQuestion,
  asOf: number,
): Promise<boolean> {
  // Attributes that came since may have put an event into the slice: all of the cohort are looked at.
  const whole = { modelVersion: c.modelVersion, variant: c.variant }
  const rows = await db.query(
    `SELECT 1 FROM predictions ${rawWhere(whole)} AND NOT (${RECEIVED}) LIMIT 1`,
    { ...paramsOf(modelId, spans, whole), ...knownBy(asOf) },
  )
  return rows.length > 0
}
