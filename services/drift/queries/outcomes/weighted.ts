/**
 * Truth of a sampled stream, summed up inside ClickHouse: every known outcome weighs as many as it
 * stands for. Counts and the uncertainty of means are those of Kish's effective number
 * (`services/drift/data/sampling.ts`). Asked only where something was sampled.
 */
import type { SummaryRow } from './summary.ts'
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import { kishFactor } from '../../data/sampling.ts'
import type { ErrorMoments, Mean, ScoredOutcomes } from '../../data/window-data.ts'

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

/**
 * Losses of scores that are probabilities; undefined where there is none.
 *
 * @param row the same truth, each outcome once
 * @param source of `labelled-outcomes.ts`, with its parameters
 */
export async function weightedLosses(
  db: ClickHouse,
  row: SummaryRow,
  source: string,
  params: Params,
): Promise<ScoredOutcomes['losses']> {
  const { loss, square } = await weightedMoments(
    db,
    { loss: { sql: 'loss', near: row.loss }, square: { sql: 'square', near: row.square } },
    source,
    params,
  )
  return loss && square && { n: loss.n, logLoss: loss.mean, brier: square.mean }
}

/** Reads the weighted errors of numbers; the parameters are those of {@link weightedLosses}. */
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
    // Variance within the window itself, not of what it is drawn from.
    labelVariance: (label.mean.standardDeviation ** 2 * (label.n - 1)) / label.n,
    bias: bias.mean,
    relative: relative?.mean,
    nonzero: relative?.n ?? 0,
    meanLabel: size.mean.mean,
  }
}
