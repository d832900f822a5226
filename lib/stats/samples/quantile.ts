import { sampleSize, type BinnedSample } from './binned-sample.ts'

/**
 * The p-quantile of a binned sample with the interval that surely holds it: the least and greatest
 * value of the bin in which the ⌈p·n⌉-th smallest value lies (the inverse of the empirical
 * distribution function, Hyndman–Fan type 1). Where a share of the values was placed by estimate,
 * the interval reaches as much further on either side.
 *
 * @param p in [0, 1]; 0 is the least value, 1 the greatest
 * @returns `value`, the mean of that bin, between `low` and `high`; undefined for an empty sample.
 *   O(k) time.
 * @throws {RangeError} when p is outside [0, 1]
 * @see Hyndman & Fan (1996), Sample quantiles in statistical packages, definition 1
 * @example quantile({ bins: [1, 2], counts: [3, 1], totals: [3, 2], lows: [1, 2], highs: [1, 2] }, 0.5) // => { value: 1, low: 1, high: 1 }
 */
export function quantile(
  sample: BinnedSample,
  p: number,
): { value: number; low: number; high: number } | undefined {
  if (!(p >= 0 && p <= 1)) throw new RangeError('quantile requires p in [0, 1]')
  const found = binAt(sample, p)
  const { share } = sample.unplaced ?? { share: 0 }
  if (found === undefined || share === 0) return found
  return {
    ...found,
    low: binAt(sample, Math.max(0, p - share))!.low,
    high: binAt(sample, Math.min(1, p + share))!.high,
  }
}

function binAt(sample: BinnedSample, p: number) {
  const size = sampleSize(sample)
  const rank = Math.min(size, Math.max(1, Math.ceil(p * size)))
  let seen = 0
  for (const [i, count] of sample.counts.entries()) {
    seen += count
    if (seen >= rank)
      return { value: sample.totals[i]! / count, low: sample.lows[i]!, high: sample.highs[i]! }
  }
  return undefined
}
