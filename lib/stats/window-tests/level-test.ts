/**
 * Whether a number of a window, such as an accuracy or a latency, is worse than those of a
 * reference by more than its windows differ from one another.
 */
import { windowNoise, type Season } from './window-noise.ts'
import { historyTail, MIN_VARIANCE, type Side } from './window-tails.ts'

/** A number of one window, on a scale on which differences compare. */
export interface Level {
  value: number
  /** Cases behind it, > 0. */
  size: number
  /** Standard error of sampling; 0 where it is not known. */
  standardError: number
  /** Phase of its season; 0 without one. */
  phase: number
}

/** A number of the reference windows and of the windows since. */
export interface LevelSubject {
  /** R ≥ 4 windows; with a season every phase at least twice. */
  reference: readonly Level[]
  /** The windows since, the tested one last; not empty. */
  history: readonly Level[]
  /** ≥ 0: differences this small do not matter however sure they are. */
  leastEffect: number
  /** Which way is worse; 0: both. */
  worse: Side
}

/**
 * Tests the last window by itself, and in the weighted mean of the last windows, which sees small
 * lasting shifts.
 *
 * The noise is never taken for less than that of sampling, as the reference's windows have it on
 * average.
 *
 * @returns p in [0, 1]. O(R + n) time.
 * @see `windowNoise` for how windows that depend on one another are allowed for
 */
export function levelTail(
  { reference, history, leastEffect, worse }: LevelSubject,
  season?: Season,
): number {
  const size = reference.reduce((sum, level) => sum + level.size, 0)
  const total = reference.reduce((sum, level) => sum + level.size * level.value, 0)
  const whole = total / size
  const sampling =
    reference.reduce((sum, level) => sum + level.size * level.standardError ** 2, 0) /
    reference.length
  const noise = windowNoise(
    [
      {
        contrasts: reference.map(
          (own) =>
            own.value - (season ? whole : (total - own.size * own.value) / (size - own.size)),
        ),
        sizes: reference.map((own) => own.size),
      },
    ],
    { floor: (n) => Math.max(MIN_VARIANCE, sampling / n), season, features: 1 },
  )
  const windows = history.map((own) => ({
    contrast: own.value - whole,
    size: own.size,
    phase: own.phase,
  }))
  return historyTail(windows, noise, 0, { margin: leastEffect }, worse)
}
