/** A rate behind an imperfect test, whose errors were measured. */
import { normalQuantile } from '../distributions/normal-quantile.ts'
import type { Interval } from './proportions.ts'

/** Successes of trials; both may be fractional, of an effective size. */
export interface Trials {
  successes: number
  /** > 0. */
  n: number
}

/** What a test said of a sample, and how it does on cases whose truth is known. */
export interface TestedSample {
  /** Those that the test calls positive, of the sample. */
  positive: Trials
  /** Known positives that it calls positive. */
  sensitivity: Trials
  /** Known negatives that it calls negative. */
  specificity: Trials
}

/**
 * The share that is positive in truth, by Rogan and Gladen: (p + Sp − 1) / (Se + Sp − 1), cut to
 * [0, 1], of the observed share p, the sensitivity Se and the specificity Sp. Its interval, by Lang
 * and Reiczigel, knows that Se and Sp were measured too: half a quantile squared is added to the
 * sample, one to each of right and wrong in both others, and the middle moved by their skewness.
 *
 * @param confidence in (0, 1)
 * @returns undefined where the test tells nothing apart, Se + Sp ≤ 1
 * @see Rogan & Gladen (1978), Am. J. Epidemiol. 107, 71–76; Lang & Reiczigel (2014), Prev. Vet.
 *   Med. 113, 13–22
 * @example truePrevalence({ positive: { successes: 30, n: 100 }, sensitivity: { successes: 45, n: 50 }, specificity: { successes: 40, n: 50 } }, 0.95) // => { value: 0.1428571429, low: 0, high: 0.3176653694 }
 */
export function truePrevalence(
  { positive, sensitivity, specificity }: TestedSample,
  confidence: number,
): (Interval & { value: number }) | undefined {
  const rough = rogan(share(positive), share(sensitivity), share(specificity))
  if (rough === undefined) return undefined
  const z = normalQuantile((1 + confidence) / 2)
  const p = padded(positive, z * z)
  const se = padded(sensitivity, 2)
  const sp = padded(specificity, 2)
  const youden = se.share + sp.share - 1
  // Padding draws both rates to a half: a test that tells things apart still does.
  const middle = (p.share + sp.share - 1) / youden
  const error =
    Math.sqrt(p.variance + middle ** 2 * se.variance + (1 - middle) ** 2 * sp.variance) / youden
  const moved = middle + 2 * z * z * (middle * se.variance - (1 - middle) * sp.variance)
  return { value: within(rough), low: within(moved - z * error), high: within(moved + z * error) }
}

const share = ({ successes, n }: Trials) => successes / n

const rogan = (p: number, se: number, sp: number) =>
  se + sp > 1 ? (p + sp - 1) / (se + sp - 1) : undefined

/** A share with half of `more` trials added to each side, and the variance of its mean. */
function padded({ successes, n }: Trials, more: number) {
  const value = (successes + more / 2) / (n + more)
  return { share: value, variance: (value * (1 - value)) / (n + more) }
}

const within = (value: number) => Math.min(1, Math.max(0, value))
