import { mean as exactMean, sampleVariance } from 'simple-statistics'
import { sampleSize, type BinnedSample } from './binned-sample.ts'

/**
 * Mean and variance of plain finite numbers. Sums carry what rounding takes from them.
 *
 * @returns `variance` divided by n − 1: NaN for fewer than two values; `mean` is NaN for none. O(n)
 *   time.
 * @example momentsOf([1, 2, 3]) // => { mean: 2, variance: 1 }
 */
export function momentsOf(values: readonly number[]): { mean: number; variance: number } {
  // The package throws for too few values. It only reads the array, though its types do not say so.
  const numbers = values as number[]
  return {
    mean: numbers.length > 0 ? exactMean(numbers) : NaN,
    variance: numbers.length > 1 ? sampleVariance(numbers) : NaN,
  }
}

/**
 * Standard deviation of plain finite numbers as of a whole population, about a mean that rounding
 * takes nothing from: a plain sum of numbers near 1e15 is off by more than they differ.
 *
 * @returns ≥ 0; NaN for no values. O(n) time.
 * @example populationDeviation([1, 3]) // => 1
 */
export function populationDeviation(values: ArrayLike<number>): number {
  const n = values.length
  if (n < 2) return n === 1 ? 0 : NaN
  return Math.sqrt((momentsOf(Array.from(values)).variance * (n - 1)) / n)
}

/**
 * Mean of a binned sample: exact, since bins keep their sums.
 *
 * @returns NaN for an empty sample. O(k) time.
 * @example mean({ bins: [1, 2], counts: [1, 1], totals: [1, 2], lows: [1, 2], highs: [1, 2] }) // => 1.5
 */
export function mean(sample: BinnedSample): number {
  return sample.totals.reduce((sum, total) => sum + total, 0) / sampleSize(sample)
}

/** A standard deviation, and the interval that surely holds it. */
export interface Spread {
  value: number
  low: number
  high: number
}

/**
 * Standard deviation (of the population) with what values within bins can add to it: those of a bin
 * with mean μ between a and b vary by (μ − a)(b − μ) at most.
 *
 * @returns `value` and `low` are {@link standardDeviation}; all three are equal where every bin
 *   holds one distinct value. O(k) time.
 * @see Bhatia and Davis (2000), Amer. Math. Monthly 107, 353–357
 * @example spreadOf({ bins: [1], counts: [2], totals: [4], lows: [1], highs: [3] }) // => { value: 0, low: 0, high: 1 }
 */
export function spreadOf(sample: BinnedSample): Spread {
  const between = standardDeviation(sample)
  const within = sample.counts.reduce((sum, count, i) => {
    const [low, high] = [sample.lows[i]!, sample.highs[i]!]
    if (low === high) return sum
    const center = sample.totals[i]! / count
    return sum + count * Math.max(0, (center - low) * (high - center))
  }, 0)
  const high = within > 0 ? Math.sqrt(between ** 2 + within / sampleSize(sample)) : between
  // The deviation moves by no more than the root mean square of what the values do.
  const slack = Math.sqrt(sample.unplaced?.squares ?? 0)
  return { value: between, low: Math.max(0, between - slack), high: high + slack }
}

/**
 * Standard deviation (of the population) with every value at the mean of its bin: at most half a
 * bin's width per value too small, and exact where bins hold one distinct value.
 *
 * @returns ≥ 0; NaN for an empty sample. O(k) time.
 * @example standardDeviation({ bins: [1, 3], counts: [1, 1], totals: [1, 3], lows: [1, 3], highs: [1, 3] }) // => 1
 */
export function standardDeviation(sample: BinnedSample): number {
  const center = mean(sample)
  const sumOfSquares = sample.counts.reduce(
    (sum, count, i) => sum + count * (sample.totals[i]! / count - center) ** 2,
    0,
  )
  return Math.sqrt(sumOfSquares / sampleSize(sample))
}
