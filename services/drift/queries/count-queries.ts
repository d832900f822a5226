/** Reads counts of numbers and categories over spans of time, merged inside ClickHouse. */
import { isFeature } from '../../../lib/events/subjects.ts'
import {
  CATEGORY_GROUPS,
  categoryTotal,
  MAX_FREQUENT,
  MAX_NAMED,
  withCut,
  type CategoryCounts,
} from '../../../lib/sink/counts/category-counts.ts'
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'
import { STORED_KEY, storedBins } from '../../../lib/sink/counts/stored-bins.ts'
import { mergedResolutions } from '../../../lib/sink/counts/mixed-resolutions.ts'
import { sampleSize, type BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import { effectiveCounts } from '../data/sampling.ts'
import { groupsOf, UNSLICED_KEYS } from '../data/cohort.ts'
import type { WindowCounts } from '../data/window-data.ts'
import { readTotals, spanCount } from './event-totals.ts'
import type { Counted } from './raw-counts.ts'

/**
 * Features of each kind that are evaluated in a span, those with the most values; the model's own
 * numbers are evaluated besides.
 */
export const MAX_SUBJECTS = 2000
/** Rows of features read of a span. Sorting in ClickHouse, to read fewer, would double the cost. */
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
  /** Categories with the least hashes, `greatest_hash` being the greatest of these. */
  categories: string[]
  counts: string[]
  greatest_hash: number
  /** How many categories there are. */
  kinds: string
  /** The most frequent categories, and the sums of groups, where there are too many to be kept. */
  frequent: string[]
  frequent_counts: number[]
  groups: number[]
  group_counts: number[]
}

/**
 * SQL of the bins of each subject as sorted arrays; sorting each by itself costs half of sorting
 * all.
 */
const binsOf = (counted: string) =>
  `SELECT model, span, subject, grid, sorted.1 AS bins, sorted.2 AS counts, sorted.3 AS totals, sorted.4 AS lows, sorted.5 AS highs
   FROM (SELECT model, span, subject, grid, arraySort(groupArray((toFloat64(key), n, t, l, h))) AS sorted
         FROM (${counted}) GROUP BY model, span, subject, grid)
   ${LIMITED}`

/**
 * SQL of the categories of each subject: all, or the cut of `lib/sink/counts/category-counts.ts`.
 */
const categoriesOf = (counted: string) => {
  const isCut = `kinds > ${MAX_NAMED}`
  return `SELECT model, span, subject, kinds, least.2 AS categories, least.3 AS counts, least[-1].1 AS greatest_hash,
     if(${isCut}, most.2, []) AS frequent, if(${isCut}, arrayMap(one -> -one.1, most), []) AS frequent_counts,
     if(${isCut}, grouped.1, []) AS groups, if(${isCut}, grouped.2, []) AS group_counts
   FROM (SELECT model, span, subject, countIf(n > 0) AS kinds, groupArraySorted(${MAX_NAMED})((hash, category, n)) AS least,
       groupArraySorted(${MAX_FREQUENT})((-n, category)) AS most, sumMap([toUInt16(hash % ${CATEGORY_GROUPS})], [n]) AS grouped
     FROM (SELECT model, span, subject, category, toFloat64(n) AS n, murmurHash3_32(category) AS hash FROM (${counted})) GROUP BY model, span, subject)
   ${LIMITED}`
}

/** Counts of the values of a span. */
export type Counts = Pick<WindowCounts, 'numeric' | 'categories' | 'empty' | 'leavesFeaturesOut'>

/**
 * Reads the counts of several models, all spans as one.
 *
 * @param where conditions on the time buckets, with the spans among the parameters
 * @param cohorts keys of cohorts without a slice, counted apart: a time bucket counts in every
 *   cohort that it is part of; without keys all that meets the conditions is counted together
 * @returns the counts of a model for each cohort in the order given, or one entry for all
 */
export const readCounts = (
  db: ClickHouse,
  params: Params,
  where: string,
  cohorts?: readonly string[],
): Promise<(modelId: string) => Counts[]> =>
  cohorts
    ? readEntries(db, { ...params, cohorts }, where, {
        index: `arrayJoin(arrayMap(key -> toUInt32(${COHORT}), ${UNSLICED_KEYS}))`,
        entries: cohorts.length,
      })
    : readEntries(db, params, where, { index: '1', entries: 1 })

/**
 * Reads the counts of several models, each group of spans by itself.
 *
 * @param params with `groups` of the spans
 * @param apart how many groups there are, and cohorts as {@link readCounts} takes them
 * @returns the counts of a model for each group, and in each as {@link readCounts} gives them
 */
