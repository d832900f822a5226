import {
  alignBins,
  sampleSize,
  type BinnedSample,
  type SharedBin,
} from '../samples/binned-sample.ts'

/**
 * First Wasserstein (earth mover's) distance `∫ |F(x) − G(x)| dx` between two binned samples, with
 * every value at the mean of its bin. Moving a value to the mean of its bin moves it by less than
 * the bin's width, which bounds the error.
 *
 * @param bins the two laid over each other, where they are already
 * @returns in the unit of the values: `value` ≥ 0, and the interval that surely holds the exact
 *   distance. O(k) time.
 * @throws {RangeError} when a sample is empty
 * @see Vallender (1974), Theory Probab. Appl. 18(4), 784–786
 * @example wasserstein({ bins: [1], counts: [2], totals: [2], lows: [1], highs: [1] }, { bins: [3], counts: [1], totals: [3], lows: [3], highs: [3] }) // => { value: 2, low: 2, high: 2 }
 */
export function wasserstein(
  reference: BinnedSample,
  current: BinnedSample,
  bins: readonly SharedBin[] = alignBins(reference, current),
): { value: number; low: number; high: number } {
  const n = sampleSize(reference)
  const m = sampleSize(current)
  if (n === 0 || m === 0)
    throw new RangeError('wasserstein requires at least one observation per sample')
  let slack = (reference.unplaced?.reach ?? 0) + (current.unplaced?.reach ?? 0)
  let value = 0
  let difference = 0
  let last = NaN
  /** Steps to the next value, in ascending order. */
  const step = (x: number, weight: number) => {
    if (difference !== 0) value += Math.abs(difference) * (x - last)
    difference += weight
    last = x
  }
  // Bins follow one another, so that only the two means of one bin need to be put in order.
  for (const bin of bins) {
    const [before, now] = [bin.reference / n, bin.current / m]
    slack += (bin.high - bin.low) * (before + now)
    const currentFirst = bin.currentMean < bin.referenceMean
    if (now > 0 && currentFirst) step(bin.currentMean, -now)
    if (before > 0) step(bin.referenceMean, before)
    if (now > 0 && !currentFirst) step(bin.currentMean, -now)
  }
  return { value, low: Math.max(0, value - slack), high: value + slack }
}
