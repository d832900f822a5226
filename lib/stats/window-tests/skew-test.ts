/**
 * Whether a window differs from a table, such as the one a model was trained on. The table has no
 * windows: what varies from window to window is learned from production's own, and what production
 * is like on the whole is part of the question, not of the noise.
 */
import { normalQuantile } from '../distributions/normal-quantile.ts'
import { studentTail } from '../distributions/student-t.ts'
import { ksPValue } from '../distances/ks.ts'
import { arcsine, shareNoise, type ShareSeries } from './share-noise.ts'
import { MAX_SHAPE_DEGREES, MIN_VARIANCE } from './window-tails.ts'
import {
  effectiveFeatures,
  windowNoise,
  type ReferenceSeries,
  type Season,
  type WindowNoise,
} from './window-noise.ts'
import type { NumericReference } from './window-reference.ts'

/** How much more the windows of production vary than independent rows do. */
export interface DesignEffect {
  /** Variance of a window over that of as many independent rows, ≥ 1. */
  factor: number
  /** Values of the windows it was learned from, on average; 0 where it was not learned. */
  meanSize: number
  /** Degrees of freedom of `factor`; Infinity where it is known, or taken as such. */
  degrees: number
}

/** Rows are taken as independent: nothing is known of windows. */
export const INDEPENDENT: DesignEffect = { factor: 1, meanSize: 0, degrees: Infinity }

/** What a change of spread, or of skewness, adds to D, squared, beside one of location: of a normal. */
const SCALE_WEIGHT = 0.366
const SKEW_WEIGHT = 0.0277
/** Variances of log spread and of asinh skewness of n independent values, times n. */
const SCALE_INDEPENDENT = 0.5
const SKEW_INDEPENDENT = 6

/**
 * Design effects of numeric features, from the windows of production.
 *
 * @param references of F features over the same R ≥ 8 windows
 * @returns F effects. A window that wanders in spread or skewness counts by what that adds to D.
 */
export function numericDesignEffects(
  references: readonly NumericReference[],
  season?: Season,
): DesignEffect[] {
  if (references.length === 0) return []
  const seriesOf = (key: 'location' | 'logScale' | 'skew'): ReferenceSeries[] =>
    references.map((reference) => ({
      contrasts: (season ? reference.deviations : reference.contrasts).map((shape) => shape[key]),
      sizes: reference.sizes,
    }))
  const location = seriesOf('location')
  const features = effectiveFeatures(location, season)
  const noiseOf = (series: ReferenceSeries[], floor: (n: number) => number, maxDegrees: number) =>
    windowNoise(series, { floor, maxDegrees, season, features })
  const places = noiseOf(location, (n) => 1 / n, Infinity)
  const scales = noiseOf(seriesOf('logScale'), () => MIN_VARIANCE, MAX_SHAPE_DEGREES)
  const skews = noiseOf(seriesOf('skew'), () => MIN_VARIANCE, MAX_SHAPE_DEGREES)
  return references.map((_, f) => {
    const excess = (noise: WindowNoise, independent: number) =>
      Math.max(0, factorOf(noise, f) - independent)
    const wide = SCALE_WEIGHT * excess(scales, SCALE_INDEPENDENT)
    const skewed = SKEW_WEIGHT * excess(skews, SKEW_INDEPENDENT)
    return {
      factor: Math.max(1, factorOf(places, f)) + wide + skewed,
      meanSize: places.meanSizes[f]!,
      degrees: places.degrees[f]!,
    }
  })
}

/** Variance of a window times its size, widened where neighbours are alike. */
const factorOf = ({ variances, meanSizes, sharedCorrelation }: WindowNoise, f: number) =>
  (variances[f]! * meanSizes[f]!) / (1 - sharedCorrelation)

/**
 * Design effects of shares (categories, missing values), on the arcsine scale.
 *
 * @param series of F shares over the same R ≥ 8 windows
 */
export function shareDesignEffects(
  series: readonly ShareSeries[],
  season?: Season,
): DesignEffect[] {
  if (series.length === 0) return []
  const noise = shareNoise(series, season)
  return series.map((_, f) => ({
    factor: Math.max(1, factorOf(noise, f)),
    meanSize: noise.meanSizes[f]!,
    degrees: noise.degrees[f]!,
  }))
}

/**
 * How many independent rows a window is worth.
 *
 * What windows have in common beyond sampling does not shrink in a larger window, so a larger one
 * is worth no more than its share of it.
 *
 * @param n rows, > 0
 * @returns in (0, n]
 * @example effectiveSize(1000, { factor: 3, meanSize: 500, degrees: 7 }) // => 200
 */
export function effectiveSize(n: number, { factor, meanSize }: DesignEffect): number {
  const growth = meanSize > 0 ? Math.max(1, n / meanSize) : 1
  return n / (1 + (factor - 1) * growth)
}

/**
 * p that a window of one distribution with the table lies `d` from it by chance: Kolmogorov's, at
 * the rows that the window is worth, with tails as heavy as the noise is uncertain.
 *
 * @param d the statistic, in [0, 1]
 * @param n rows of the table, m of the window
 * @returns in [0, 1]
 */
export const distanceTail = (d: number, n: number, m: number, effect: DesignEffect): number =>
  heavier(ksPValue(d, n, Math.max(1, effectiveSize(m, effect))), effect.degrees)

/**
 * Two-sided p-value of a share, by the arcsine.
 *
 * @param table what the table has, `window` what the window has; sizes > 0
 */
export function shareTail(
  table: { count: number; size: number },
  window: { count: number; size: number },
  effect: DesignEffect,
): number {
  const size = effectiveSize(window.size, effect)
  const count = (window.count / window.size) * size
  const z =
    Math.abs(arcsine(count, size) - arcsine(table.count, table.size)) /
    Math.sqrt(1 / size + 1 / table.size)
  return Math.min(1, 2 * studentTail(z, Math.min(effect.degrees, MOST_DEGREES)))
}

/** Degrees of freedom above which Student's tails are the normal ones. */
const MOST_DEGREES = 1e6
/** Least p whose normal quantile is known. */
const LEAST_P = 1e-300

/** The p of Student's distribution at the normal deviate of a two-sided p. */
function heavier(p: number, degrees: number): number {
  if (p >= 1 || degrees === Infinity) return p
  return Math.min(1, 2 * studentTail(-normalQuantile(Math.max(p, LEAST_P) / 2), degrees))
}
