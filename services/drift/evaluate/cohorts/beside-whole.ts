/** Cohorts of a window beside the model as a whole, each metric corrected for all of them. Pure. */
import { normalQuantile } from '../../../../lib/stats/distributions/normal-quantile.ts'
import type { Cell } from '../../../../schemas/http/cohorts.ts'

/** Level of the intervals that are shown. */
const CI_LEVEL = 0.95

/** A metric of a cohort as it was published. */
export type Published = Omit<Cell, 'standing'>

/** How a metric is read. */
export interface CellRules {
  /** 1 where more is worse, -1 where less is, 0 where neither. */
  worse: -1 | 0 | 1
  /** Cases below which a number is too little. */
  minCount: number
}

/**
 * Where each cohort stands beside the model as a whole, in the order of `cells`.
 *
 * @param whole value of the model as a whole; null where it has none
 * @param cells of one metric: their intervals are widened so that all hold together (Bonferroni)
 */
export function standingsOf(
  whole: number | null,
  cells: readonly Published[],
  { worse, minCount }: CellRules,
): Cell['standing'][] {
  const tested = cells.filter((cell) => isKnown(cell) && cell.n >= minCount).length
  const wider = widening(tested)
  return cells.map((cell) => {
    if (cell.value === null) return cell.n < minCount ? 'too_few' : 'unknown'
    if (cell.n < minCount || cell.verdict === 'incomplete') return 'too_few'
    if (whole === null || !isKnown(cell)) return 'unknown'
    const low = cell.value - wider * (cell.value - cell.ci_low!)
    const high = cell.value + wider * (cell.ci_high! - cell.value)
    if (low <= whole && high >= whole) return 'alike'
    if (worse === 0) return 'differs'
    return Math.sign(cell.value - whole) === worse ? 'worse' : 'better'
  })
}

const isKnown = ({ value, ci_low, ci_high }: Published) =>
  value !== null && ci_low !== null && ci_high !== null

/**
 * Factor by which an interval of one is wider where so many are to hold together.
 *
 * @example widening(10) // => 1.4321865
 */
export const widening = (together: number): number =>
  normalQuantile(1 - (1 - CI_LEVEL) / (2 * Math.max(1, together))) /
  normalQuantile((1 + CI_LEVEL) / 2)
