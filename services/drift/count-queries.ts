/** Counts of numbers and categories over spans of time, merged inside ClickHouse as far as their grids allow. */
import type { ClickHouse, Params } from '../../lib/clickhouse.ts'
import { mergedSample, type BinnedSample } from '../../lib/stats/binned-sample.ts'
import type { WindowCounts } from './window-data.ts'

/** Categories counted by name; what is rarer is counted together. */
const MAX_CATEGORIES = 10_000
export const OTHER_CATEGORIES = '@other'

/** Which of the spans in the parameters a step lies in, from 1; spans do not overlap. */
export const SPAN =
  "arrayFirstIndex((s, e) -> step >= s AND step < e, {starts:Array(DateTime64(3, 'UTC'))}, {ends:Array(DateTime64(3, 'UTC'))})"

interface NumericRow {
  span: number
  subject: string
  grid: number
  bins: number[]
  counts: string[]
  totals: number[]
  lows: number[]
  highs: number[]
}

/**
 * @param where conditions on the steps, with the spans among the parameters
 * @param bySpan whether spans are counted apart, or all as one
 * @returns counts per span, in their order; one entry for all of them otherwise
 */
export async function readCounts(
  db: ClickHouse,
  params: Params,
  where: string,
  bySpan: boolean,
): Promise<Pick<WindowCounts, 'numeric' | 'categories'>[]> {
  const span = bySpan ? SPAN : '1'
  const numeric = await db.query<NumericRow>(
    `SELECT span, subject, grid, groupArray(bin) AS bins, groupArray(n) AS counts, groupArray(t) AS totals, groupArray(l) AS lows, groupArray(h) AS highs
     FROM (SELECT ${span} AS span, subject, grid, bin, sum(count) AS n, sum(total) AS t, min(low) AS l, max(high) AS h FROM numeric_counts ${where}
           GROUP BY span, subject, grid, bin ORDER BY span, subject, grid, bin)
     GROUP BY span, subject, grid`,
    params,
  )
  const categories = await db.query<{
    span: number
    subject: string
    categories: string[]
    counts: string[]
    all: string
  }>(
    `SELECT span, subject, groupArray(${MAX_CATEGORIES})(category) AS categories, groupArray(${MAX_CATEGORIES})(n) AS counts, sum(n) AS all
     FROM (SELECT ${span} AS span, subject, category, sum(count) AS n FROM category_counts ${where}
           GROUP BY span, subject, category ORDER BY span, subject, n DESC, category)
     GROUP BY span, subject`,
    params,
  )
  const spans = bySpan ? (params['starts'] as string[]).length : 1
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
