/**
 * A sample of numbers as counts on a grid: what ClickHouse keeps of any window, and all that a distance needs.
 *
 * Bins are in the order of the values and do not overlap; within a bin only the count, the sum, the least and the greatest
 * value are known. Two samples are comparable when their bins come from the same grid.
 */
export interface BinnedSample {
  /** Keys of the bins, ascending. */
  bins: readonly number[]
  counts: readonly number[]
  totals: readonly number[]
  lows: readonly number[]
  highs: readonly number[]
}

/**
 * How many values a sample holds.
 *
 * @returns the sum of the counts, ≥ 0
 * @example sampleSize({ bins: [1, 2], counts: [3, 4], totals: [3, 8], lows: [1, 2], highs: [1, 2] }) // => 7
 */
export function sampleSize(sample: BinnedSample): number {
  return sample.counts.reduce((sum, count) => sum + count, 0)
}

/** One bin of two samples laid over each other; a sample that lacks the bin counts 0 there. */
export interface SharedBin {
  reference: number
  current: number
  /** Mean of the reference’s values in the bin, and of the current ones; NaN where there are none. */
  referenceMean: number
  currentMean: number
  /** Least and greatest value of both samples in the bin. */
  low: number
  high: number
}

/**
 * Lays two samples of one grid over each other.
 *
 * @returns the union of their bins, ascending; length ≤ the sum of both lengths. O(k) time.
 */
export function alignBins(reference: BinnedSample, current: BinnedSample): SharedBin[] {
  const shared: SharedBin[] = []
  let i = 0
  let j = 0
  while (i < reference.bins.length || j < current.bins.length) {
    const a = reference.bins[i] ?? Infinity
    const b = current.bins[j] ?? Infinity
    const inReference = a <= b
    const inCurrent = b <= a
    shared.push({
      reference: inReference ? reference.counts[i]! : 0,
      current: inCurrent ? current.counts[j]! : 0,
      referenceMean: inReference ? reference.totals[i]! / reference.counts[i]! : NaN,
      currentMean: inCurrent ? current.totals[j]! / current.counts[j]! : NaN,
      low: Math.min(
        inReference ? reference.lows[i]! : Infinity,
        inCurrent ? current.lows[j]! : Infinity,
      ),
      high: Math.max(
        inReference ? reference.highs[i]! : -Infinity,
        inCurrent ? current.highs[j]! : -Infinity,
      ),
    })
    if (inReference) i++
    if (inCurrent) j++
  }
  return shared
}
