/** Reads the confusion matrix of labelled outcomes. */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import { confusionOf, type Confusion } from '../../../../lib/stats/estimators/confusion.ts'

/** Pairs of true and predicted class that are read at most, the most frequent ones. */
const MAX_CELLS = 20_000
/** Classes whose totals are read at most where pairs are too many, the most frequent ones. */
const MAX_CLASSES = 5000

interface CellRow {
  part: string
  predicted: string
  label: string
  n: number
}

/** Totals of one class of a part: a part is the whole span, a slice value or a cohort. */
interface ClassRow {
  part: string
  class: string
  truly: number
  predicted: number
  right: number
  /** The part as a whole: how many classes, cases, and cases that were predicted right. */
  classes: string
  cases: number
  all_right: number
}

/** Makes a confusion matrix; `factor` is what one case counts (1 unless events are sampled). */
export type ReadConfusion = (factor: number) => Confusion

/**
 * Reads the confusion matrix of each part. Where classes are many, totals of each class are read
 * instead of every pair, so that no measure is made of the most frequent pairs alone.
 *
 * @param source of `labelled-outcomes.ts`, with its parameters
 * @param apart SQL of the part that a case belongs to
 * @returns by part; parts without a predicted class are left out
 */
export async function readConfusions(
  db: ClickHouse,
  source: string,
  params: Params,
  apart: string,
): Promise<Map<string, ReadConfusion>> {
  const cells = await db.query<CellRow>(
    `SELECT ${apart} AS part, predicted, label, sum(weight) AS n FROM ${source} WHERE isNotNull(predicted)
     GROUP BY part, predicted, label ORDER BY n DESC LIMIT ${MAX_CELLS + 1} BY part`,
    params,
  )
  const byPart = Map.groupBy(cells, ({ part }) => part)
  const isCut = [...byPart.values()].some((some) => some.length > MAX_CELLS)
  const totals = Map.groupBy(
    isCut ? await readClassTotals(db, source, params, apart) : [],
    ({ part }) => part,
  )
  return new Map(
    [...byPart].map(([part, some]) => [
      part,
      some.length > MAX_CELLS
        ? (factor) => cutConfusion(totals.get(part) ?? [], factor)
        : (factor) => confusionOf(some, factor),
    ]),
  )
}

/** Reads the totals of the most frequent classes of each part, and of the part as a whole. */
const readClassTotals = (db: ClickHouse, source: string, params: Params, apart: string) =>
  db.query<ClassRow>(
    `SELECT *, count() OVER w AS classes, sum(truly) OVER w AS cases, sum(right) OVER w AS all_right FROM (
       SELECT part, class, sum(n * is_truth) AS truly, sum(n * NOT is_truth) AS predicted, sum(n * is_truth * is_right) AS right FROM (
         SELECT ${apart} AS part, pair.1 AS class, pair.2 AS is_truth, predicted = label AS is_right, sum(weight) AS n
         FROM ${source} ARRAY JOIN [(label, true), (predicted, false)] AS pair WHERE isNotNull(predicted) GROUP BY part, class, is_truth, is_right
       ) GROUP BY part, class
     ) WINDOW w AS (PARTITION BY part) ORDER BY truly DESC, class LIMIT ${MAX_CLASSES} BY part`,
    params,
  )

/** A matrix that has only the totals of its classes: its pairs are too many to be read. */
function cutConfusion(totals: readonly ClassRow[], factor: number): Confusion {
  const of = (count: (row: ClassRow) => number) => totals.map((row) => count(row) * factor)
  const [anyClass] = totals
  return {
    classes: totals.map((row) => row.class),
    right: of((row) => row.right),
    predicted: of((row) => row.predicted),
    truly: of((row) => row.truly),
    n: (anyClass?.cases ?? 0) * factor,
    allRight: (anyClass?.all_right ?? 0) * factor,
    cells: [],
    allCells: false,
    allClasses: Number(anyClass?.classes ?? 0) <= MAX_CLASSES,
  }
}
