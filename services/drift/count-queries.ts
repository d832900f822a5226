/** Counts of numbers and categories over spans of time, merged inside ClickHouse as far as their grids allow. */
import { featureSubjects } from '../../lib/subjects.ts'
import type { ClickHouse, Params } from '../../lib/clickhouse.ts'
import { mergedSample, type BinnedSample } from '../../lib/stats/binned-sample.ts'
import { effectiveCounts, STANDS_FOR, type Weights } from './sampling.ts'
import { spanOf } from './scope.ts'
import type { WindowCounts } from './window-data.ts'

/** Categories counted by name; what is rarer is counted together. */
const MAX_CATEGORIES = 10_000
export const OTHER_CATEGORIES = '@other'

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
  categories: string[]
  counts: string[]
  all: string
}

/** The bins of each subject as arrays, in their order; sorting each by itself costs half of sorting them all. */
const binsOf = (counted: string) =>
  `SELECT model, span, subject, grid, sorted.1 AS bins, sorted.2 AS counts, sorted.3 AS totals, sorted.4 AS lows, sorted.5 AS highs
   FROM (SELECT model, span, subject, grid, arraySort(one -> one.1, groupArray((bin, n, t, l, h))) AS sorted
         FROM (${counted}) GROUP BY model, span, subject, grid)`

/** The categories of each subject, the most frequent ones first. */
const categoriesOf = (counted: string) =>
  `SELECT model, span, subject, groupArray(${MAX_CATEGORIES})(category) AS categories, groupArray(${MAX_CATEGORIES})(n) AS counts, sum(n) AS all
   FROM (${counted} ORDER BY model, span, subject, n DESC, category) GROUP BY model, span, subject`

type Counts = Pick<WindowCounts, 'numeric' | 'categories'>

/**
 * Of several models at once.
 *
 * @param where conditions on the steps, with the spans among the parameters
 * @param bySpan whether spans are counted apart, or all as one
 * @returns of a model its counts per span, in their order; one entry for all of them otherwise
 */
export async function readCounts(
  db: ClickHouse,
  params: Params,
  where: string,
  bySpan: boolean,
): Promise<(modelId: string) => Counts[]> {
  const counted = keptCounts(where, bySpan)
  const numeric = await db.query<NumericRow>(binsOf(counted.numbers), params)
  const categories = await db.query<CategoryRow>(categoriesOf(counted.categories), params)
  const numbers = Map.groupBy(numeric, (row) => row.model)
  const texts = Map.groupBy(categories, (row) => row.model)
  return (modelId) =>
    perSpan(numbers.get(modelId) ?? [], texts.get(modelId) ?? [], spanCount(params, bySpan))
}

/** The counts that are kept of models, in SQL; the parameters are those of {@link readCounts}. */
export function keptCounts(where: string, bySpan: boolean): Omit<Counted, 'totals'> {
  const keys = `model_id AS model, ${bySpan ? spanOf('step') : '1'} AS span`
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

/** Each of their numbers, `x`, with the weight of its event. */
export const rawValues = (keys: Keys, source: RawSource) =>
  `SELECT ${selected(keys)}, subject, assumeNotNull(value) AS x, ${weightOf(source)} AS w FROM ${source.table}
   ARRAY JOIN arrayConcat(${featureSubjects('mapKeys(features)')}, ['@prediction', '@score', '@latency_ms']) AS subject,
     arrayConcat(arrayMap(v -> variantElement(v, 'Float64'), mapValues(features)), [prediction_number, score, latency_ms]) AS value
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
  return Array.from({ length: spans }, (_, i) => ({
    numeric: numericOf(numeric.filter((row) => row.span === i + 1)),
    categories: new Map(
      categories
        .filter((row) => row.span === i + 1)
        .map((row) => [
          row.subject,
          withOthers(row.categories, row.counts.map(Number), Number(row.all)),
        ]),
    ),
  }))
}

/** Counts of one subject on several grids are merged on the coarsest. */
function numericOf(rows: readonly NumericRow[]): Map<string, BinnedSample> {
  return new Map(
    [...Map.groupBy(rows, (row) => row.subject)].map(([subject, grids]) => {
      const samples = grids.map(({ grid, bins, counts, totals, lows, highs }): BinnedSample => ({
        grid,
        bins,
        counts: counts.map(Number),
        totals,
        lows,
        highs,
      }))
      return [subject, samples.length === 1 ? samples[0]! : mergedSample(samples)]
    }),
  )
}

function withOthers(
  names: readonly string[],
  counts: readonly number[],
  all: number,
): Map<string, number> {
  const found = new Map(names.map((name, i) => [name, counts[i]!]))
  const rest = all - counts.reduce((sum, n) => sum + n, 0)
  if (rest > 0) found.set(OTHER_CATEGORIES, (found.get(OTHER_CATEGORIES) ?? 0) + rest)
  return found
}
