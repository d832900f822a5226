/** Tests of data quality beside the windows of the reference. Pure. */
import { isFeature } from '../../../../lib/events/subjects.ts'
import { sampleSize, type BinnedSample } from '../../../../lib/stats/samples/binned-sample.ts'
import { largest, smallest } from '../../../../lib/stats/samples/extremes.ts'
import { chiSquaredSurvival } from '../../../../lib/stats/distributions/chi-squared.ts'
import { arcsine } from '../../../../lib/stats/window-tests/share-noise.ts'
import { shareShifts, type ShareSubject } from '../../../../lib/stats/window-tests/shift-test.ts'
import type { MetricResult } from '../../data/metric-results.ts'
import type { ReferenceWindows, Share } from '../../data/reference.ts'
import { effectiveOf, missingOf, type WindowCounts } from '../../data/window-data.ts'

/** A p value, not corrected for other tests, and what it was found from. */
export interface Tested {
  p: number
  reason: string
}

/** A share as per cent, in words. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const sumOf = (shares: ShareSubject['reference'], of: 'count' | 'size') =>
  shares.reduce((sum, share) => sum + share[of], 0)

const sentence = (what: string, now: Share, before: readonly Share[]) =>
  `${what} ${percent(now.count / Math.max(1, now.size))} after ${percent(sumOf(before, 'count') / Math.max(1, sumOf(before, 'size')))}`

/** Tests whether more, or fewer, events lack a feature. */
export function missingTests(
  current: WindowCounts,
  start: number,
  reference: ReferenceWindows,
): Map<string, Tested> {
  const phase = reference.phaseOf(start)
  const size = Math.max(1, effectiveOf(current))
  const tests = [...reference.missing].map(([name, missing]) => ({
    name,
    now: { count: missingOf(current, name), size },
    before: missing.map((count, w) => ({ count, size: reference.events[w]! })),
  }))
  const tails = shareShifts(
    tests.map(({ now, before }) => ({ reference: before, history: [{ ...now, phase }] })),
    reference.season,
  )
  return new Map(
    tests.map(({ name, now, before }, i) => [
      name,
      { p: tails[i]!, reason: sentence('missing', now, before) },
    ]),
  )
}

/** A share that hardly any window of the reference has does not matter below this. */
const MIN_ODD = 0.005
/** How much more than any window of the reference a window must have, as of spikes. */
const FACTOR = 2

/**
 * Tests a share of values that are odd by what the reference is: chance gives as much of independent
 * values, and no window of the reference had half of it beside the others. The noise between windows
 * cannot be estimated of counts that are mostly 0.
 */
function oddShare(what: string, now: Share, before: readonly Share[]): Tested {
  const [had, of] = [sumOf(before, 'count'), sumOf(before, 'size')]
  const share = now.count / Math.max(1, now.size)
  const usual = largest(before.map(({ count, size }) => count / Math.max(1, size)))
  const reason = sentence(what, now, before)
  if (share < MIN_ODD || share <= FACTOR * usual) return { p: 1, reason }
  const z =
    (arcsine(now.count, now.size) - arcsine(had, of)) /
    Math.sqrt(1 / now.size + 1 / Math.max(1, of))
  return { p: z > 0 ? chiSquaredSurvival(z * z, 1) / 2 : 1, reason }
}

/**
 * Tests whether values are of a kind that no window of the reference had.
 *
 * @param results those of `type_mismatch_ratio` among them are tested
 */
export const mismatchTests = (
  results: readonly MetricResult[],
  reference: ReferenceWindows,
): Map<string, Tested> =>
  new Map(
    results.flatMap(({ metric, subject, value, n_current, reason }) => {
      const missing = reference.missing.get(subject)
      if (metric !== 'type_mismatch_ratio' || value === null || !missing) return []
      const before = missing.map((absent, w) => ({
        count: 0,
        size: Math.max(0, reference.events[w]! - absent),
      }))
      const now = { count: value * n_current, size: n_current }
      return [[subject, oddShare(reason || 'of another kind', now, before)] as const]
    }),
  )

/**
 * Tests whether more values lie beyond the least and the greatest of the reference than those of
 * its own windows lie beyond the others': a hundredth of the rows in another unit moves neither
 * location nor spread.
 */
export const rangeTests = (
  current: WindowCounts,
  reference: ReferenceWindows,
  isNumeric: (subject: string) => boolean,
): Map<string, Tested> =>
  new Map(
    [...reference.numeric].flatMap(([name, { windows }]) => {
      const sample = current.numeric.get(name)
      if (!sample || !isFeature(name) || !isNumeric(name)) return []
      const now = { count: beyond(sample, windows), size: sampleSize(sample) }
      const what = `the window reaches from ${short(sample.lows[0]!)} to ${short(sample.highs.at(-1)!)}: far out of range`
      return [[name, oddShare(what, now, usuallyBeyond(windows))] as const]
    }),
  )

/** What the windows of a reference hold beyond the others, made once: many windows ask for it. */
const usual = new WeakMap<readonly BinnedSample[], readonly Share[]>()

function usuallyBeyond(windows: readonly BinnedSample[]): readonly Share[] {
  const known = usual.get(windows)
  if (known) return known
  const found = windows.map((window, w) => ({
    count: beyond(
      window,
      windows.filter((_, i) => i !== w),
    ),
    size: sampleSize(window),
  }))
  usual.set(windows, found)
  return found
}

const short = (x: number) => String(Number(x.toPrecision(6)))

/**
 * Values in bins that lie wholly beyond the range of some others, by more than that range is wide:
 * what a season brings lies a little beyond it, another unit far.
 */
function beyond(sample: BinnedSample, others: readonly BinnedSample[]): number {
  const least = smallest(others.map(({ lows }) => lows[0]!))
  const greatest = largest(others.map(({ highs }) => highs.at(-1)!))
  const width = greatest - least
  return sample.counts.reduce(
    (sum, count, i) =>
      sample.highs[i]! < least - width || sample.lows[i]! > greatest + width ? sum + count : sum,
    0,
  )
}
