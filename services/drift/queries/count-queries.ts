/** Counts of numbers and categories over spans of time, merged inside ClickHouse as far as their grids allow. */
import { featureSubjects, isFeature, OWN_NUMBERS } from '../../../lib/events/subjects.ts'
import {
  CATEGORY_GROUPS,
  categoryTotal,
  MAX_FREQUENT,
  MAX_NAMED,
  withCut,
  type CategoryCounts,
} from '../../../lib/sink/counts/category-counts.ts'
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'
import { mergedResolutions } from '../../../lib/sink/counts/mixed-resolutions.ts'
import { sampleSize, type BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import { effectiveCounts, STANDS_FOR, type Weights } from '../data/sampling.ts'
import { spanOf, UNSLICED_KEYS } from '../data/cohort.ts'
import type { WindowCounts } from '../data/window-data.ts'

/** Features of each kind that are evaluated of a span, those with the most values; the model's own values come beside them. */
export const MAX_SUBJECTS = 2000
/** Rows of features that are read of a span; sorting them in ClickHouse, to read fewer, would double what reading costs. */
const MAX_ROWS = 20_000
const IS_OWN = `startsWith(subject, '@') AND NOT startsWith(subject, '@@')`
const LIMITED = `LIMIT ${MAX_ROWS} BY model, span, ${IS_OWN}`

interface NumericRow {
  model: string
  span: number
  subject: string
  grid: number
  bins: number[]
  counts: string[]
  totals: number[]
  lows: number[]
  highs: number[]
}

interface CategoryRow {
  model: string
  span: number
  subject: string
  /** Those with the least hashes, and the greatest of these. */
  categories: string[]
  counts: string[]
  greatest_hash: number
  /** How many there are. */
  kinds: string
  /** Of too many to be kept: the most frequent ones, and the sums of the groups that have values. */
  frequent: string[]
  frequent_counts: number[]
  groups: number[]
  group_counts: number[]
}

/** The bins of each subject as arrays, in their order; sorting each by itself costs half of sorting them all. */
const binsOf = (counted: string) =>
  `SELECT model, span, subject, grid, sorted.1 AS bins, sorted.2 AS counts, sorted.3 AS totals, sorted.4 AS lows, sorted.5 AS highs
   FROM (SELECT model, span, subject, grid, arraySort(one -> one.1, groupArray((bin, n, t, l, h))) AS sorted
         FROM (${counted}) GROUP BY model, span, subject, grid)
   ${LIMITED}`

/** The categories of each subject: all of them, or what spans have in common (`lib/sink/counts/category-counts.ts`). */
const categoriesOf = (counted: string) => {
  const isCut = `kinds > ${MAX_NAMED}`
  return `SELECT model, span, subject, kinds, least.2 AS categories, least.3 AS counts, least[-1].1 AS greatest_hash,
     if(${isCut}, most.2, []) AS frequent, if(${isCut}, arrayMap(one -> -one.1, most), []) AS frequent_counts,
     if(${isCut}, grouped.1, []) AS groups, if(${isCut}, grouped.2, []) AS group_counts
   FROM (SELECT model, span, subject, count() AS kinds, groupArraySorted(${MAX_NAMED})((hash, category, n)) AS least,
       groupArraySorted(${MAX_FREQUENT})((-n, category)) AS most, sumMap([toUInt16(hash % ${CATEGORY_GROUPS})], [n]) AS grouped
     FROM (SELECT model, span, subject, category, toFloat64(n) AS n, murmurHash3_32(category) AS hash FROM (${counted})) GROUP BY model, span, subject)
   ${LIMITED}`
}

/** What is counted of the values of a span. */
export type Counts = Pick<WindowCounts, 'numeric' | 'categories' | 'leavesFeaturesOut'>

/**
 * Of several models at once, all spans as one.
 *
 * @param where conditions on the steps, with the spans among the parameters
 * @param cohorts keys of cohorts without a slice that are counted apart, each step in all it is part of; all that
 *   meets the conditions is counted together where none are given
 * @returns of a model its counts per cohort, in their order; one entry for all of them otherwise
 */
export async function readCounts(
  db: ClickHouse,
  params: Params,
  where: string,
  cohorts?: readonly string[],
): Promise<(modelId: string) => Counts[]> {
  const counted = keptCounts(where, cohorts ? COMBINATION_PLACE : '1')
  const all = { ...params, ...(cohorts && { cohorts }) }
  const numeric = await db.query<NumericRow>(binsOf(counted.numbers), all)
  const categories = await db.query<CategoryRow>(categoriesOf(counted.categories), all)
  const numbers = Map.groupBy(numeric, (row) => row.model)
  const texts = Map.groupBy(categories, (row) => row.model)
  return (modelId) =>
    perSpan(numbers.get(modelId) ?? [], texts.get(modelId) ?? [], cohorts?.length ?? 1)
}

/** Where the cohorts of a step stand among those asked for, from 1, in SQL: a row for each, and one of 0 for others. */
const COMBINATION_PLACE = `arrayJoin(arrayMap(key -> toUInt32(indexOf({cohorts:Array(String)}, key)), ${UNSLICED_KEYS}))`

/**
 * The counts that are kept of models, in SQL; the parameters are those of {@link readCounts}.
 *
 * @param span what is counted apart, in SQL: a number from 1, 0 for what is not asked for
 */
export function keptCounts(where: string, span: string): Omit<Counted, 'totals'> {
  const keys = `model_id AS model, ${span} AS span`
  return {
    numbers: `SELECT ${keys}, subject, grid, bin, sum(count) + sum(extra_weight) AS n, sum(total) AS t, min(low) AS l, max(high) AS h
      FROM numeric_counts ${where} GROUP BY model, span, subject, grid, bin`,
    categories: `SELECT ${keys}, subject, category, sum(count) + sum(extra_weight) AS n FROM category_counts ${where}
      GROUP BY model, span, subject, category`,
  }
}

const spanCount = (params: Params, bySpan: boolean) =>
  bySpan ? (params['starts'] as string[]).length : 1

/** Grid on which raw rows are counted: finer than most counts need. */
const RAW_GRID = '2'

export interface RawSource {
  /** `predictions`, or what has its columns, and conditions on it. */
  table: string
  where: string
  /** The grid of each `subject`, in SQL; {@link RAW_GRID} unless given. */
  grid?: string
  /** Whether every value is a bin of its own. */
  exact?: boolean
  /** Whether events that were sampled count as they came. */
  unweighted?: boolean
}

/** What counts are told apart by: a name for each expression. */
type Keys = Readonly<Record<string, string>>

const selected = (keys: Keys) =>
  Object.entries(keys)
    .map(([name, expression]) => `${expression} AS ${name}`)
    .join(', ')
const names = (keys: Keys) => Object.keys(keys).join(', ')
const weightOf = ({ unweighted }: RawSource) => (unweighted ? 'toFloat64(1)' : STANDS_FOR)

/** Counts of raw predictions, in SQL: how many there are. */
export const rawTotals = (keys: Keys, source: RawSource) =>
  `SELECT ${selected(keys)}, count() AS events, countIf(status = 'error') AS errors, sum(${weightOf(source)}) AS weight, sum(pow(${weightOf(source)}, 2)) AS squares,
     sumIf(${weightOf(source)}, status = 'error') AS error_weight
   FROM ${source.table} ${source.where} GROUP BY ${names(keys)}`

const OWN_SUBJECTS = ['@prediction', ...OWN_NUMBERS.map(({ subject }) => subject)]
const OWN_COLUMNS = ['prediction_number', ...OWN_NUMBERS.map(({ field }) => `toFloat64(${field})`)]

/** Each of their numbers, `x`, with the weight of its event. */
export const rawValues = (keys: Keys, source: RawSource) =>
  `SELECT ${selected(keys)}, subject, assumeNotNull(value) AS x, ${weightOf(source)} AS w FROM ${source.table}
   ARRAY JOIN arrayConcat(${featureSubjects('mapKeys(features)')}, [${OWN_SUBJECTS.map((subject) => `'${subject}'`).join(', ')}]) AS subject,
     arrayConcat(arrayMap(v -> variantElement(v, 'Float64'), mapValues(features)), [${OWN_COLUMNS.join(', ')}]) AS value
   ${source.where} AND isNotNull(value)`

/** Of their numbers: how many lie in each bin, their sum, the least and the greatest. */
export const rawNumbers = (keys: Keys, source: RawSource) => {
  const { grid = RAW_GRID } = source
  const bin = source.exact
    ? 'x'
    : `toInt32(bitShiftRight(bitAnd(reinterpretAsUInt32(toFloat32(x)), 0x7fffffff), 20 - 4 * (${grid})) * if(x < 0, -1, 1))`
  return `SELECT ${names(keys)}, subject, ${grid} AS grid, ${bin} AS bin, sum(w) AS n, sum(w * x) AS t, min(x) AS l, max(x) AS h
    FROM (${rawValues(keys, source)}) GROUP BY ${names(keys)}, subject, grid, bin`
}

/** Of their strings and booleans. */
export const rawCategories = (keys: Keys, source: RawSource) =>
  `SELECT ${selected(keys)}, subject, substringUTF8(assumeNotNull(value), 1, 200) AS category, sum(${weightOf(source)}) AS n FROM ${source.table}
   ARRAY JOIN arrayConcat(${featureSubjects('mapKeys(features)')}, ['@prediction']) AS subject,
     arrayConcat(
       arrayMap(v -> multiIf(variantType(v) = 'String', variantElement(v, 'String'), variantType(v) = 'Bool', toString(variantElement(v, 'Bool')), NULL), mapValues(features)),
       [if(isNull(prediction_number), prediction, NULL)]) AS value
   ${source.where} AND isNotNull(value)
   GROUP BY ${names(keys)}, subject, category`

/** Queries for what the three above count, with `span` among the keys, and `model` where there are subjects. */
export interface Counted {
  totals: string
  numbers: string
  categories: string
}

/** Events of one span. */
interface TotalRow extends Weights {
  span: number
  events: string
  errors: string
  error_weight: number
}

/**
 * The counts of one model.
 *
 * @param bySpan whether spans are counted apart, or all as one
 */
export async function readCounted(
  db: ClickHouse,
  params: Params,
  counted: Counted,
  bySpan: boolean,
): Promise<WindowCounts[]> {
  const totals = await readTotals(db, params, counted, bySpan)
  const numeric = await db.query<NumericRow>(binsOf(counted.numbers), params)
  const categories = await db.query<CategoryRow>(categoriesOf(counted.categories), params)
  return perSpan(numeric, categories, spanCount(params, bySpan)).map((own, i) => {
    const { squares, weight, ...sums } = totals[i]!
    return { ...sums, ...effectiveCounts(own, { weight, squares }) }
  })
}

/** What they are counts of, per span. */
export async function readTotals(
  db: ClickHouse,
  params: Params,
  { totals }: Pick<Counted, 'totals'>,
  bySpan: boolean,
) {
  const rows = await db.query<TotalRow>(totals, params)
  return Array.from({ length: spanCount(params, bySpan) }, (_, i) => {
    const row = rows.find(({ span }) => span === i + 1)
    return {
      events: Number(row?.events ?? 0),
      errors: Number(row?.errors ?? 0),
      errorWeight: row?.error_weight ?? 0,
      duplicates: 0,
      weight: row?.weight ?? 0,
      squares: row?.squares ?? 0,
    }
  })
}

/** Counts of raw predictions, for what no counts are kept of: costs grow with the events. */
export function rawCounts(source: RawSource, bySpan: boolean): Counted {
  const keys = { model: `''`, span: bySpan ? spanOf('predicted_at') : '1' }
  return {
    totals: rawTotals(keys, source),
    numbers: rawNumbers(keys, source),
    categories: rawCategories(keys, source),
  }
}

function perSpan(
  numeric: readonly NumericRow[],
  categories: readonly CategoryRow[],
  spans: number,
): Counts[] {
  return Array.from({ length: spans }, (_, i) => {
    const own = <T extends { span: number }>(rows: readonly T[]) =>
      rows.filter((row) => row.span === i + 1)
    const numbers = numericOf([...Map.groupBy(own(numeric), (row) => row.subject)])
    const texts = new Map(own(categories).map((row) => [row.subject, categoryCounts(row)]))
    const [fewNumbers, fewTexts] = [
      mostValued(numbers, sampleSize),
      mostValued(texts, categoryTotal),
    ]
    return {
      numeric: fewNumbers,
      categories: fewTexts,
      ...((fewNumbers !== numbers || fewTexts !== texts) && { leavesFeaturesOut: true }),
    }
  })
}

/** Larger ones first; no difference of two infinities is taken. */
const compareSizes = (a: number, b: number) => (a === b ? 0 : b > a ? 1 : -1)

/** The model's own values, and of too many features those with the most values. */
function mostValued<T>(subjects: Map<string, T>, sizeOf: (counts: T) => number): Map<string, T> {
  if (subjects.size <= MAX_SUBJECTS) return subjects
  const sized = [...subjects].map(([name, counts]) => ({
    name,
    counts,
    size: isFeature(name) ? sizeOf(counts) : Infinity,
  }))
  return new Map(
    sized
      .toSorted((a, b) => compareSizes(a.size, b.size) || (a.name < b.name ? -1 : 1))
      .slice(0, MAX_SUBJECTS)
      .map(({ name, counts }) => [name, counts]),
  )
}

/** Counts of one subject on several grids are merged on the finest that holds all of them. */
function numericOf(
  subjects: readonly (readonly [string, readonly NumericRow[]])[],
): Map<string, BinnedSample> {
  return new Map(
    subjects.map(([subject, grids]) => {
      const samples = grids.map(({ grid, bins, counts, totals, lows, highs }): BinnedSample => ({
        grid,
        bins,
        counts: counts.map(Number),
        totals,
        lows,
        highs,
      }))
      return [subject, mergedResolutions(samples)]
    }),
  )
}

function categoryCounts(row: CategoryRow): CategoryCounts {
  const found = new Map(row.categories.map((name, i) => [name, Number(row.counts[i])]))
  if (Number(row.kinds) <= MAX_NAMED) return found
  row.frequent.forEach((name, i) => found.set(name, row.frequent_counts[i]!))
  const groups = Array.from({ length: CATEGORY_GROUPS }, () => 0)
  row.groups.forEach((group, i) => (groups[group] = row.group_counts[i]!))
  return withCut(found, {
    distinct: Number(row.kinds),
    // Two categories may share the greatest hash, and one of them be left out.
    keptBelow: row.greatest_hash - 1,
    groups,
    most: row.frequent_counts.at(-1)!,
  })
}
