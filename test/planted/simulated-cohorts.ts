/** Windows of many producers, and of many cohorts, whose truth is known: for rates of alarms. */
import { normalQuantile } from '../../lib/stats/distributions/normal-quantile.ts'
import type { CohortLoss, CohortLosses, LossSums } from '../../services/drift/data/cohort-losses.ts'
import type { UnitCounts, UnitNumbers, UnitValues } from '../../services/drift/data/unit-values.ts'

/** Producers of one window, each with as many events. */
export interface UnitSetting {
  units: number
  size: number
  /** Standard deviation by which means of producers differ by nature, values spread over 1. */
  between?: number
}

const SUBJECTS = ['@score', 'amount']
const normal = (uniform: () => number) =>
  normalQuantile(Math.min(1 - 1e-9, Math.max(1e-9, uniform())))

/**
 * Two uniform numbers, an error of one in a hundred and a class of two in five.
 *
 * @param odd by how much the first producer's numbers are higher
 */
export function simulatedUnits(
  uniform: () => number,
  { units, size, between = 0 }: UnitSetting,
  spans: number,
  odd = 0,
): UnitValues {
  const numbers: UnitNumbers[] = []
  const counts: UnitCounts[] = []
  for (let span = 0; span < spans; span++) {
    for (const subject of SUBJECTS) {
      const shifts = Array.from(
        { length: units },
        (_, i) => between * normal(uniform) + (i === 0 ? odd : 0),
      )
      const rows = Array.from({ length: units * size }, (_, i) => ({
        unit: i % units,
        x: uniform() + shifts[i % units]!,
      })).toSorted((a, b) => a.x - b.x)
      const ranks = Array.from({ length: units }, (): number[] => [])
      rows.forEach(({ unit }, i) => ranks[unit]!.push((i + 0.5) / rows.length))
      ranks.forEach((own, unit) => {
        const meanRank = own.reduce((sum, r) => sum + r, 0) / size
        const rankVariance = own.reduce((sum, r) => sum + (r - meanRank) ** 2, 0) / size
        const named = { span, unit: `pod-${unit}`, subject, size, mean: meanRank }
        numbers.push({ ...named, meanRank, rankVariance })
      })
    }
    for (let unit = 0; unit < units; unit++) {
      const having = { error: 0, 'class a': 0 }
      for (let i = 0; i < size; i++) {
        if (uniform() < 0.01) having.error++
        if (uniform() < 0.4) having['class a']++
      }
      counts.push({ span, unit: `pod-${unit}`, events: size, version: '1', having })
    }
  }
  return { numbers, counts }
}

/** Labelled predictions with `names` attributes of `values` values each. */
export interface LossSetting {
  names: number
  values: number
  size: number
  /** Standard deviation between windows of a cohort's chance of an error. */
  between?: number
}

/** @param hard what a value of an attribute adds to the chance of an error, which is 0.2 */
export function simulatedLosses(
  uniform: () => number,
  { names, values, size, between = 0 }: LossSetting,
  spans: number,
  hard: (name: number, value: number) => number = () => 0,
): CohortLosses {
  const none = () => ({ weight: 0, squares: 0, loss: 0, lossSquares: 0 })
  const totals: LossSums[] = []
  const cohorts: CohortLoss[] = []
  for (let span = 0; span < spans; span++) {
    const total = none()
    const own = Array.from({ length: names * values }, none)
    const shifts = own.map(() => between * normal(uniform))
    for (let i = 0; i < size; i++) {
      const value = Array.from({ length: names }, () => Math.floor(values * uniform()))
      const chance = value.reduce(
        (sum, v, name) => sum + hard(name, v) + shifts[name * values + v]!,
        0.2,
      )
      const loss = uniform() < chance ? 1 : 0
      for (const sums of [total, ...value.map((v, name) => own[name * values + v]!)]) {
        sums.weight++
        sums.squares++
        sums.loss += loss
        sums.lossSquares += loss
      }
    }
    totals.push(total)
    own.forEach((sums, i) =>
      cohorts.push({ ...sums, span, name: `n${Math.floor(i / values)}`, part: `v${i % values}` }),
    )
  }
  return { totals, cohorts, edges: new Map() }
}
