import { studentQuantile } from '../distributions/student-t.ts'
import { normalQuantile } from '../distributions/normal-quantile.ts'
import { momentsOf } from '../samples/moments.ts'
import type { Interval } from './proportions.ts'

/** A number that was measured, and its own standard error where that is known. */
export interface Measured {
  value: number
  standardError: number | undefined
}

/**
 * Interval of the difference of two means of measurements, `after` minus `before`: Welch's, where
 * the variance of a side is the greater of what its measurements show between them (n − 1 degrees
 * of freedom) and of what their own standard errors come to (known, so without degrees).
 *
 * @param confidence in (0, 1)
 * @returns undefined where a side has no variance that is known: fewer than two measurements, not
 *   all of them with a standard error
 * @see Welch (1947), Biometrika 34, 28–35
 * @example meanDifference([{ value: 1, standardError: 0.3 }], [{ value: 2, standardError: 0.4 }], 0.95) // => { low: 0.0200180077, high: 1.9799819923 }
 */
export function meanDifference(
  before: readonly Measured[],
  after: readonly Measured[],
  confidence: number,
): Interval | undefined {
  const [a, b] = [sideOf(before), sideOf(after)]
  if (!a || !b) return undefined
  const difference = b.mean - a.mean
  const variance = a.variance + b.variance
  const share = (side: Side) => (side.variance / variance) ** 2 / side.degrees
  const degrees = variance === 0 ? Infinity : 1 / (share(a) + share(b))
  const p = (1 + confidence) / 2
  // Student's t of so many degrees is normal to more digits than matter.
  const quantile = degrees > 1e6 ? normalQuantile(p) : studentQuantile(p, degrees)
  const half = quantile * Math.sqrt(variance)
  return { low: difference - half, high: difference + half }
}

/** The mean of a side, and the variance of that mean. */
interface Side {
  mean: number
  variance: number
  degrees: number
}

function sideOf(measured: readonly Measured[]): Side | undefined {
  const n = measured.length
  if (n === 0) return undefined
  const { mean, variance } = momentsOf(measured.map(({ value }) => value))
  const between = n > 1 ? variance / n : undefined
  const errors = measured.map(({ standardError = NaN }) => standardError ** 2)
  const sum = errors.reduce((total, error) => total + error, 0)
  const own = Number.isNaN(sum) ? undefined : sum / n ** 2
  if (between === undefined && own === undefined) return undefined
  return between === undefined || (own !== undefined && own > between)
    ? { mean, variance: own!, degrees: Infinity }
    : { mean, variance: between, degrees: n - 1 }
}
