/**
 * Truth of a sampled stream, summed up inside ClickHouse: every known outcome weighs as many as it stands for. Counts and the uncertainty
 * of means are those of Kish's effective number (`sampling.ts`). Scores and errors are asked only where something was sampled.
 */
import type { ClickHouse, Params } from '../../lib/clickhouse.ts'
import type { SummaryRow } from './outcome-queries.ts'
import { kishFactor } from './sampling.ts'
import type { ErrorMoments, Mean, ScoredOutcomes } from './window-data.ts'

interface Moments {
  /** How many independent values they are worth. */
  n: number
  mean: Mean
}

interface Quantity {
  sql: string
  /** About their mean: squares of what is left keep their digits. */
  near: number | null
  where?: string
}

const placeNear = (near: number | null) => (Number.isFinite(near) ? near! : 0)

/**
 * Weighted moments of some quantities, each where it is known; undefined for one that nowhere is.
 *
 * @param source a subselect with a `weight` beside what the quantities name
 */
export async function weightedMoments<K extends string>(
  db: ClickHouse,
  quantities: Record<K, Quantity>,
  source: string,
  params: Params,
): Promise<Record<K, Moments | undefined>> {
  const entries = Object.entries<Quantity>(quantities)
  const [row] = await db.query<Record<string, number>>(
    `SELECT ${entries
      .flatMap(([name, { sql, where }]) => {
        const known = `isNotNull(${sql})${where ? ` AND ${where}` : ''}`
        const off = `(assumeNotNull(${sql}) - {near_${name}:Float64})`
        return [
          `sumIf(weight, ${known}) AS w_${name}`,
          `sumIf(weight * weight, ${known}) AS s_${name}`,
          `sumIf(weight * ${off}, ${known}) AS d_${name}`,
          `sumIf(weight * ${off} * ${off}, ${known}) AS q_${name}`,
        ]
      })
      .join(', ')} FROM ${source}`,
    {
      ...params,
      ...Object.fromEntries(entries.map(([name, { near }]) => [`near_${name}`, placeNear(near)])),
    },
  )
  return Object.fromEntries(
    entries.map(([name, { near }]) => {
      const of = (sum: string) => row?.[`${sum}_${name}`] ?? 0
      const weight = of('w')
      if (weight === 0) return [name, undefined]
      const n = weight * kishFactor({ weight, squares: of('s') })
      const off = of('d') / weight
      const variance = Math.max(0, of('q') / weight - off ** 2)
      const standardDeviation = n > 1 ? Math.sqrt((variance * n) / (n - 1)) : 0
      return [name, { n, mean: { mean: placeNear(near) + off, standardDeviation } }]
    }),
  ) as Record<K, Moments | undefined>
}

interface RankRow {
  positives: number
  negatives: number
  squares: number
  area: number | null
  precision: number | null
  top: number
  top_positives: number
}

/**
 * Areas by score: each score once, with what weighs positive and negative there.
 *
 * @param row the same truth, each outcome once
 * @param source of `truth-source.ts`, with its parameters
 */
export async function weightedScores(
  db: ClickHouse,
  row: SummaryRow,
  source: string,
  params: Params,
): Promise<ScoredOutcomes | undefined> {
  const { loss, square } = await weightedMoments(
    db,
    { loss: { sql: 'loss', near: row.loss }, square: { sql: 'square', near: row.square } },
    source,
    params,
  )
  const [ranks] = await db.query<RankRow>(
    `SELECT sum(p) AS positives, sum(n) AS negatives, sum(w2) AS squares,
       sum(p * (n_up_to - n / 2)) / (positives * negatives) AS area,
       sum(p * (positives_all - p_up_to + p) / (total - up_to + p + n)) / positives AS precision,
       -- The tenth of the weight with the highest scores; of the score it ends in, a part.
       sum(least(p + n, greatest(0, total / 10 - (total - up_to)))) AS top,
       sum(p / (p + n) * least(p + n, greatest(0, total / 10 - (total - up_to)))) AS top_positives
     FROM (SELECT *, sum(n) OVER up AS n_up_to, sum(p) OVER up AS p_up_to, sum(p + n) OVER up AS up_to, sum(p) OVER () AS positives_all, sum(p + n) OVER () AS total
       FROM (SELECT assumeNotNull(score) AS s, sumIf(truth.weight, positive) AS p, sumIf(truth.weight, NOT positive) AS n, sum(truth.weight * truth.weight) AS w2
         FROM ${source} AS truth WHERE isNotNull(score) GROUP BY s)
       WINDOW up AS (ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))`,
    params,
  )
  if (!ranks || !loss || !square) return undefined
  const { positives, negatives, area, precision, squares } = ranks
  const factor = kishFactor({ weight: positives + negatives, squares })
  return {
    positives: positives * factor,
    negatives: negatives * factor,
    auc: positives > 0 && negatives > 0 ? area : null,
    averagePrecision: positives > 0 ? precision : null,
    top: { n: ranks.top * factor, positives: ranks.top_positives * factor },
    losses: { logLoss: loss.mean, brier: square.mean },
  }
}

/** Of numbers; the parameters are those of {@link weightedScores}. */
export async function weightedErrors(
  db: ClickHouse,
  row: SummaryRow,
  source: string,
  params: Params,
): Promise<ErrorMoments | undefined> {
  const known = 'isNotNull(error)'
  const isRelative = `${known} AND label_number != 0`
  const { absolute, squared, bias, relative, label, size } = await weightedMoments(
    db,
    {
      absolute: { sql: 'abs(error)', near: row.absolute },
      squared: { sql: 'error * error', near: row.squared },
      bias: { sql: 'error', near: row.bias },
      relative: { sql: 'abs(error / label_number)', near: row.relative, where: isRelative },
      label: { sql: 'label_number', near: row.label_mean, where: known },
      size: { sql: 'abs(label_number)', near: row.label_mean, where: known },
    },
    source,
    params,
  )
  if (!absolute || !squared || !bias || !label || !size) return undefined
  return {
    n: absolute.n,
    absolute: absolute.mean,
    squared: squared.mean,
    // Of the window itself, not of what it is drawn from.
    labelVariance: (label.mean.standardDeviation ** 2 * (label.n - 1)) / label.n,
    bias: bias.mean,
    relative: relative?.mean,
    nonzero: relative?.n ?? 0,
    meanLabel: size.mean.mean,
  }
}
