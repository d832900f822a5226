/**
 * Whether a window differs from a reference by more than its windows differ from one another: one p
 * per feature, from counts alone.
 *
 * Numbers are evaluated by location, spread, skewness and PSI, shares (categories, missing values)
 * by their arcsine. Every functional is compared twice: the window itself, and the weighted mean of
 * the last windows, which sees small lasting shifts.
 */
import type { Shape } from '../samples/normal-scores.ts'
import { arcsine, shareNoise, together, type ShareSeries } from './share-noise.ts'
import { trigamma } from '../distributions/polygamma.ts'
import {
  effectiveFeatures,
  windowNoise,
  type ReferenceSeries,
  type Season,
} from './window-noise.ts'
import {
  historyTail,
  MIN_VARIANCE,
  logDistanceTails,
  MAX_SHAPE_DEGREES,
  smoothedTail,
  WINDOW_SHARE,
  windowTail,
  type LaterWindow,
} from './window-tails.ts'
import type { NumericReference } from './window-reference.ts'

/** What moved most, evaluated by its share of the error. */
export type Moved = 'location' | 'scale' | 'skew' | 'distribution'

/** What a shift test finds. */
export interface ShiftTest {
  /** That this feature moved by chance, in [0, 1]; not yet corrected for the number of features. */
  p: number
  moved: Moved
}

/** A numeric feature: its reference, and the windows since, the tested one last. */
export interface NumericSubject {
  reference: NumericReference
  history: readonly { shape: Shape; size: number; phase: number }[]
  /** Logarithm of the tested window's PSI. */
  logPsi: number
}

const COMPONENTS = [
  { name: 'location', key: 'location', weight: 0.5, least: { gate: 0.1 } },
  { name: 'scale', key: 'logScale', weight: 0.2, least: { gate: 0 } },
  { name: 'skew', key: 'skew', weight: 0.1, least: { gate: 0 } },
] as const
const DISTRIBUTION_WEIGHT = 0.2

/**
 * Tests numeric features of one window.
 *
 * @param subjects F features, all with the same R ≥ 8 reference windows
 * @param season needs every phase at least twice in the reference; PSI is then left out, which
 *   knows no phases
 * @returns F tests
 */
export function numericShifts(subjects: readonly NumericSubject[], season?: Season): ShiftTest[] {
  if (subjects.length === 0) return []
  const best = subjects.map((): ShiftTest => ({ p: 1, moved: 'location' }))
  const consider = (f: number, p: number, moved: Moved) => {
    if (p < best[f]!.p) best[f] = { p, moved }
  }
  const seriesOf = (key: keyof Shape): ReferenceSeries[] =>
    subjects.map(({ reference }) => ({
      contrasts: (season ? reference.deviations : reference.contrasts).map((shape) => shape[key]),
      sizes: reference.sizes,
    }))
  const features = effectiveFeatures(seriesOf('location'), season)
  const total = season ? 1 - DISTRIBUTION_WEIGHT : 1
  for (const { name, key, weight, least } of COMPONENTS) {
    const isLocation = name === 'location'
    const noise = windowNoise(seriesOf(key), {
      floor: isLocation ? (n) => 1 / n : () => MIN_VARIANCE,
      maxDegrees: isLocation ? Infinity : MAX_SHAPE_DEGREES,
      season,
      features,
    })
    const share = weight / total
    subjects.forEach(({ history }, f) => {
      const windows = history.map(({ shape, size, phase }): LaterWindow => ({
        contrast: shape[key],
        size,
        phase,
      }))
      const last = windows.at(-1)!
      consider(f, windowTail(last, noise, f, least) / (share * WINDOW_SHARE), name)
      consider(f, smoothedTail(windows, noise, f, least) / (share * (1 - WINDOW_SHARE)), name)
    })
  }
  if (!season) {
    const tails = logDistanceTails(
      subjects.map(({ reference }) => reference.logPsi),
      subjects.map(({ logPsi }) => logPsi),
      // PSI of independent values is a multiple of a chi-squared variable; this is the variance of
      // its logarithm.
      subjects.map(({ reference }) => trigamma(Math.max(1, reference.parts - 1) / 2)),
      features,
    )
    tails.forEach((p, f) => consider(f, p / DISTRIBUTION_WEIGHT, 'distribution'))
  }
  return best
}

/** A share of each window, such as that of one category or of missing values. */
export interface ShareSubject {
  /** Per reference window. */
  reference: ShareSeries
  /** The windows since, the tested one last. */
  history: readonly { count: number; size: number; phase: number }[]
}

/** Smallest effect on the arcsine scale; around one half it is a difference of 0.025. */
const MIN_SHARE_EFFECT = 0.05

/**
 * Tests shares of one window, by the variance-stabilising arcsine.
 *
 * @param subjects F shares over the same R ≥ 8 reference windows
 * @returns F values of p in [0, 1], not corrected for their number
 * @see Anscombe (1948), Biometrika 35, 246–254
 */
export function shareShifts(subjects: readonly ShareSubject[], season?: Season): number[] {
  if (subjects.length === 0) return []
  const references = subjects.map(({ reference }) => reference)
  const noise = shareNoise(references, season)
  return subjects.map(({ history }, f) => {
    const all = together(references[f]!)
    const whole = arcsine(all.count, all.size)
    const windows = history.map(({ count, size, phase }) => ({
      contrast: arcsine(count, size) - whole,
      size,
      phase,
    }))
    return historyTail(windows, noise, f, { margin: MIN_SHARE_EFFECT })
  })
}

/**
 * Holm's step-down correction.
 *
 * @param p values in [0, 1]
 * @param tests how many tests there were, or what they weigh together: at least what the values do
 * @param weights of the values, each > 0: one that weighs more gets more of alpha
 * @returns adjusted values in the same order; each ≤ 1. O(k log k) time.
 * @see Holm (1979), Scand. J. Stat. 6, 65–70, with weights in section 4
 * @example holm([0.01, 0.04, 0.03]) // => [0.03, 0.06, 0.06]
 */
export function holm(
  p: readonly number[],
  tests: number = p.length,
  weights: readonly number[] = p.map(() => 1),
): number[] {
  const order = p.map((_, i) => i).toSorted((a, b) => p[a]! / weights[a]! - p[b]! / weights[b]!)
  const adjusted = p.map(() => 1)
  let least = 0
  let left = tests
  for (const i of order) {
    least = Math.max(least, Math.min(1, (p[i]! * left) / weights[i]!))
    adjusted[i] = least
    left -= weights[i]!
  }
  return adjusted
}
