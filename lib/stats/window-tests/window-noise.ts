import { moderated, variancePrior } from './pooled-variance.ts'

/** One functional (a location, a share, …) of one feature in the windows of a reference. */
export interface ReferenceSeries {
  /**
   * Per window, its contrast with the reference without it; with a season, its deviation from the
   * whole reference.
   */
  contrasts: readonly number[]
  /** How many values each window holds, > 0. */
  sizes: readonly number[]
}

/** A season: which phase a window is in, such as its day of the week. */
export interface Season {
  length: number
  /** Phase of every reference window, in [0, length). */
  phases: readonly number[]
}

/** How much a functional varies from window to window, of each feature. */
export interface WindowNoise {
  /** Variance of a window of mean size, per feature. */
  variances: readonly number[]
  degrees: readonly number[]
  meanSizes: readonly number[]
  windows: number
  /** Correlation of neighbouring windows, in [0, 0.95]; 0 with a season. */
  correlation: number
  /**
   * Mean correlation of any two windows, when it falls by the same factor from window to window.
   */
  sharedCorrelation: number
  /**
   * Per feature and phase the mean to which a window of that phase is compared, and how many
   * windows made it.
   */
  phaseMeans: readonly (readonly number[])[]
  phaseCounts: readonly number[]
}

/** What is known of the noise of windows beforehand. */
export interface NoiseOptions {
  /**
   * Least variance of a feature whose windows hold `meanSize` values: that of independent values.
   */
  floor: (meanSize: number) => number
  /** Most degrees of freedom: tails of shapes are heavier than Student's. */
  maxDegrees?: number
  season?: Season | undefined
  /** How many features there are in effect, of {@link effectiveFeatures}. */
  features: number
}

/**
 * Noise between windows, pooled over features (empirical Bayes) and corrected for the correlation
 * of neighbouring windows.
 *
 * A window that is compared with a reference it is part of looks calmer than a new one, which is
 * why contrasts leave it out; the factor (R − 1) / R brings them to the scale of a single window.
 *
 * @param series of F features over the same R windows; R ≥ 4, with a season R ≥ twice its length
 * @see Smyth (2004) for the pooling; Kendall (1954) for the bias of the correlation
 */
export function windowNoise(
  series: readonly ReferenceSeries[],
  options: NoiseOptions,
): WindowNoise {
  const windows = series[0]?.contrasts.length ?? 0
  const meanSizes = series.map(({ sizes }) => sizes.reduce((sum, n) => sum + n, 0) / windows)
  const { season } = options
  const phaseCounts = season ? countsOf(season) : [windows]
  const phaseMeans = series.map(({ contrasts }) =>
    season ? meansOf(contrasts, season, phaseCounts) : [0],
  )
  const residuals = series.map(({ contrasts }, f) =>
    season
      ? contrasts.map((x, w) => x - phaseMeans[f]![season.phases[w]!]!)
      : contrasts.map((x) => (x * (windows - 1)) / windows),
  )
  const freedom = windows - phaseCounts.length
  const raw = series.map(
    ({ sizes }, f) =>
      residuals[f]!.reduce((sum, x, w) => sum + (sizes[w]! / meanSizes[f]!) * x * x, 0) / freedom,
  )
  const prior = variancePrior(raw, freedom)
  const cap = freedom * (options.features - 1)
  const pooled = raw.map((variance) => moderated(variance, freedom, prior, cap))
  const correlation = season ? 0 : neighbourCorrelation(residuals)
  const shrunk = (1 - correlation ** 2) / (1 + correlation ** 2)
  return {
    variances: pooled.map(({ variance }, f) => Math.max(variance, options.floor(meanSizes[f]!))),
    degrees: pooled.map(({ degrees }) =>
      Math.min(Math.max(2, degrees * shrunk), options.maxDegrees ?? Infinity),
    ),
    meanSizes,
    windows,
    correlation,
    sharedCorrelation: meanCorrelation(windows, correlation),
    phaseMeans,
    phaseCounts,
  }
}

/**
 * How many independent features a set of features is worth, by the correlation of their windows'
 * residuals.
 *
 * @returns in [1, F]
 */
export function effectiveFeatures(series: readonly ReferenceSeries[], season?: Season): number {
  const count = series.length
  if (count < 2) return 1
  const windows = series[0]!.contrasts.length
  const freedom = windows - (season?.length ?? 1)
  const counts = season && countsOf(season)
  const scaled = series.map(({ contrasts }) => {
    const means = season
      ? meansOf(contrasts, season, counts!)
      : [contrasts.reduce((sum, x) => sum + x, 0) / windows]
    const centered = contrasts.map((x, w) => x - means[season ? season.phases[w]! : 0]!)
    const norm = Math.sqrt(Math.max(squares(centered), MIN_SQUARES))
    return centered.map((x) => x / norm)
  })
  let total = 0
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b < count; b++) {
      let dot = 0
      for (let w = 0; w < windows; w++) dot += scaled[a]![w]! * scaled[b]![w]!
      total += dot * dot
    }
  const mean = total / ((count * (count - 1)) / 2)
  const shared = Math.max(0, (mean - 1 / freedom) / (1 - 1 / freedom))
  return count / (1 + (count - 1) * shared)
}

/** Sum of squares of a series that only rounding moves. */
const MIN_SQUARES = 1e-20
const MAX_CORRELATION = 0.95

/** Lag-1 correlation, averaged over features and corrected for the bias of short series. */
function neighbourCorrelation(residuals: readonly (readonly number[])[]): number {
  const windows = residuals[0]!.length
  let sum = 0
  for (const residual of residuals) {
    const center = residual.reduce((total, x) => total + x, 0) / windows
    const z = residual.map((x) => x - center)
    let lagged = 0
    for (let w = 1; w < windows; w++) lagged += z[w]! * z[w - 1]!
    sum += lagged / Math.max(squares(z), MIN_SQUARES)
  }
  const corrected = ((windows * sum) / residuals.length + 1) / (windows - 3)
  return Math.min(Math.max(corrected, 0), MAX_CORRELATION)
}

/** Mean correlation of any two windows, when it falls by the same factor from one to the next. */
export function meanCorrelation(windows: number, correlation: number): number {
  let sum = 0
  for (let k = 1; k < windows; k++) sum += (windows - k) * correlation ** k
  return (2 * sum) / (windows * (windows - 1))
}

function countsOf({ length, phases }: Season): number[] {
  const counts = Array.from({ length }, () => 0)
  for (const phase of phases) counts[phase]!++
  return counts
}

function meansOf(values: readonly number[], season: Season, counts: readonly number[]): number[] {
  const sums = counts.map(() => 0)
  values.forEach((x, w) => {
    sums[season.phases[w]!]! += x
  })
  return sums.map((sum, s) => sum / counts[s]!)
}

/** Sum of the squares. */
export const squares = (values: readonly number[]) => values.reduce((sum, x) => sum + x * x, 0)
