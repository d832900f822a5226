import { upperGamma } from './incomplete-gamma.ts'

/**
 * Pearson's chi-squared test that two histograms are draws from one distribution (homogeneity).
 * Categories empty in both are left out.
 *
 * @param a counts per category; length k, each ≥ 0
 * @param b counts over the same categories
 * @returns statistic ≥ 0, degrees of freedom (occupied categories − 1) and p in [0, 1]; p is 1 for
 *   fewer than two occupied categories
 * @throws {RangeError} when the lengths differ or a histogram is empty. O(k) time.
 * @see Pearson (1900); Agresti (2013), Categorical Data Analysis, section 3.2
 * @example chiSquared([10, 20], [20, 10]) // => { statistic: 6.6666666667, degrees: 1, p: 0.0098232745 }
 */
export function chiSquared(
  a: readonly number[],
  b: readonly number[],
): { statistic: number; degrees: number; p: number } {
  if (a.length !== b.length) throw new RangeError('chiSquared requires histograms of one length')
  const n = a.reduce((sum, x) => sum + x, 0)
  const m = b.reduce((sum, x) => sum + x, 0)
  if (n === 0 || m === 0)
    throw new RangeError('chiSquared requires at least one observation per histogram')
  let statistic = 0
  let occupied = 0
  for (const [i, x] of a.entries()) {
    const y = b[i]!
    if (x + y === 0) continue
    occupied++
    const expectedA = ((x + y) * n) / (n + m)
    const expectedB = ((x + y) * m) / (n + m)
    statistic += (x - expectedA) ** 2 / expectedA + (y - expectedB) ** 2 / expectedB
  }
  const degrees = Math.max(0, occupied - 1)
  return { statistic, degrees, p: degrees === 0 ? 1 : chiSquaredSurvival(statistic, degrees) }
}

/**
 * Probability that a chi-squared variable exceeds x.
 *
 * @param degrees ≥ 1
 * @returns in [0, 1]
 * @example chiSquaredSurvival(3.841458820694124, 1) // => 0.05
 */
export const chiSquaredSurvival = (x: number, degrees: number): number =>
  upperGamma(degrees / 2, x / 2)

/**
 * The x that a chi-squared variable exceeds with probability 1 − p, by bisection.
 *
 * @param p in (0, 1)
 * @param degrees ≥ 1
 * @returns > 0, to 1e-10 relative
 * @throws {RangeError} when p is outside (0, 1) or degrees below 1
 * @example chiSquaredQuantile(0.95, 1) // => 3.8414588207
 */
export function chiSquaredQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p < 1) || !(degrees >= 1))
    throw new RangeError('chiSquaredQuantile requires p in (0, 1) and degrees of 1 or more')
  let low = 0
  let high = degrees + 10
  while (chiSquaredSurvival(high, degrees) > 1 - p) high *= 2
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2
    if (chiSquaredSurvival(middle, degrees) > 1 - p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
