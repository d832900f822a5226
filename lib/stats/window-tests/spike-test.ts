/**
 * Whether many values of a window lie where few lay before: one value that came up, or a default
 * that something fills in.
 */
import { chiSquaredSurvival } from '../distributions/chi-squared.ts'
import {
  alignBins,
  atOneResolution,
  sampleSize,
  type BinnedSample,
} from '../samples/binned-sample.ts'
import { arcsine } from './share-noise.ts'

/** The bin that has gained most, of two samples. */
export interface Rise {
  /** Shares of both samples, in [0, 1]. */
  reference: number
  current: number
  /** Least and greatest value in the bin. */
  low: number
  high: number
  /**
   * That a bin gains as much of independent values by chance, corrected for the number of bins; in
   * [0, 1].
   */
  p: number
}

/** Rises below this do not matter however sure they are. */
export const MIN_RISE_OF_BIN = 0.02

/**
 * The bin whose share rose most, by the variance-stabilising arcsine.
 *
 * @param reference not empty, of the grid of `current`
 * @param current not empty
 * @returns undefined where no bin gained. O(k) time.
 * @see Anscombe (1948), Biometrika 35, 246–254
 * @example largestRise({ bins: [1, 2], counts: [50, 50], totals: [50, 100], lows: [1, 2], highs: [1, 2] }, { bins: [1, 2], counts: [25, 75], totals: [25, 150], lows: [1, 2], highs: [1, 2] })?.current // => 0.75
 */
export function largestRise(reference: BinnedSample, current: BinnedSample): Rise | undefined {
  const [m, n] = [sampleSize(reference), sampleSize(current)]
  const bins = alignBins(reference, current)
  let most: Rise | undefined
  for (const bin of bins) {
    const [before, now] = [bin.reference / m, bin.current / n]
    if (now - before <= (most ? most.current - most.reference : 0)) continue
    const z =
      (arcsine(bin.current, n) - arcsine(bin.reference, m)) / Math.sqrt(Math.max(0, 1 / n + 1 / m))
    const tail = z > 0 ? chiSquaredSurvival(z * z, 1) / 2 : 1
    most = {
      reference: before,
      current: now,
      low: bin.low,
      high: bin.high,
      p: Math.min(1, bins.length * tail),
    }
  }
  return most
}

/**
 * The largest rise in each window of a reference, beside the others: what bins gain where nothing
 * has changed.
 *
 * @param windows R ≥ 2 samples, none empty
 * @returns R shares. O(R · k) time.
 */
function ownRises(windows: readonly BinnedSample[], merged: BinnedSample): number[] {
  const whole = new Map(merged.bins.map((bin, i) => [bin, merged.counts[i]!]))
  const size = sampleSize(merged)
  return windows.map((window) => {
    const n = sampleSize(window)
    return window.bins.reduce((most, bin, i) => {
      const own = window.counts[i]!
      return Math.max(most, own / n - ((whole.get(bin) ?? own) - own) / Math.max(1, size - n))
    }, 0)
  })
}

/** What the windows of a reference gain, made once: many windows ask for it. */
const usual = new WeakMap<readonly BinnedSample[], number>()

function usualRise(windows: readonly BinnedSample[], merged: BinnedSample): number {
  const known = usual.get(windows)
  if (known !== undefined) return known
  const found = ownRises(windows, merged).reduce((most, rise) => Math.max(most, rise), 0)
  usual.set(windows, found)
  return found
}

/** How much more than any window of the reference a bin must gain. */
const FACTOR = 2

/**
 * Tests whether one bin of a window has gained more than chance gives and, since neither rows nor
 * windows are independent, more than twice what any bin of any reference window gained.
 *
 * @param reference its windows, R ≥ 8 on one grid, and all of them merged
 * @param current not empty
 * @returns the rise with its p, which is 1 where the rise is below {@link MIN_RISE_OF_BIN} or
 *   within what is usual
 */
export function spikeTest(
  { windows, merged }: { windows: readonly BinnedSample[]; merged: BinnedSample },
  current: BinnedSample,
): Rise | undefined {
  const [before, now] = atOneResolution([merged, current]) as [BinnedSample, BinnedSample]
  const found = largestRise(before, now)
  if (!found) return undefined
  const rise = found.current - found.reference
  const isLarge = rise >= MIN_RISE_OF_BIN && rise > FACTOR * usualRise(windows, merged)
  return isLarge ? found : { ...found, p: 1 }
}
