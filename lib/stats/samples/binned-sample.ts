import { smallest } from './extremes.ts'

/**
 * A histogram of a sample of numbers: what ClickHouse keeps of any window, and all that a distance
 * needs.
 *
 * Bins are in the order of the values and do not overlap; within a bin only the count, the sum, the
 * least and the greatest value are known. Two samples are comparable when they have the same bin
 * resolution.
 */
export interface BinnedSample {
  /**
   * Bin resolution: a bin of resolution g is 16 bins of resolution g + 1, 8 of the finest; 1 unless
   * given. See {@link mantissaBits}.
   */
  resolution?: number
  /** Keys of the bins, ascending. */
  bins: readonly number[]
  /** Values in each bin, > 0; no whole numbers where events are weighted. */
  counts: readonly number[]
  /** Sum of the values in each bin. */
  totals: readonly number[]
  /** Least and greatest value in each bin. */
  lows: readonly number[]
  highs: readonly number[]
  /**
   * Values that were counted more coarsely than the bins are, and placed as the others lie; absent
   * where there are none.
   */
  unplaced?: Unplaced
}

/** How wrong the bins of some values may be, as means over all values of the sample. */
export interface Unplaced {
  /** Share of the values that were placed so, in [0, 1]. */
  share: number
  /** How far they may be from where they were put, 0 for all others. */
  reach: number
  /** The square of that. */
  squares: number
}

/** Share of the values of some samples that were placed by estimate. */
export const unplacedShare = (samples: readonly BinnedSample[]): number =>
  samples.reduce((sum, { unplaced }) => sum + (unplaced?.share ?? 0), 0)

/**
 * How many values a sample holds.
 *
 * @returns the sum of the counts, ≥ 0
 * @example sampleSize({ bins: [1, 2], counts: [3, 4], totals: [3, 8], lows: [1, 2], highs: [1, 2] }) // => 7
 */
export function sampleSize(sample: BinnedSample): number {
  return sample.counts.reduce((sum, count) => sum + count, 0)
}

/** The finest resolution: with it the keys of bins are still whole numbers below 2^53. */
export const FINEST_RESOLUTION = 10
/** Bits of the mantissa of a 64-bit float that the finest resolution keeps. */
const MOST_BITS = 42

/**
 * How many bits of the mantissa of a 64-bit float the bins of a resolution keep, beside all of its
 * exponent.
 *
 * @param resolution 1 to {@link FINEST_RESOLUTION}
 * @returns 7, and 4 more for each finer resolution, up to 42
 * @example mantissaBits(4) // => 19
 */
export const mantissaBits = (resolution: number): number => Math.min(MOST_BITS, 4 * resolution + 3)

/**
 * A sample at a coarser resolution: bins that are one there are merged.
 *
 * @param resolution at most that of the sample
 * @returns the sample itself where it has that resolution. O(k) time.
 * @example coarsened({ resolution: 2, bins: [16, 17, 32], counts: [1, 2, 3], totals: [1, 2, 3], lows: [1, 1, 1], highs: [1, 1, 1] }, 1).counts // => [3, 3]
 */
export function coarsened(sample: BinnedSample, resolution: number): BinnedSample {
  const shift = mantissaBits(sample.resolution ?? 1) - mantissaBits(resolution)
  if (shift <= 0) return sample
  const parts = 2 ** shift
  const merged = mergedBins(
    // Zero, never -0.
    [sample.bins.map((bin) => Math.trunc(bin / parts) + 0)],
    [sample],
    resolution,
  )
  return sample.unplaced ? { ...merged, unplaced: sample.unplaced } : merged
}

/**
 * Several samples as one, at the coarsest of their resolutions.
 *
 * @example mergedSample([{ bins: [1], counts: [2], totals: [2], lows: [1], highs: [1] }, { bins: [1], counts: [1], totals: [1], lows: [1], highs: [1] }]) // => { bins: [1], counts: [3], totals: [3], lows: [1], highs: [1] }
 */
export function mergedSample(samples: readonly BinnedSample[]): BinnedSample {
  const same = atOneResolution(samples)
  const merged = mergedBins(
    same.map(({ bins }) => bins),
    same,
    resolutionOf(same[0]),
  )
  const unplaced = unplacedOf(samples)
  return unplaced ? { ...merged, unplaced } : merged
}

function unplacedOf(samples: readonly BinnedSample[]): Unplaced | undefined {
  if (samples.every(({ unplaced }) => unplaced === undefined)) return undefined
  const size = samples.reduce((sum, sample) => sum + sampleSize(sample), 0)
  const mean = (of: keyof Unplaced) =>
    samples.reduce((sum, sample) => sum + sampleSize(sample) * (sample.unplaced?.[of] ?? 0), 0) /
    size
  return { share: mean('share'), reach: mean('reach'), squares: mean('squares') }
}

/**
 * Samples at the coarsest of their resolutions, so that they compare.
 *
 * @example atOneResolution([{ bins: [1], counts: [1], totals: [1], lows: [1], highs: [1] }]).length // => 1
 */
export function atOneResolution(samples: readonly BinnedSample[]): BinnedSample[] {
  const resolution = smallest(samples.map(resolutionOf))
  return samples.map((sample) => coarsened(sample, resolution))
}

const resolutionOf = (sample: BinnedSample | undefined) => sample?.resolution ?? 1

/** @param keys of each sample, the bin of every bin of it; ascending, some of them alike */
function mergedBins(
  keys: readonly (readonly number[])[],
  samples: readonly BinnedSample[],
  resolution: number,
): BinnedSample {
  const bins = distinct(keys)
  const counts = bins.map(() => 0)
  const totals = bins.map(() => 0)
  const lows = bins.map(() => Infinity)
  const highs = bins.map(() => -Infinity)
  for (const [s, sample] of samples.entries()) {
    const own = keys[s]!
    let at = 0
    for (let i = 0; i < own.length; i++) {
      while (bins[at]! < own[i]!) at++
      counts[at]! += sample.counts[i]!
      totals[at]! += sample.totals[i]!
      if (sample.lows[i]! < lows[at]!) lows[at] = sample.lows[i]!
      if (sample.highs[i]! > highs[at]!) highs[at] = sample.highs[i]!
    }
  }
  return { resolution, bins, counts, totals, lows, highs }
}

/** What lists hold, ascending and each once. */
function distinct(lists: readonly (readonly number[])[]): number[] {
  const all = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0))
  let filled = 0
  for (const list of lists) {
    all.set(list, filled)
    filled += list.length
  }
  all.sort()
  const found: number[] = []
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) found.push(all[i]!)
  return found
}

/** One bin of two samples laid over each other; a sample that lacks the bin counts 0 there. */
export interface SharedBin {
  reference: number
  current: number
  /**
   * Mean of the reference’s values in the bin, and of the current ones; NaN where there are none.
   */
  referenceMean: number
  currentMean: number
  /** Least and greatest value of both samples in the bin. */
  low: number
  high: number
}

/**
 * Lays two samples of one resolution over each other.
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
