/** Scales on which metrics are compared, and which of them ask one question. Pure. */
import { arcsine } from '../../../lib/stats/window-tests/share-noise.ts'
import type { Side } from '../../../lib/stats/window-tests/window-tails.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { PastLevel } from '../data/past-metrics.ts'
import { isReferenceScore } from './feedback/reference-scores.ts'
import { MIN_FALL, MIN_RISE } from './thresholds.ts'

/** How a number is compared. */
export interface Scale {
  worse: Side
  /** Smallest effect on the scale. */
  leastEffect: number
  of: (value: number, size: number) => number
  /** Turns the standard error of the number into that on the scale. */
  error: (level: PastLevel) => number
}

const plainly = { of: (x: number) => x, error: ({ standardError }: PastLevel) => standardError }
const relatively = {
  of: Math.log,
  error: ({ standardError, value }: PastLevel) => standardError / value,
}
/** Scale of a share's angle, whose variance is 1 / n. */
const asShare = {
  of: (x: number) => 2 * Math.asin(Math.sqrt(x)),
  error: ({ size }: PastLevel) => 1 / Math.sqrt(size),
}
/** Shares that are worse when they fall. */
export const FALL: Scale = { worse: -1, leastEffect: MIN_FALL, ...plainly }
const RISE: Scale = { worse: 1, leastEffect: Math.log(1 + MIN_RISE), ...relatively }
const SLOWER: Scale = { ...RISE, worse: -1 }
/** Near 1 % it is a difference of 0.5 %. */
const SHARE_RISE: Scale = { worse: 1, leastEffect: 0.05, ...asShare }
/** What a score means has changed, whichever way: concept drift. */
const MEANING: Scale = { worse: 0, leastEffect: 0.1, ...plainly }
/** Which answer of people is worse, nobody says. */
const RATE_CHANGE: Scale = { worse: 0, leastEffect: 0.1, ...asShare }
/** Half as much again, or two thirds. */
const CHANGE: Scale = { worse: 0, leastEffect: Math.log(1.5), ...relatively }

/** What is evaluated; all else of these families is there to be looked at. */
const SCALES = new Map<string, Scale>([
  ...['accuracy', 'precision', 'recall', 'f1', 'macro_f1', 'roc_auc', 'r2'].map(fall),
  ...['ndcg_at_k', 'hit_rate_at_k', 'mrr'].map(fall),
  ...['log_loss', 'brier', 'mae', 'rmse', 'mape', 'wape', 'pinball'].map(rise),
  ...['latency', 'time_to_first_token'].flatMap((time) =>
    [50, 95, 99].map((percent) => rise(`${time}_p${percent}_ms`)),
  ),
  ['output_tokens_per_s', SLOWER],
  ['calibration_slope', MEANING],
  ['calibration_intercept', MEANING],
  ['error_ratio', SHARE_RISE],
  ['tool_error_ratio', SHARE_RISE],
  ['loop_ratio', SHARE_RISE],
  ['steps_per_task', CHANGE],
  ['cost_per_task_usd', CHANGE],
  ['throughput_per_s', CHANGE],
  ['cost_usd', CHANGE],
  ['rate', RATE_CHANGE],
])

/**
 * How a metric is compared. Means of labels are in a unit of the user's: a change of a tenth of the
 * labels' own standard deviation in the reference matters, as it does of a share.
 */
export function scaleOf(
  { family, metric, subject }: MetricResult,
  reference: readonly PastLevel[],
): Scale | undefined {
  if (family !== 'feedback' || metric !== 'mean') return SCALES.get(metric)
  const cases = reference.reduce((sum, { size }) => sum + size, 0)
  const spread = reference.reduce((sum, own) => sum + own.size ** 2 * own.standardError ** 2, 0)
  const deviation = Math.sqrt(spread / cases)
  if (!(deviation > 0)) return undefined
  return {
    // An answer that is less like its reference is worse.
    worse: isReferenceScore(subject) ? -1 : 0,
    leastEffect: 0.1,
    of: (x) => x / deviation,
    error: ({ standardError }) => standardError / deviation,
  }
}

function fall(metric: string): [string, Scale] {
  return [metric, FALL]
}
function rise(metric: string): [string, Scale] {
  return [metric, RISE]
}

/** Whether a metric is evaluated where its label or reference allows it. */
export const hasScale = (metric: string) => SCALES.has(metric) || metric === 'mean'
/** Whether a metric says what a score means. */
export const isMeaning = (metric: string) => SCALES.get(metric) === MEANING

/**
 * The scale on which falls of a share add up over windows: its angle, where most cases are right.
 * Few errors are skewed, and a normal tail would take chance for a fall.
 *
 * @param reference windows of the reference, at least one
 */
export function fallScale(scale: Scale, metric: string, reference: readonly PastLevel[]): Scale {
  if (scale !== FALL || metric === 'r2') return scale
  const cases = reference.reduce((sum, { size }) => sum + size, 0)
  const mean = reference.reduce((sum, { size, value }) => sum + size * value, 0) / cases
  if (!(mean >= 0.5 && mean < 1)) return scale
  const sampling =
    reference.reduce((sum, own) => sum + own.size * own.standardError ** 2, 0) / reference.length
  // Cases whose share would vary as much: precision, AUC and the like have fewer or more.
  const factor = sampling / (mean * (1 - mean))
  if (!(factor > 0)) return scale
  const angle = (value: number) => 2 * Math.asin(Math.sqrt(value))
  return {
    worse: -1,
    leastEffect: angle(mean) - angle(Math.max(0, mean - MIN_FALL)),
    of: (value, size) => arcsine((value * size) / factor, size / factor),
    error: ({ size }) => Math.sqrt(factor / size),
  }
}

/** Metrics that ask one question of a window; the first one that there is weighs half. */
interface Question {
  name: string
  /** Its part of the family's alpha, beside the other questions. */
  weight: number
  metrics: readonly string[]
}

const QUESTIONS: readonly Question[] = [
  {
    name: 'right',
    weight: 4,
    metrics: ['accuracy', 'macro_f1', 'f1', 'precision', 'recall', 'roc_auc', 'log_loss', 'brier'],
  },
  { name: 'error', weight: 4, metrics: ['mae', 'rmse', 'mape', 'wape', 'pinball', 'r2'] },
  { name: 'ranking', weight: 4, metrics: ['ndcg_at_k', 'hit_rate_at_k', 'mrr'] },
  { name: 'meaning', weight: 1, metrics: ['calibration_slope', 'calibration_intercept'] },
]

/** The question that a result answers; any other is one by itself. */
export function questionOf({ family, metric, subject }: MetricResult): Question {
  const known =
    family === 'performance' ? QUESTIONS.find(({ metrics }) => metrics.includes(metric)) : undefined
  return known && subject === ''
    ? known
    : { name: `${metric}/${subject}`, weight: 1, metrics: [metric] }
}

/**
 * What each of a question's metrics weighs in its answer.
 *
 * @param present not empty
 * @returns shares that add up to 1, in the order of `present`
 * @example sharesOf({ name: 'right', weight: 1, metrics: ['accuracy', 'f1', 'brier'] }, ['f1', 'brier', 'accuracy']) // => [0.25, 0.25, 0.5]
 */
export function sharesOf({ metrics }: Question, present: readonly string[]): number[] {
  if (present.length === 1) return [1]
  const first = metrics.find((metric) => present.includes(metric))
  return present.map((metric) => (metric === first ? 0.5 : 0.5 / (present.length - 1)))
}
