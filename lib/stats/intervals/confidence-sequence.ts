/**
 * Confidence sequences: intervals that hold at every sample size at once, so that one may look
 * after each event and stop when one likes. An ordinary 95 % interval that is looked at all the
 * time misses the truth sooner or later.
 */
import { logGamma } from '../distributions/incomplete-gamma.ts'
import type { Interval } from './proportions.ts'

/**
 * The mean of values in [0, 1], by betting: a mean is given up once a bet against it has multiplied
 * its stake by 2/alpha. The interval is the intersection of those of all lengths so far.
 *
 * @param values in the order in which they came, each in [0, 1]; independent given those before,
 *   with one mean
 * @param alpha in (0, 1): the probability that the interval ever misses the mean, at any length
 * @returns within [0, 1]; all of it without values. O(n) time, some sixty times over.
 * @see Waudby-Smith & Ramdas (2024), J. R. Statist. Soc. B 86, 1–27, theorem 3 (hedged capital), with
 *   the bets of equation 26 and a truncation of 1/2
 * @example boundedMeanSequence([1, 1, 1, 1, 1, 1, 1, 1], 0.05) // => { low: 0.4604758921, high: 1 }
 */
export function boundedMeanSequence(values: readonly number[], alpha: number): Interval {
  if (values.length === 0) return { low: 0, high: 1 }
  const stakes = stakesOf(values, alpha)
  const target = 2 / alpha
  const low = lowerEnd(values, stakes, target)
  // A bet that the mean is smaller is one that what is left to 1 is larger.
  const high =
    1 -
    lowerEnd(
      values.map((value) => 1 - value),
      stakes,
      target,
    )
  // Both ends may have passed each other where the mean moved: nothing is known then but where they
  // met.
  return low <= high ? { low, high } : { low: high, high: low }
}

/** No bet risks more than this part of what it has. */
const MAX_BET = 0.5

/** What is bet on each value, chosen before it is looked at. */
function stakesOf(values: readonly number[], alpha: number): Float64Array {
  const fee = 2 * Math.log(2 / alpha)
  const stakes = new Float64Array(values.length)
  let [sum, squares, variance] = [0.5, 0.25, 0.25]
  values.forEach((value, i) => {
    const n = i + 1
    stakes[i] = Math.sqrt(fee / (variance * n * Math.log(1 + n)))
    sum += value
    squares += (value - sum / (n + 1)) ** 2
    variance = squares / (n + 1)
  })
  return stakes
}

/** A stake below this is scaled. */
const LEAST_WEALTH = 1e-100
const BISECTIONS = 32

/** The least mean that no bet on more has refuted: what such bets win falls as the mean grows. */
function lowerEnd(values: readonly number[], stakes: Float64Array, target: number): number {
  let [low, high] = [0, 1]
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2
    if (isRefuted(values, stakes, middle, target)) low = middle
    else high = middle
  }
  return low
}

function isRefuted(
  values: readonly number[],
  stakes: Float64Array,
  mean: number,
  target: number,
): boolean {
  const most = MAX_BET / mean
  let wealth = 1
  let wanted = target
  for (let i = 0; i < values.length; i++) {
    wealth *= 1 + Math.min(stakes[i]!, most) * (values[i]! - mean)
    if (wealth >= wanted) return true
    // What is left of a stake is counted anew before it is too little for a number.
    if (wealth < LEAST_WEALTH) {
      wanted /= wealth
      wealth = 1
    }
  }
  return false
}

/** Size of the sample at which the sequence of a mean is tightest. */
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
 * How many units the prior is worth: a share that is meant is missed by points, not by half of all.
 */
const PRIOR_UNITS = 1000

/**
 * Evidence that units are not drawn in the declared ratio: a mixture of likelihood ratios around it
 * (Beta, worth a thousand units), whose inverse is a p-value at all sizes at once.
 *
 * @param counts of the two arms
 * @param share of the first arm, in (0, 1), as declared
 * @returns in (0, 1]; below alpha with a probability of at most alpha, however often one looks
 * @see Lindon & Malek (2022), Anytime-Valid Inference for Multinomial Count Data, NeurIPS 35
 * @example sampleRatioPValue([70, 30], 0.5) // => 0.5064056398
 */
export function sampleRatioPValue([a, b]: readonly [number, number], share: number): number {
  const [x, y] = [PRIOR_UNITS * share, PRIOR_UNITS * (1 - share)]
  const logRatio =
    logBeta(x + a, y + b) - logBeta(x, y) - a * Math.log(share) - b * Math.log(1 - share)
  return Math.min(1, Math.exp(-logRatio))
}

const logBeta = (a: number, b: number) => logGamma(a) + logGamma(b) - logGamma(a + b)
