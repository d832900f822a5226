/**
 * Whether one unit of many (a producer, a version) is unlike all others of the same window, by more
 * than units differ by nature.
 */
import { studentTail } from '../distributions/student-t.ts'

/** A mean over the values of one unit. */
export interface UnitMean {
  /** Values of the unit, > 0. */
  size: number
  mean: number
  /** Variance of the single values. */
  variance: number
}

/** How much units differ by nature, beyond the sampling of their values. */
export interface UnitNoise {
  /** Variance between units over that within them, ≥ 0. */
  ratio: number
  /** Standard error of the ratio; Infinity where nothing tells it. */
  error: number
  /** Degrees of freedom that it was learned from. */
  degrees: number
}

/** What a unit is beside the others. */
export interface OddTest {
  /** Two-sided, in [0, 1]; not corrected for the number of units. */
  p: number
  /** The unit's mean minus that of all others. */
  difference: number
}

/** Degrees of freedom of a test at least: with fewer nothing could ever be odd. */
const MIN_DEGREES = 1

/** Variance within the units, pooled over them; 0 where all values of each are equal. */
function withinVariance(units: readonly UnitMean[]): number {
  const size = sum(units, (unit) => unit.size)
  return sum(units, (unit) => unit.size * unit.variance) / size
}

/**
 * Learns how much units differ by nature from windows that had several of them, by the method of
 * moments over all windows. Which units they were does not matter, so units may come and go.
 *
 * @param windows per window its units; windows with fewer than two tell nothing
 * @returns ratio 0 where units differ by sampling alone
 * @see DerSimonian and Laird (1986), Controlled Clinical Trials 7, 177–188
 * @example unitNoise([[{ size: 10, mean: 0, variance: 1 }, { size: 10, mean: 1, variance: 1 }]]).ratio // => 0.4
 */
export function unitNoise(windows: readonly (readonly UnitMean[])[]): UnitNoise {
  let [excess, scale, degrees] = [0, 0, 0]
  for (const units of windows) {
    const within = withinVariance(units)
    if (units.length < 2 || !(within > 0)) continue
    const size = sum(units, (unit) => unit.size)
    const mean = sum(units, (unit) => unit.size * unit.mean) / size
    const own = units.length - 1
    excess += sum(units, (unit) => unit.size * (unit.mean - mean) ** 2) / within - own
    scale += size - sum(units, (unit) => unit.size ** 2) / size
    degrees += own
  }
  if (!(scale > 0)) return { ratio: 0, error: Infinity, degrees: 0 }
  const ratio = Math.max(0, excess / scale)
  // The mean size of a unit is scale / degrees.
  const error = (Math.sqrt(2 * degrees) * (1 + (ratio * scale) / degrees)) / scale
  return { ratio, error, degrees }
}

/**
 * Tests each of K ≥ 2 units against all others together.
 *
 * @param others what the window holds besides the units, such as those too small to be tested
 * @param noise with degrees > 0
 * @param leastEffect differences below it do not matter however sure they are: their p is 1
 * @returns K tests. O(K) time.
 * @see Satterthwaite (1946), Biometrics Bulletin 2, 110–114
 */
export function oddOnesOut(
  units: readonly UnitMean[],
  others: readonly UnitMean[],
  noise: UnitNoise,
  leastEffect: number,
): OddTest[] {
  const all = [...units, ...others]
  const within = withinVariance(all)
  const size = sum(all, (unit) => unit.size)
  const total = sum(all, (unit) => unit.size * unit.mean)
  const squares = sum(all, (unit) => unit.size ** 2)
  return units.map((unit) => {
    const rest = size - unit.size
    if (!(rest > 0) || !(within > 0)) return { p: 1, difference: 0 }
    const difference = unit.mean - (total - unit.size * unit.mean) / rest
    if (Math.abs(difference) < leastEffect) return { p: 1, difference }
    const nature = 1 + (squares - unit.size ** 2) / rest ** 2
    const variance = 1 / unit.size + 1 / rest + noise.ratio * nature
    // Satterthwaite: what sampling adds is known, what nature adds is an estimate.
    const degrees = (2 * variance ** 2) / (nature * noise.error) ** 2
    const t = Math.abs(difference) / Math.sqrt(within * variance)
    return { p: Math.min(1, 2 * studentTail(t, Math.max(MIN_DEGREES, degrees))), difference }
  })
}

const sum = <T>(items: readonly T[], of: (item: T) => number) =>
  items.reduce((total, item) => total + of(item), 0)
