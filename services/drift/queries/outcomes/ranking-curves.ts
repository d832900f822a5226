/**
 * How well scores rank what became true: areas under curves, each score once with what weighs
 * positive and negative there.
 */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import { kishFactor } from '../../data/sampling.ts'
import type { ScoredOutcomes } from '../../data/window-data.ts'

/** How scores rank labelled cases, without losses. */
export type Ranks = Omit<ScoredOutcomes, 'losses' | 'improbable'>

interface RankRow {
  part: string
  positives: number
  negatives: number
  squares: number
  area: number | null
  precision: number | null
  top: number
  top_positives: number
}

/**
 * Reads the ranks of labelled outcomes that have a score. Equal scores share: half of their pairs
 * count for the area, and a part of the score in which the highest tenth ends. Where every event
 * was drawn that tenth is a whole number of them, rounded up.
 *
 * @param source of `labelled-outcomes.ts`, with its parameters
 * @param apart what is told apart, in SQL
 */
export async function readRanks(
  db: ClickHouse,
  source: string,
  params: Params,
  apart: string,
): Promise<Map<string, Ranks>> {
  const rows = await db.query<RankRow>(
    `SELECT part, sum(p) AS positives, sum(n) AS negatives, sum(w2) AS squares,
       sum(p * (n_up_to - n / 2)) / (positives * negatives) AS area,
       sum(p * (positives_all - p_up_to + p) / (total - up_to + p + n)) / positives AS precision,
       any(highest) AS top,
       sum(p / (p + n) * least(p + n, greatest(0, highest - (total - up_to)))) AS top_positives
     FROM (SELECT *, if(squares_all = total, ceil(total / 10), total / 10) AS highest
       FROM (SELECT *, sum(n) OVER up AS n_up_to, sum(p) OVER up AS p_up_to, sum(p + n) OVER up AS up_to, sum(p) OVER own AS positives_all, sum(p + n) OVER own AS total, sum(w2) OVER own AS squares_all
         FROM (SELECT ${apart} AS part, assumeNotNull(score) AS s, sumIf(truth.weight, positive) AS p, sumIf(truth.weight, NOT positive) AS n, sum(truth.weight * truth.weight) AS w2
           FROM ${source} AS truth WHERE isNotNull(score) GROUP BY part, s)
         WINDOW own AS (PARTITION BY part), up AS (PARTITION BY part ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)))
     GROUP BY part`,
    params,
  )
  return new Map(rows.map((row) => [row.part, ranksOf(row)]))
}

function ranksOf({ positives, negatives, squares, area, precision, ...highest }: RankRow): Ranks {
  const factor = kishFactor({ weight: positives + negatives, squares })
  return {
    positives: positives * factor,
    negatives: negatives * factor,
    auc: positives > 0 && negatives > 0 ? area : null,
    averagePrecision: positives > 0 ? precision : null,
    top: { n: highest.top * factor, positives: highest.top_positives * factor },
  }
}
