/**
 * What the windows since a reference say together: evidence that a number has become worse, which
 * adds up from window to window and holds its error at any stop.
 */
import { normalTail } from '../distributions/normal-tail.ts'
import { excessNoise, normalize, type ExcessNoise } from './excess-noise.ts'
import type { Level, LevelSubject } from './level-test.ts'
import type { Side } from './window-tails.ts'

/** A number of the reference's windows and of the windows since, and when evidence is enough. */
export interface EvidenceSubject extends LevelSubject {
  /** Probability of a false alarm of this number a window, in (0, 1). */
  alpha: number
}

/** How sure it is that a number has become worse. */
export interface LevelEvidence {
  /** p of the last window by itself, in [0, 1]. */
  window: number
  /**
   * Evidence of the last windows together, ≥ 0: alarms where it reaches 1 / alpha come at most once
   * in 1 / alpha windows on average when nothing has changed.
   */
  lasting: number
  /** How many of the last windows say it most clearly, ≥ 1. */
  windows: number
}

/** How alpha is split between the last window by itself and the evidence of several. */
const WINDOW_SHARE = 0.7
/** Changes that are looked for: the standard deviation of their prior, in smallest effects. */
const EFFECT_SPREAD = 3
/** Windows that evidence is added up over at most. */
const MAX_WINDOWS = 16
/** Windows in a row without an alarm after which evidence begins anew. */
const CALM_WINDOWS = 2
/** Variances that are less probable than this, as a logarithm, are left out. */
const NEGLIGIBLE = -12
/** Greater logarithms of evidence say no more, and would overflow. */
const MAX_LOG = 600

/**
 * Tests the last window by itself, and weighs the windows since against the reference by a
 * Shiryaev-Roberts sum of Bayes factors, one for each window at which the change may have begun.
 *
 * The mean of the reference and the noise between windows are unknown in both hypotheses: the mean
 * is flat beforehand, the noise as {@link excessNoise} has it. The change is half normal. A change
 * within `leastEffect` of the reference counts for nothing; beyond it, it is tested against none.
 * Evidence beyond the alarm's line is cut to it, so that it ends soon after the change does.
 *
 * @returns undefined where a window of the reference has no standard error. O(R + T²) time.
 * @see Shin, Ramdas & Rinaldo (2024), New England J. Statist. Data Sci. 2, 229–260, for such sums
 *   (e-detectors) and their rate of false alarms
 */
export function levelEvidence(
  { reference, history, leastEffect, worse, alpha }: EvidenceSubject,
  season?: Parameters<typeof excessNoise>[1],
): LevelEvidence | undefined {
  const noise = excessNoise(reference, season)
  if (!noise) return undefined
  const change = { least: leastEffect, side: worse }
  const windows = history.slice(-MAX_WINDOWS)
  const last = windows.at(-1)!
  return {
    window: isWithin(last.value - noise.plainMeans[last.phase]!, change)
      ? 1
      : tailOf(last, noise, worse),
    ...lastingEvidence(windows, noise, change, 1 / (alpha * (1 - WINDOW_SHARE))),
  }
}

/** No p is told smaller. */
const MIN_P = 1e-300

/**
 * p of a window and of the evidence together, each at its share of the error.
 *
 * @returns in (0, 1]
 */
export const evidenceTail = ({ window, lasting }: Pick<LevelEvidence, 'window' | 'lasting'>) =>
  Math.max(MIN_P, Math.min(1, window / WINDOW_SHARE, 1 / (lasting * (1 - WINDOW_SHARE))))

/** The evidence that a p is which holds without that of several windows. */
export const byItself = (p: number): LevelEvidence => ({
  window: p * WINDOW_SHARE,
  lasting: 0,
  windows: 1,
})

/**
 * The evidence of several numbers that answer one question, each with its share: the harmonic mean
 * of p, which is sharp where numbers move together, and the mean of lasting evidence, which adds no
 * error.
 *
 * @param shares add up to 1
 * @see Wilson (2019), PNAS 116, 1195–1200, for the harmonic mean
 */
export function jointEvidence(
  members: readonly LevelEvidence[],
  shares: readonly number[],
): Pick<LevelEvidence, 'window' | 'lasting'> {
  return {
    window: 1 / members.reduce((sum, { window }, i) => sum + shares[i]! / window, 0),
    lasting: members.reduce((sum, { lasting }, i) => sum + shares[i]! * lasting, 0),
  }
}

/** Whether the evidence of several windows is stronger than that of the last one. */
export const isLasting = ({ window, lasting, windows }: LevelEvidence) =>
  windows > 1 && 1 / (lasting * (1 - WINDOW_SHARE)) < window / WINDOW_SHARE

interface Change {
  least: number
  side: Side
}

const isWithin = (deviation: number, { least, side }: Change) =>
  (side === 0 ? Math.abs(deviation) : side * deviation) < least

