/** Counts of numbers and categories over spans of time, merged inside ClickHouse as far as their grids allow. */
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
  const span = bySpan ? spanOf('step') : '1'
  const numeric = await db.query<NumericRow>(
    binsOf(
      `SELECT model_id AS model, ${span} AS span, subject, grid, bin, sum(count) + sum(extra_weight) AS n, sum(total) AS t, min(low) AS l, max(high) AS h
       FROM numeric_counts ${where} GROUP BY model, span, subject, grid, bin`,
    ),
    params,
  )
  const categories = await db.query<CategoryRow>(
    `SELECT model, span, subject, groupArray(${MAX_CATEGORIES})(category) AS categories, groupArray(${MAX_CATEGORIES})(n) AS counts, sum(n) AS all
     FROM (SELECT model_id AS model, ${span} AS span, subject, category, sum(count) + sum(extra_weight) AS n FROM category_counts ${where}
           GROUP BY model, span, subject, category ORDER BY model, span, subject, n DESC, category)
     GROUP BY model, span, subject`,
    params,
  )
  const numbers = Map.groupBy(numeric, (row) => row.model)
  const texts = Map.groupBy(categories, (row) => row.model)
  return (modelId) =>
    perSpan(numbers.get(modelId) ?? [], texts.get(modelId) ?? [], spanCount(params, bySpan))
}

const spanCount = (params: Params, bySpan: boolean) =>
  bySpan ? (params['starts'] as string[]).length : 1

/** Grid on which raw rows are counted: finer than most counts need. */
const RAW_GRID = 2

export interface RawSource {
  /** `predictions`, or what has its columns, and conditions on it. */
  table: string
  where: string
  /** Whether every value is a bin of its own. */
  exact?: boolean
  /** Whether events that were sampled count as they came. */
  unweighted?: boolean
}

/**
 * The same from raw predictions, for what no counts are kept of: costs grow with the events.
 *
 * @param bySpan whether spans are counted apart, or all as one
 */
export async function readRawCounts(
  db: ClickHouse,
  params: Params,
  { table, where, exact = false, unweighted = false }: RawSource,
  bySpan: boolean,
): Promise<WindowCounts[]> {
  const weight = unweighted ? 'toFloat64(1)' : STANDS_FOR
  const bin = exact
    ? 'x'
    : `toInt32(bitShiftRight(bitAnd(reinterpretAsUInt32(toFloat32(x)), 0x7fffffff), ${20 - 4 * RAW_GRID}) * if(x < 0, -1, 1))`
  const span = bySpan ? spanOf('predicted_at') : '1'
  const totals = await db.query<{ span: number; events: string; errors: string } & Weights>(
    `SELECT ${span} AS span, count() AS events, countIf(status = 'error') AS errors, sum(${weight}) AS weight, sum(pow(${weight}, 2)) AS squares FROM ${table} ${where} GROUP BY span`,
    params,
  )
  const numeric = await db.query<NumericRow>(
    binsOf(
      `SELECT '' AS model, span, subject, ${RAW_GRID} AS grid, ${bin} AS bin, sum(w) AS n, sum(w * x) AS t, min(x) AS l, max(x) AS h
       FROM (
         SELECT ${span} AS span, subject, assumeNotNull(value) AS x, ${weight} AS w FROM ${table}
         ARRAY JOIN arrayConcat(mapKeys(features), ['@prediction', '@score', '@latency_ms']) AS subject,
           arrayConcat(arrayMap(v -> variantElement(v, 'Float64'), mapValues(features)), [prediction_number, score, latency_ms]) AS value
         ${where} AND isNotNull(value))
       GROUP BY span, subject, bin`,
    ),
    params,
  )
  const categories = await db.query<CategoryRow>(
    `SELECT '' AS model, span, subject, groupArray(${MAX_CATEGORIES})(category) AS categories, groupArray(${MAX_CATEGORIES})(n) AS counts, sum(n) AS all
     FROM (
       SELECT ${span} AS span, subject, substringUTF8(assumeNotNull(value), 1, 200) AS category, sum(${weight}) AS n FROM ${table}
       ARRAY JOIN arrayConcat(mapKeys(features), ['@prediction']) AS subject,
         arrayConcat(
           arrayMap(v -> multiIf(variantType(v) = 'String', variantElement(v, 'String'), variantType(v) = 'Bool', toString(variantElement(v, 'Bool')), NULL), mapValues(features)),
           [if(isNull(prediction_number), prediction, NULL)]) AS value
       ${where} AND isNotNull(value)
       GROUP BY span, subject, category ORDER BY span, subject, n DESC, category)
     GROUP BY span, subject`,
    params,
  )
  return perSpan(numeric, categories, spanCount(params, bySpan)).map((own, i) => {
    const total = totals.find((row) => row.span === i + 1)
    return {
      events: Number(total?.events ?? 0),
      errors: Number(total?.errors ?? 0),
      duplicates: 0,
      ...effectiveCounts(own, total ?? { weight: 0, squares: 0 }),
    }
  })
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
