/**
 * When a number is a warning or an alarm: the fixed defaults, and the overrides of the model file.
 */
import { short } from '../../../lib/models/alarm-sentences.ts'
import { joined } from './reasons/reasons.ts'
import { chiSquaredQuantile } from '../../../lib/stats/distributions/chi-squared.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import { crosses, limitOf, lineText } from '../../../lib/models/alarm-lines.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { isEvaluated, type MetricResult, type Verdict } from '../data/metric-results.ts'

const PSI_WARNING = 0.1
const PSI_ALARM = 0.25
/** D of Kolmogorov and Smirnov below this is no alarm, however small its p value. */
export const KS_MIN_D = 0.1
/** The p value below which D may alarm. */
export const KS_P = 0.001
/** Where more of the scores than this lie outside [0, 1], they are no probabilities. */
export const MAX_IMPROBABLE = 0.01
/** The share of the scores outside [0, 1], in words. */
export const improbableShare = (share: number): string =>
  `${(100 * share).toPrecision(2)} % of the scores lie outside [0, 1]`
/** Why there is nothing that takes scores for probabilities. */
export const improbableReason = (share: number): string =>
  `${improbableShare(share)}: they are no probabilities (score_kind: margin says so)`
/** A fall of performance that matters: absolute for scores in [0, 1], relative for errors. */
export const PERFORMANCE_FALL = 0.05

/** A relative rise of an error that matters. */
export const ERROR_RISE = 0.1
/** Where the noise between windows is known: what does not matter however sure it is, likewise. */
export const MIN_FALL = 0.02

/**
 * A relative rise of an error below this does not matter where the noise between windows is known.
 */
export const MIN_RISE = 0.05

/** A difference of rates between groups beyond this alarms. */
export const FAIRNESS_DIFFERENCE = 0.1

/** A ratio of rates between groups below this alarms (the four-fifths rule). */
export const FAIRNESS_RATIO = 0.8
/** Groups of fewer cases are neither compared nor shown: a result would be about single people. */
export const MIN_CELL = 10
/**
 * Smaller groups alarm, yet are never told to be alike while their interval reaches beyond the
 * limit.
 */
export const MIN_CONCLUSIVE_CELL = 30

/**
 * The PSI that 1 % of windows without drift exceed: the alarm line never lies in the noise of small
 * samples.
 */
export function psiAlarmLine(bins: number, nReference: number, nCurrent: number): number {
  const noise = chiSquaredQuantile(0.99, Math.max(1, bins - 1)) * (1 / nReference + 1 / nCurrent)
  return Math.max(PSI_ALARM, noise)
}

/** The verdict on PSI; `alarmLine` is that of {@link psiAlarmLine}. */
export function psiVerdict(value: number, alarmLine: number): Verdict {
  if (value > alarmLine) return 'alarm'
  return value > PSI_WARNING ? 'warning' : 'ok'
}

/**
 * The verdict of a fall, from the intervals of (reference − current), or of the relative rise of an
 * error: wholly above the line at 95 % warns, at 99 % alarms.
 */
export function fallVerdict(low95: number, low99: number, line: number): Verdict {
  if (low99 > line) return 'alarm'
  return low95 > line ? 'warning' : 'ok'
}

const WEEK_MS = 7 * 86_400_000
const MAX_WINDOW_ALPHA = 0.05

/**
 * The share of windows that may alarm by chance: `alarms.false_alarms_per_week`, shared evenly
 * among the windows of a week. The expected number of false alarms is then below the budget
 * whatever the windows have to do with one another.
 */
export function windowAlphaOf({ windows, falseAlarmsPerWeek }: Model, window: Window): number {
  const slide = windows.slide === undefined ? window.end - window.start : durationMs(windows.slide)
  return Math.min(MAX_WINDOW_ALPHA, (falseAlarmsPerWeek * slide) / WEEK_MS)
}

/**
 * Shares of the window's alpha that the families of metrics get, and what is searched for besides;
 * they add up to 1.
 */
export const FAMILY_SHARES = {
  drift: 0.35,
  performance: 0.25,
  quality: 0.1,
  fairness: 0.1,
  operations: 0.1,
  feedback: 0.05,
  attribution: 0.01,
  cohort_search: 0.01,
  odd_one_out: 0.03,
} as const

/** A warning is this many times as likely by chance as an alarm. */
export const WARNING_FACTOR = 5

/**
 * The verdict of a test; a warning is {@link WARNING_FACTOR} times as likely by chance as an alarm.
 *
 * @param pAdjusted p value, corrected for everything that is tested of the window
 * @param alpha the adjusted p value up to which it alarms
 */
export function pValueVerdict(pAdjusted: number, alpha: number): Verdict {
  if (pAdjusted <= alpha) return 'alarm'
  return pAdjusted <= WARNING_FACTOR * alpha ? 'warning' : 'ok'
}

/** Why verdicts are those of fixed lines: the model file says so. */
export const FIXED_LINES = 'alarms: fixed in the model file'

/** Adds to the reason that a verdict is that of a fixed default, and why. */
export const marked = (result: MetricResult, why: string): MetricResult =>
  isEvaluated(result)
    ? {
        ...result,
        reason: joined(
          result.reason,
          result.threshold !== null && `the line is ${short(result.threshold)}`,
          `fixed default: ${why}`,
        ),
      }
    : result

/** Most models draw no line, and a key made for each of thousands of results costs. */
function linesOf({ family, metric, subject }: MetricResult, overrides: Model['overrides']) {
  if (Object.keys(overrides).length === 0) return undefined
  return overrides[`${family}/${metric}/${subject}`] ?? overrides[`${family}/${metric}`]
}

/**
 * Applies the lines of `alarms.overrides`: those of `family/metric/subject`, else those of
 * `family/metric`. They stand outside the budget. A number that is incomplete stays so, and one
 * that a relative line cannot be drawn for becomes so.
 */
export function overridden(result: MetricResult, overrides: Model['overrides']): MetricResult {
  const { value, verdict, convention, baseline_value: baseline } = result
  if (value === null || verdict === 'incomplete' || convention !== 'plumbline') return result
  const lines = linesOf(result, overrides)
  if (!lines) return result
  const tried = (['alarm', 'warning'] as const).flatMap((severity) => {
    const line = lines[severity]
    return line ? [{ severity, line, isCrossed: crosses(line, value, baseline) }] : []
  })
  const crossed = tried.find(({ isCrossed }) => isCrossed)
  const unknown = tried.find(({ isCrossed }) => isCrossed === undefined)
  const { line } = crossed ?? tried[0]!
  const isUnknown = !crossed && unknown !== undefined
  return {
    ...result,
    verdict: isUnknown ? 'incomplete' : (crossed?.severity ?? 'ok'),
    threshold: limitOf(line, value, baseline),
    reason: isUnknown
      ? 'the baseline has no value that a relative line of the model file could be drawn from'
      : `${short(value)}${baseline === null ? '' : ` after ${short(baseline)} in the baseline`}; ${crossed ? 'crosses' : 'keeps to'} the model file's line ${lineText(line)}`,
  }
}
