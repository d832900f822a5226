import { sampleSize, type BinnedSample } from './binned-sample.ts'

/**
 * Mean and variance of plain numbers.
 *
 * @returns `variance` divided by n − 1: NaN for fewer than two values; `mean` is NaN for none. O(n) time.
 * @example momentsOf([1, 2, 3]) // => { mean: 2, variance: 1 }
 */
export function momentsOf(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, variance: squares / (values.length - 1) }
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

/**
 * Standard deviation (of the population) with every value at the mean of its bin: at most half a bin's width per value too
 * small, and exact where bins hold one distinct value.
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
