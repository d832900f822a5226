import { studentTail } from '../distributions/student-t.ts'
import { moderated, variancePrior } from './pooled-variance.ts'
import { squares, type WindowNoise } from './window-noise.ts'

/**
 * A window after the reference: its deviation from the whole reference, its size, and its phase (0
 * without a season).
 */
export interface LaterWindow {
  contrast: number
  size: number
  phase: number
}

/** Deviations that count: upwards, downwards, or both. */
export type Side = 1 | -1 | 0

/**
 * Deviations that do not matter however sure they are, ≥ 0. A gate is held against the estimate
 * alone: one within it has p = 1, one beyond it is tested against no deviation at all. A margin is
 * tested against: of shares and levels, whose tails near their ends are heavier than Student's.
 */
type SmallestEffect = { gate: number } | { margin: number }

/**
 * p that a window deviates by chance from what the reference lets expect.
 *
 * @param feature its index among those of the noise
 * @returns in [0, 1]
 */
export function windowTail(
  window: LaterWindow,
  noise: WindowNoise,
  feature: number,
  least: SmallestEffect,
  side: Side = 0,
): number {
  const deviation = window.contrast - noise.phaseMeans[feature]![window.phase]!
  const inflation = correlationInflation(noise)
  const variance =
    noise.variances[feature]! *
    (noise.meanSizes[feature]! / window.size + 1 / noise.phaseCounts[window.phase]!) *
    inflation
  return tailOf({ deviation, variance, degrees: noise.degrees[feature]! }, least, side)
}

/** Weight of the newest window. */
const SMOOTHING = 0.25

/**
 * Like {@link windowTail} for the exponentially weighted mean of the last windows, which sees small
 * lasting shifts.
 *
 * @param windows in the order of time, the tested one last; not empty
 */
export function smoothedTail(
  windows: readonly LaterWindow[],
  noise: WindowNoise,
  feature: number,
  least: SmallestEffect,
  side: Side = 0,
): number {
  const keep = 1 - SMOOTHING
  const inPhase = noise.phaseCounts.map(() => 0)
  let value = 0
  let own = 0
  windows.forEach((window, i) => {
    const weight = SMOOTHING * keep ** (windows.length - 1 - i)
    value += weight * (window.contrast - noise.phaseMeans[feature]![window.phase]!)
    own += (weight * weight * noise.meanSizes[feature]!) / window.size
    inPhase[window.phase]! += weight
  })
  const lag = noise.correlation * keep
  const shared = noise.sharedCorrelation
  const reference = inPhase.reduce((sum, w, s) => sum + (w * w) / noise.phaseCounts[s]!, 0)
  const variance =
    (noise.variances[feature]! *
      ((own * (1 + lag)) / (1 - lag) + reference * (1 + (noise.windows - 1) * shared))) /
    (1 - shared)
  // The weights of few windows add up to less than 1.
  const whole = 1 - keep ** windows.length
  return tailOf(
    { deviation: value, variance, degrees: noise.degrees[feature]! },
    'gate' in least ? { gate: least.gate * whole } : { margin: least.margin * whole },
    side,
  )
}

/** How the error is split between a window itself and the weighted mean of the last ones. */
export const WINDOW_SHARE = 0.6
/** Variance of a functional that never varies. */
export const MIN_VARIANCE = 1e-12

/**
 * {@link windowTail} and {@link smoothedTail} together, each at its share of the error.
 *
 * @param windows in the order of time, the tested one last; not empty
 * @returns in [0, 1]
 */
export function historyTail(
  windows: readonly LaterWindow[],
  noise: WindowNoise,
  feature: number,
  least: SmallestEffect,
  side: Side = 0,
): number {
  const itself = windowTail(windows.at(-1)!, noise, feature, least, side)
  // The mean of a single window is that window.
  if (windows.length === 1) return itself
  const smoothed = smoothedTail(windows, noise, feature, least, side)
  return Math.min(1, itself / WINDOW_SHARE, smoothed / (1 - WINDOW_SHARE))
}

/**
 * One-sided p that a distance is no larger than those of the reference windows, each from the
 * others; on the logarithm.
 *
 * @param reference of F features, R logarithms each
 * @param current of F features
 * @param floors least variance per feature
 * @param features in effect
 * @returns F values in [0, 1]
 */
export function logDistanceTails(
  reference: readonly (readonly number[])[],
  current: readonly number[],
  floors: readonly number[],
  features: number,
): number[] {
  const windows = reference[0]?.length ?? 0
  const means = reference.map((logs) => logs.reduce((sum, x) => sum + x, 0) / windows)
  const raw = reference.map((logs, f) => squares(logs.map((x) => x - means[f]!)) / (windows - 1))
  const prior = variancePrior(raw, windows - 1)
  return current.map((log, f) => {
    const { variance, degrees } = moderated(
      raw[f]!,
      windows - 1,
      prior,
      (windows - 1) * (features - 1),
    )
    const spread = Math.sqrt(Math.max(variance, floors[f]!) * (1 + 1 / windows))
    return studentTail((log - means[f]!) / spread, Math.min(degrees, MAX_SHAPE_DEGREES))
  })
}

/** Most degrees of freedom of statistics that are not means: their tails are heavier. */
export const MAX_SHAPE_DEGREES = 15

function tailOf(
  { deviation, variance, degrees }: { deviation: number; variance: number; degrees: number },
  least: SmallestEffect,
  side: Side,
): number {
  const size = side === 0 ? Math.abs(deviation) : side * deviation
  if ('gate' in least && size < least.gate) return 1
  const beyond = 'gate' in least ? size : size - least.margin
  const tail = studentTail(Math.max(beyond, 0) / Math.sqrt(variance), degrees)
  return side === 0 ? Math.min(1, 2 * tail) : tail
}

function correlationInflation({ windows, sharedCorrelation: shared }: WindowNoise): number {
  return (1 + (1 + (windows - 1) * shared) / windows) / (1 - shared) / (1 + 1 / windows)
}
