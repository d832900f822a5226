import type { Level } from './level-test.ts'
import { meanCorrelation, type Season } from './window-noise.ts'

/**
 * How much numbers of windows vary beyond sampling, as the reference tells it: a distribution over a
 * grid of variances, the first of them 0.
 */
export interface ExcessNoise {
  /** Sampling variance of a number, times the cases behind it. */
  sampling: number
  /** Variances beyond sampling. */
  excess: Float64Array
  /** Logarithms of their probabilities. */
  logWeights: Float64Array
  /** Per variance and phase, the mean of the reference and the variance of that mean. */
  means: readonly Float64Array[]
  meanVariances: Float64Array
  /** Means weighted by cases, per phase. */
  plainMeans: readonly number[]
  /**
   * Factor of the excess of one window: windows that depend on one another look calmer than a new
   * one.
   */
  ofWindow: number
  /** Factor of the excess in means of several windows. */
  ofMeans: number
}

/** Probability beforehand that windows differ by sampling alone. */
const NO_EXCESS = 0.5
/**
 * Otherwise the share B that sampling has of the variance is distributed as B^(a - 1): evenly, or,
 * for a near 0, flat in the logarithm of the variance, which gives Student's tails.
 */
const SHRINKAGE = [
  { weight: 0.4, a: 1 },
  { weight: 0.6, a: 0.1 },
]
const GRID_POINTS = 16
/**
 * Correlation of neighbouring windows, beyond sampling, that is assumed at least: eight windows
 * cannot tell as much from none.
 */
const MIN_CORRELATION = 0.4
const MAX_CORRELATION = 0.9

/**
 * The noise between the windows of a reference, beyond that of sampling, which is known from the
 * cases. It is drawn towards zero: where eight windows differ no more than sampling lets them, they
 * are taken to differ by sampling, mostly.
 *
 * The prior is a point at zero and a density beside it; the likelihood is that of the residuals
 * (REML). The constants are chosen by the tables of `npm run alarms -- --only falls`.
 *
 * @param reference R ≥ 4 windows, with a season every phase at least twice
 * @returns undefined where the sampling of a window is not known. O(R) time.
 * @see Daniels (1999), Canadian J. Statist. 27, 567–578, for shrinkage priors of variances
 */
export function excessNoise(reference: readonly Level[], season?: Season): ExcessNoise | undefined {
  if (reference.some(({ standardError }) => !(standardError > 0))) return undefined
  const windows = reference.length
  const size = reference.reduce((sum, level) => sum + level.size, 0)
  const sampling =
    reference.reduce((sum, own) => sum + own.size * own.standardError ** 2, 0) / windows
  const phases = season?.length ?? 1
  const plainMeans = meansByPhase(reference, phases, ({ size: cases }) => cases).means
  const residuals = reference.map(({ value, phase }) => value - plainMeans[phase]!)
  const floor = (sampling * windows) / size
  const spread =
    residuals.reduce((sum, x, w) => sum + (reference[w]!.size * windows * x * x) / size, 0) /
    (windows - phases)
  const { excess, step } = gridOf(floor, spread)
  const logWeights = new Float64Array(excess.length)
  const meanVariances = new Float64Array(excess.length)
  const correlation = season ? 0 : correlationOf(residuals)
  const shared = meanCorrelation(windows, correlation)
  const ofReference = (1 + (windows - 1) * shared) / (1 - shared)
  const means = Array.from(excess, (own, g) => {
    const share = floor / (floor + own)
    const prior = g === 0 ? NO_EXCESS : (1 - NO_EXCESS) * slab(share) * (1 - share) * step
    const found = meansByPhase(reference, phases, (level) => 1 / (sampling / level.size + own))
    logWeights[g] = Math.log(prior) + logLikelihood(reference, found, sampling, own)
    const weight = found.weights.reduce((least, own) => Math.min(least, own))
    meanVariances[g] = (1 / weight) * (share + (1 - share) * ofReference)
    return Float64Array.from(found.means)
  })
  normalize(logWeights)
  return {
    sampling,
    excess,
    logWeights,
    means,
    meanVariances,
    plainMeans,
    ofWindow: 1 / (1 - shared),
    ofMeans: (1 + correlation) / (1 - correlation),
  }
}

const slab = (share: number) =>
  SHRINKAGE.reduce((sum, { weight, a }) => sum + weight * a * share ** a, 0)

/** Zero, and variances evenly on the logarithm from far below sampling to far above the spread. */
function gridOf(floor: number, spread: number): { excess: Float64Array; step: number } {
  const top = Math.log(12 * Math.max(spread, floor))
  const bottom = Math.log(Math.max(0.05 * floor, spread / 30))
  const step = (top - bottom) / (GRID_POINTS - 1)
  const excess = Float64Array.from({ length: GRID_POINTS + 1 }, (_, g) =>
    g === 0 ? 0 : Math.exp(bottom + (g - 1) * step),
  )
  return { excess, step }
}

interface PhaseMeans {
  means: number[]
  /** Sums of weights. */
  weights: number[]
}

function meansByPhase(
  levels: readonly Level[],
  phases: number,
  weightOf: (level: Level) => number,
): PhaseMeans {
  const weights = Array.from({ length: phases }, () => 0)
  const sums = Array.from({ length: phases }, () => 0)
  for (const level of levels) {
    const weight = weightOf(level)
    weights[level.phase]! += weight
    sums[level.phase]! += weight * level.value
  }
  return { means: sums.map((sum, s) => sum / weights[s]!), weights }
}

function logLikelihood(
  levels: readonly Level[],
  { means, weights }: PhaseMeans,
  sampling: number,
  excess: number,
): number {
  let sum = 0
  for (const { value, size, phase } of levels) {
    const variance = sampling / size + excess
    sum += Math.log(variance) + (value - means[phase]!) ** 2 / variance
  }
  for (const weight of weights) sum += Math.log(weight)
  return -sum / 2
}

/** Lag-1 correlation, corrected for the bias of short series. */
function correlationOf(residuals: readonly number[]): number {
  const windows = residuals.length
  let squares = 0
  let lagged = 0
  residuals.forEach((x, w) => {
    squares += x * x
    if (w > 0) lagged += x * residuals[w - 1]!
  })
  const corrected = ((windows * lagged) / Math.max(squares, 1e-20) + 1) / (windows - 3)
  return Math.min(Math.max(corrected, MIN_CORRELATION), MAX_CORRELATION)
}

/** Makes the probabilities add up to 1. */
export function normalize(logWeights: Float64Array): void {
  let most = -Infinity
  for (const weight of logWeights) most = Math.max(most, weight)
  let sum = 0
  for (const weight of logWeights) sum += Math.exp(weight - most)
  const total = most + Math.log(sum)
  for (let g = 0; g < logWeights.length; g++) logWeights[g]! -= total
}