export async function readCountsOfGroups(
  db: ClickHouse,
  params: Params,
  where: string,
  { groups, cohorts }: { groups: number; cohorts: readonly string[] | undefined },
): Promise<(modelId: string) => Counts[][]> {
  const length = cohorts?.length ?? 1
  const ofKey = `if(${COHORT} = 0, 0, (part - 1) * ${length} + ${COHORT})`
  const ofGroup = `arrayMap(key -> toUInt32(${ofKey}), ${UNSLICED_KEYS})`
  const all = groupsOf('step')
  const of = await readEntries(db, cohorts ? { ...params, cohorts } : params, where, {
    index: `arrayJoin(${cohorts ? `arrayFlatten(arrayMap(part -> ${ofGroup}, ${all}))` : all})`,
    entries: groups * length,
  })
  return (modelId) => {
    const found = of(modelId)
    return Array.from({ length: groups }, (_, i) => found.slice(i * length, (i + 1) * length))
  }
}

/** SQL of the number from 1 of a requested cohort; 0 for any other. */
const COHORT = 'indexOf({cohorts:Array(String)}, key)'

/** Reads counts of several models apart by an index from 1; 0 is not wanted. */
async function readEntries(
  db: ClickHouse,
  params: Params,
  where: string,
  { index, entries }: { index: string; entries: number },
): Promise<(modelId: string) => Counts[]> {
  const counted = keptCounts(where, index)
  const numeric = await db.query<NumericRow>(binsOf(counted.numbers), params)
  const numbers = Map.groupBy(numeric, (row) => row.model)
  const categories = await db.query<CategoryRow>(categoriesOf(counted.categories), params)
  const texts = Map.groupBy(categories, (row) => row.model)
  return (modelId) => perSpan(numbers.get(modelId) ?? [], texts.get(modelId) ?? [], entries)
}

/**
 * SQL of the counts that are kept of models; the parameters are those of {@link readCounts}.
 *
 * @param span SQL of what is counted apart: a number from 1, and 0 for what is not wanted
 */
export function keptCounts(where: string, span: string): Omit<Counted, 'totals'> {
  const keys = `model_id AS model, ${span} AS span`
  return {
    numbers: `SELECT ${keys}, subject, grid, ${STORED_KEY} AS key, sum(count) + sum(extra_weight) AS n, sum(total) AS t, min(low) AS l, max(high) AS h
      FROM numeric_counts ${where} GROUP BY model, span, subject, grid, key`,
    categories: `SELECT ${keys}, subject, category, sum(count) + sum(extra_weight) AS n FROM category_counts ${where}
      GROUP BY model, span, subject, category`,
  }
}

/**
 * Reads the counts of one model, an entry for each span.
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
  return perSpan(numeric, categories, spanCount(params, bySpan)).map((counts, i) => {
    const { squares, weight, ...sums } = totals[i]!
    return { ...sums, ...effectiveCounts(counts, { weight, squares }) }
  })
}

function perSpan(
  numeric: readonly NumericRow[],
  categories: readonly CategoryRow[],
  spans: number,
): Counts[] {
  const numericOfSpan = Map.groupBy(numeric, ({ span }) => span)
  const categoriesOfSpan = Map.groupBy(categories, ({ span }) => span)
  return Array.from({ length: spans }, (_, i) => {
    const own = numericOfSpan.get(i + 1) ?? []
    const numbers = numericOf([...Map.groupBy(own, (row) => row.subject)])
    const named = (categoriesOfSpan.get(i + 1) ?? []).map(
      (row) => [row.subject, categoryCounts(row)] as const,
    )
    const texts = new Map(named.filter(([, counts]) => counts.size > 0))
    const empty = named.flatMap(([subject, { size }]) =>
      size === 0 && !numbers.has(subject) ? [subject] : [],
    )
    const [fewNumbers, fewTexts] = [
      mostValued(numbers, sampleSize),
      mostValued(texts, categoryTotal),
    ]
    return {
      numeric: fewNumbers,
      categories: fewTexts,
      ...(empty.length > 0 && { empty: new Set(empty) }),
      ...((fewNumbers !== numbers || fewTexts !== texts) && { leavesFeaturesOut: true }),
    }
  })
}

/** The model's own numbers, and where features are too many those with the most values. */
function mostValued<T>(subjects: Map<string, T>, sizeOf: (counts: T) => number): Map<string, T> {
  if (subjects.size <= MAX_SUBJECTS) return subjects
  const sized = [...subjects].map(([name, counts]) => ({
    name,
    counts,
    size: isFeature(name) ? sizeOf(counts) : Infinity,
  }))
  return new Map(
    sized
      // Two infinities differ by NaN, which leaves it to their names.
      .toSorted((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1))
      .slice(0, MAX_SUBJECTS)
      .map(({ name, counts }) => [name, counts]),
  )
}

/** Merges the counts of each subject at the finest bin resolution that holds all of them. */
function numericOf(
  subjects: readonly (readonly [string, readonly NumericRow[]])[],
): Map<string, BinnedSample> {
  return new Map(
    subjects.map(([subject, grids]) => {
      const samples = grids.map(({ grid, bins, counts, totals, lows, highs }): BinnedSample => ({
        ...storedBins(grid, bins),
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
  const found = new Map<string, number>()
  // A feature that had no value in some time buckets has '' without a count.
  row.categories.forEach((name, i) => {
    const n = Number(row.counts[i])
    if (n > 0) found.set(name, n)
  })
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
