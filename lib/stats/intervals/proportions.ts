import { normalQuantile } from '../distributions/normal-quantile.ts'
import { differenceInterval } from './difference.ts'

/** An interval with its ends, `low` ≤ `high`. */
export interface Interval {
  low: number
  high: number
}

/**
 * Wilson's score interval of a proportion: holds its level in small samples and near 0 and 1, where
 * `p ± z·se` does not.
 *
 * @param successes in [0, n]
 * @param n ≥ 0; may be fractional (an effective size)
 * @param confidence in (0, 1), such as 0.95
 * @returns within [0, 1]; all of it for n = 0
 * @see Wilson (1927), J. Am. Stat. Assoc. 22, 209–212
 * @example wilson(8, 10, 0.95) // => { low: 0.4901624715, high: 0.9433178485 }
 */
export function wilson(successes: number, n: number, confidence: number): Interval {
  if (!(n > 0)) return { low: 0, high: 1 }
  const z = normalQuantile((1 + confidence) / 2)
  const p = successes / n
  const center = p + (z * z) / (2 * n)
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  const scale = 1 + (z * z) / n
  return { low: Math.max(0, (center - half) / scale), high: Math.min(1, (center + half) / scale) }
}

/**
 * Newcombe's interval of a difference of two independent proportions, `a − b`, from their Wilson
 * intervals.
 *
 * @returns within [−1, 1]
 * @see Newcombe (1998), Statist. Med. 17, 873–890, method 10
 * @example newcombe({ successes: 56, n: 70 }, { successes: 48, n: 80 }, 0.95) // => { low: 0.0524314724, high: 0.333872654 }
 */
export function newcombe(
  a: { successes: number; n: number },
  b: { successes: number; n: number },
  confidence: number,
): Interval {
  const pa = a.n > 0 ? a.successes / a.n : 0.5
  const pb = b.n > 0 ? b.successes / b.n : 0.5
  const { low, high } = differenceInterval(
    { value: pa, ...wilson(a.successes, a.n, confidence) },
    { value: pb, ...wilson(b.successes, b.n, confidence) },
  )
  return { low: Math.max(-1, low), high: Math.min(1, high) }
}

/**
 * Interval of a ratio of two independent proportions, `a / b`, on the log scale with half a count
 * added to each of success and failure.
 *
 * @returns low ≥ 0; high may be Infinity-free but large; undefined when either group is empty
 * @see Katz et al. (1978), Biometrics 34, 469–474; Agresti (2013), section 3.1.4
 * @example ratioInterval({ successes: 30, n: 100 }, { successes: 50, n: 100 }, 0.95) // => { low: 0.4235260499, high: 0.8612649920 }
 */
export function ratioInterval(
  a: { successes: number; n: number },
  b: { successes: number; n: number },
  confidence: number,
): Interval | undefined {
  if (!(a.n > 0 && b.n > 0)) return undefined
  const xa = a.successes + 0.5
  const xb = b.successes + 0.5
  // One trial more and half a success: a group of which everybody was selected keeps its
  // uncertainty.
  const na = a.n + 1
  const nb = b.n + 1
  const center = Math.log(xa / na) - Math.log(xb / nb)
  const half =
    normalQuantile((1 + confidence) / 2) * Math.sqrt(Math.max(0, 1 / xa - 1 / na + 1 / xb - 1 / nb))
  return { low: Math.exp(center - half), high: Math.exp(center + half) }
}