/** p that a new window deviates as far, averaged over what its noise may be. */
function tailOf({ value, size, phase }: Level, noise: ExcessNoise, side: Side): number {
  let p = 0
  noise.excess.forEach((excess, g) => {
    const variance = noise.sampling / size + excess * noise.ofWindow + noise.meanVariances[g]!
    const z = (value - noise.means[g]![phase]!) / Math.sqrt(variance)
    const tail = side === 0 ? 2 * normalTail(Math.abs(z)) : normalTail(side * z)
    p += Math.exp(noise.logWeights[g]!) * tail
  })
  return Math.min(1, p)
}

/** Sums over the first windows, by variance: precisions, and deviations times precision. */
interface Sums {
  precisions: Float64Array[]
  deviations: Float64Array[]
  sizes: number[]
  plain: number[]
}

function lastingEvidence(
  history: readonly Level[],
  noise: ExcessNoise,
  change: Change,
  line: number,
): { lasting: number; windows: number } {
  const logWeights = Float64Array.from(noise.logWeights)
  const sums: Sums = {
    // The mean of the reference is known about as well as a window of that variance tells it.
    precisions: [noise.meanVariances.map((variance) => 1 / variance)],
    deviations: [new Float64Array(logWeights.length)],
    sizes: [0],
    plain: [0],
  }
  const spread = (EFFECT_SPREAD * change.least) ** 2
  const shares: number[] = []
  let found = { lasting: 0, windows: 1 }
  let [begin, calm, isAlarmed] = [0, 0, false]
  history.forEach((level, t) => {
    add(level, noise, sums, logWeights)
    shares.push(1)
    let total = 0
    let most = 0
    let windows = 1
    for (let k = begin; k <= t; k++) {
      const mean = (sums.plain[t + 1]! - sums.plain[k]!) / (sums.sizes[t + 1]! - sums.sizes[k]!)
      if (isWithin(mean, change)) continue
      const own = shares[k]! * bayesFactor(sums, k, logWeights, { spread, side: change.side })
      total += own
      if (own > most) [most, windows] = [own, t + 1 - k]
    }
    found = { lasting: total, windows }
    calm = total >= line ? 0 : calm + 1
    if (total >= line) {
      isAlarmed = true
      for (let k = begin; k <= t; k++) shares[k]! *= line / total
    } else if (isAlarmed && calm >= CALM_WINDOWS) [isAlarmed, begin] = [false, t + 1]
  })
  return found
}

/** Takes in a window: what it says of the variance if nothing has changed, and its sums. */
function add(level: Level, noise: ExcessNoise, sums: Sums, logWeights: Float64Array): void {
  const { value, size, phase } = level
  const before = sums.precisions.at(-1)!
  const total = sums.deviations.at(-1)!
  const precisions = new Float64Array(before.length)
  const deviations = new Float64Array(before.length)
  for (let g = 0; g < before.length; g++) {
    const variance = noise.sampling / size + noise.excess[g]! * noise.ofMeans
    const deviation = value - noise.means[g]![phase]!
    const predicted = variance + 1 / before[g]!
    logWeights[g]! -=
      (Math.log(predicted) + (deviation - total[g]! / before[g]!) ** 2 / predicted) / 2
    precisions[g] = before[g]! + 1 / variance
    deviations[g] = total[g]! + deviation / variance
  }
  normalize(logWeights)
  sums.precisions.push(precisions)
  sums.deviations.push(deviations)
  sums.sizes.push(sums.sizes.at(-1)! + size)
  sums.plain.push(sums.plain.at(-1)! + size * (value - noise.plainMeans[phase]!))
}

/** Bayes factor of a change at the window `from` against none, in all windows so far. */
function bayesFactor(
  { precisions, deviations }: Sums,
  from: number,
  logWeights: Float64Array,
  { spread, side }: { spread: number; side: Side },
): number {
  const [before, total] = [precisions[from]!, deviations[from]!]
  const [after, whole] = [precisions.at(-1)!, deviations.at(-1)!]
  let sum = 0
  for (let g = 0; g < logWeights.length; g++) {
    const log = logWeights[g]!
    if (log < NEGLIGIBLE) continue
    const precision = after[g]! - before[g]!
    const difference = (whole[g]! - total[g]!) / precision - total[g]! / before[g]!
    const variance = 1 / precision + 1 / before[g]!
    // Variance of the change after the windows are seen.
    const posterior = 1 / (1 / spread + 1 / variance)
    const mean = (difference * posterior) / variance
    const deviate = mean / Math.sqrt(posterior)
    const onSide = side === 0 ? 1 : 2 * normalTail(-side * deviate)
    sum +=
      Math.exp(log + Math.min(MAX_LOG, (deviate * deviate) / 2)) *
      Math.sqrt(posterior / spread) *
      onSide
  }
  return sum
}
