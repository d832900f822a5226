/**
 * Confidence sequences: intervals that hold at every sample size at once, so that one may look
 * after each event and stop when one likes. An ordinary 95 % interval that is looked at all the
 * time misses the truth sooner or later.
 */
import { logGamma } from '../distributions/incomplete-gamma.ts'
import type { Interval } from './proportions.ts'

/**
 * The mean of values in [0, 1], by a predictable plug-in empirical-Bernstein sequence; the
 * intersection of all intervals so far.
 *
 * @param values in the order in which they came, each in [0, 1]; independent given those before,
 *   with one mean
 * @param alpha in (0, 1): the probability that the interval ever misses the mean, at any length
 * @returns within [0, 1]; all of it without values. O(n) time.
 * @see Waudby-Smith & Ramdas (2024), J. R. Statist. Soc. B 86, 1–27, theorem 2
 * @example boundedMeanSequence([1, 1, 1, 1, 1, 1, 1, 1], 0.05) // => { low: 0.0593415575, high: 1 }
 */
export function boundedMeanSequence(values: Iterable<number>, alpha: number): Interval {
  const fee = Math.log(2 / alpha)
  let n = 0
  let sum = 0
  let mean = 0.5
  let squares = 0
  let variance = 0.25
  let weights = 0
  let weighted = 0
  let penalty = 0
  let low = 0
  let high = 1
  for (const value of values) {
    n++
    // Chosen before the value is looked at.
    const bet = Math.min(MAX_BET, Math.sqrt((2 * fee) / (variance * n * Math.log(1 + n))))
    weights += bet
    weighted += bet * value
    penalty += (value - mean) ** 2 * (-Math.log(1 - bet) - bet)
    sum += value
    mean = (0.5 + sum) / (n + 1)
    squares += (value - mean) ** 2
    variance = (0.25 + squares) / (n + 1)
    const center = weighted / weights
    const half = (fee + penalty) / weights
    low = Math.max(low, center - half)
    high = Math.min(high, center + half)
  }
  // Of values whose mean moved both ends may have passed each other: nothing is known then but
  // where they met.
  return low <= high ? { low, high } : { low: high, high: low }
}

const MAX_BET = 0.5

/** From this size on the sequence of a mean is tightest. */
const TUNED_FOR = 1000

/**
 * The mean of values without bounds, asymptotically: valid at all sizes from some size on, as a
 * central limit theorem is at one.
 *
 * @param sample its size, mean and variance; from about 20 values of each kind on
 * @param alpha in (0, 1)
 * @returns all numbers below two values
 * @see Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Ann. Statist. 52, 2613–2640, theorem
 *   2.2
 * @example meanSequence({ n: 1000, mean: 5, variance: 4 }, 0.05) // => { low: 4.8080365283, high: 5.1919634717 }
 */
export function meanSequence(
  { n, mean, variance }: { n: number; mean: number; variance: number },
  alpha: number,
): Interval {
  if (n < 2) return { low: -Infinity, high: Infinity }
  const fee = -2 * Math.log(alpha)
  const tuning = (fee + Math.log(fee + 1)) / TUNED_FOR
  const half = Math.sqrt(
    variance *
      ((2 * (n * tuning + 1)) / (n * n * tuning)) *
      Math.log(Math.sqrt(n * tuning + 1) / alpha),
  )
  return { low: mean - half, high: mean + half }
}

/**
 * The levels of the empirical quantiles that hold a quantile between them, whatever the
 * distribution.
 *
 * @param p in (0, 1)
 * @param n ≥ 1
 * @param alpha in (0, 1)
 * @returns levels, low below 0 or high above 1 where no observation bounds the quantile yet
 * @see Howard & Ramdas (2022), Bernoulli 28, 1704–1728, theorem 1
 * @example quantileLevels(0.5, 1000, 0.05) // => { low: 0.425787598, high: 0.574212402 }
 */
export function quantileLevels(p: number, n: number, alpha: number): Interval {
  const l = (1.4 * Math.log(Math.log(2.1 * n)) + Math.log(10 / alpha)) / n
  const half = 1.5 * Math.sqrt(p * (1 - p) * l) + 0.8 * l
  return { low: p - half, high: p + half }
}

/**
 * Evidence that units are not drawn in the declared ratio: a mixture of likelihood ratios, whose
 * inverse is a p-value at all sizes at once.
 *
 * @param counts of the two arms
 * @param share of the first arm, in (0, 1), as declared
 * @returns in (0, 1]; below alpha with a probability of at most alpha, however often one looks
 * @see Lindon & Malek (2022), Anytime-Valid Inference for Multinomial Count Data, NeurIPS 35
 * @example sampleRatioPValue([70, 30], 0.5) // => 0.00234023974859369
 */
export function sampleRatioPValue([a, b]: readonly [number, number], share: number): number {
  const logRatio =
    logBeta(1 + a, 1 + b) - logBeta(1, 1) - a * Math.log(share) - b * Math.log(1 - share)
  return Math.min(1, Math.exp(-logRatio))
}

const logBeta = (a: number, b: number) => logGamma(a) + logGamma(b) - logGamma(a + b)
