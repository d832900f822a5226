/**
 * Whether the number of events of a window is an unusual one, by the numbers of the windows before
 * it. Pure.
 */
import { incompleteBeta } from '../distributions/incomplete-beta.ts'
import { studentTail } from '../distributions/student-t.ts'
import { momentsOf } from '../samples/moments.ts'

/** Fewer windows have no known spread. */
export const MIN_COUNTS = 8
/** Beyond this mean the two tests agree, and the first takes long. */
const MAX_MIXTURE_MEAN = 1e5

/**
 * Two-sided p of a count under counts that vary more than Poisson's do.
 *
 * The greater of two p: that of a negative binomial with the mean and the variance of the counts (a
 * Poisson mixture; where the counts do not spread more than Poisson's, the predictive one of their
 * mean), and that of Student's t on log(x + 1/2), which holds for rates that vary by factors.
 * Either alone is too small where the other's shape is the true one.
 *
 * @param count events of the window, a whole number >= 0
 * @param before events of earlier windows that it is like, at least {@link MIN_COUNTS}
 * @returns in [0, 1]; undefined with fewer windows, and where none of them had an event
 * @see Hilbe (2011), Negative Binomial Regression, section 8.1, for the parametrisation by mean and
 *   variance
 */
export function countTail(count: number, before: readonly number[]): number | undefined {
  if (before.length < MIN_COUNTS) return undefined
  const { mean, variance } = momentsOf(before)
  if (mean === 0) return undefined
  const byFactors = logTail(count, before, 1 / mean)
  if (mean > MAX_MIXTURE_MEAN) return byFactors
  const size = variance > mean ? mean ** 2 / (variance - mean) : mean * before.length
  return Math.max(negativeBinomialTail(count, mean, size), byFactors)
}

function negativeBinomialTail(count: number, mean: number, size: number): number {
  const success = size / (size + mean)
  const below = incompleteBeta(size, count + 1, success)
  const above = count === 0 ? 1 : 1 - incompleteBeta(size, count, success)
  return Math.min(1, 2 * Math.min(below, above))
}

/** @param poisson the variance that the logarithm has at least: that of Poisson's counts */
function logTail(count: number, before: readonly number[], poisson: number): number {
  const scale = (x: number) => Math.log(x + 0.5)
  const n = before.length
  const { mean, variance } = momentsOf(before.map(scale))
  const t = (scale(count) - mean) / Math.sqrt(Math.max(variance, poisson) * (1 + 1 / n))
  return 2 * studentTail(Math.abs(t), n - 1)
}
