/**
 * Performance, operations and feedback evaluated on a budget: a number alarms when it is worse than
 * those of the reference's windows by more than these differ, and by more than matters. Pure. The
 * method is told in `docs/alarms.md`.
 */
import { covers, MIN_WINDOWS, type ReferenceData } from '../data/reference.ts'
import { levelTail, type Level } from '../../../lib/stats/window-tests/level-test.ts'
import { holm } from '../../../lib/stats/window-tests/shift-test.ts'
import type { Side } from '../../../lib/stats/window-tests/window-tails.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { isEvaluated, type MetricResult } from '../data/metric-results.ts'
import { levelKey, sizeOf, type LevelHistory, type PastLevel } from '../data/past-metrics.ts'
import { levelReason } from './reasons.ts'
import { coveredTwice } from './reference-series.ts'
import { MIN_RISE, FAMILY_SHARES, pValueVerdict, marked, MIN_FALL } from './thresholds.ts'

/** What verdicts on a number depend on besides the number and its history. */
export interface LevelRules {
  window: Window
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  /** Cohorts (versions, variants, slices) that are evaluated beside this one, this one included. */
  cohorts: number
  /** Interim looks at which performance of the window is evaluated. */
  looks: number
  minCount: number
}

/** Families whose numbers are evaluated by those of the reference's windows. */
export type LevelFamily = 'performance' | 'operations' | 'feedback'

/** How a number is compared. */
interface Scale {
  worse: Side
  /** On the scale. */
  leastEffect: number
  of: (value: number) => number
  /** From the standard error of the number to that on the scale. */
  error: (level: PastLevel) => number
}

const plainly = { of: (x: number) => x, error: ({ standardError }: PastLevel) => standardError }
const relatively = {
  of: Math.log,
  error: ({ standardError, value }: PastLevel) => standardError / value,
}
/** On the angle of a share, whose variance is 1 / n. */
const asShare = {
  of: (x: number) => 2 * Math.asin(Math.sqrt(x)),
  error: ({ size }: PastLevel) => 1 / Math.sqrt(size),
}
const FALL: Scale = { worse: -1, leastEffect: MIN_FALL, ...plainly }
const RISE: Scale = { worse: 1, leastEffect: Math.log(1 + MIN_RISE), ...relatively }
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
  ...['latency_p50_ms', 'latency_p95_ms', 'latency_p99_ms'].map(rise),
  ['calibration_slope', MEANING],
  ['calibration_intercept', MEANING],
  ['error_ratio', SHARE_RISE],
  ['throughput_per_s', CHANGE],
  ['cost_usd', CHANGE],
  ['rate', RATE_CHANGE],
])

/**
 * How a metric is compared. Means of labels are in a unit of the user's: a change of a tenth of the
 * labels' own standard deviation in the reference matters, as it does of a share.
 */
function scaleOf(
  { family, metric }: MetricResult,
  reference: readonly PastLevel[],
): Scale | undefined {
  if (family !== 'feedback' || metric !== 'mean') return SCALES.get(metric)
  const cases = reference.reduce((sum, { size }) => sum + size, 0)
  const spread = reference.reduce((sum, own) => sum + own.size ** 2 * own.standardError ** 2, 0)
  const deviation = Math.sqrt(spread / cases)
  if (!(deviation > 0)) return undefined
  return {
    worse: 0,
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

/**
 * Gives the verdicts of one family by the noise between windows. Performance that cannot be
 * evaluated so keeps its fixed default, and its reason says so; operations have no fixed default.
 *
 * @param results of one family
 */
export function withLevelVerdicts(
  results: readonly MetricResult[],
  family: LevelFamily,
  reference: ReferenceData | undefined,
  history: LevelHistory,
  rules: LevelRules,
): MetricResult[] {
  if (!reference || covers(reference.spans, rules.window)) return [...results]
  const canBeEvaluated = evaluable(results)
  const tails = new Map<MetricResult, number>()
  for (const result of results) {
    const p = canBeEvaluated(result) ? tailOf(result, reference, history, rules) : undefined
    if (p !== undefined) tails.set(result, p)
  }
  const tested = [...tails.keys()]
  const alpha = rules.windowAlpha * FAMILY_SHARES[family]
  const adjusted = holm([...tails.values()], tested.length * rules.cohorts * rules.looks)
  return results.map((result) => {
    const p = tails.get(result)
    if (p === undefined)
      return marked(result, `fewer than ${MIN_WINDOWS} reference windows hold it`)
    const pAdjusted = adjusted[tested.indexOf(result)]!
    const verdict = pValueVerdict(pAdjusted, alpha)
    const key = levelKey(result)
    const [before, since] = [history.reference.get(key) ?? [], history.since.get(key) ?? []]
    return {
      ...result,
      p_value: p,
      p_adjusted: pAdjusted,
      threshold: null,
      reference: reference.name,
      verdict,
      reason: levelReason(result, verdict, before, since),
    }
  })
}

/**
 * Selects the results that can have a verdict. Performance has one where the fixed default gave one
 * to any of its metrics, so that ground truth is enough. Calibration of a part of the score is only
 * shown.
 */
function evaluable(results: readonly MetricResult[]): (result: MetricResult) => boolean {
  const hasTruth = results.some(isEvaluated)
  return (result) =>
    result.value !== null &&
    result.convention === 'plumbline' &&
    (result.method === 'observed' || result.method === 'weighted') &&
    (SCALES.has(result.metric) || result.metric === 'mean') &&
    (result.family !== 'performance' ||
      isEvaluated(result) ||
      (hasTruth && SCALES.get(result.metric) === MEANING))
}

function tailOf(
  result: MetricResult,
  { windows }: ReferenceData,
  history: LevelHistory,
  { window, minCount }: LevelRules,
): number | undefined {
  if (!windows || sizeOf(result) < minCount) return undefined
  const key = levelKey(result)
  const scale = scaleOf(
    result,
    (history.reference.get(key) ?? []).filter(({ size }) => size >= minCount),
  )
  if (!scale) return undefined
  const usable = (past: readonly PastLevel[] = []) =>
    past.filter(({ value, size }) => size >= minCount && Number.isFinite(scale.of(value)))
  const reference = usable(history.reference.get(key))
  const now = {
    ...window,
    value: result.value!,
    size: sizeOf(result),
    standardError: 0,
    alarmed: false,
  }
  if (reference.length < MIN_WINDOWS || usable([now]).length === 0) return undefined
  const since = usable(history.since.get(key))
  const calm = since.slice(since.findLastIndex(({ alarmed }) => alarmed) + 1)
  // Of the windows that have the number.
  const season =
    windows.season &&
    coveredTwice(
      windows.season.length,
      reference.map(({ start }) => windows.phaseOf(start)),
    )
  const toLevel = (past: PastLevel): Level => ({
    value: scale.of(past.value),
    size: past.size,
    standardError: scale.error(past),
    phase: season ? windows.phaseOf(past.start) : 0,
  })
  return levelTail(
    {
      reference: reference.map(toLevel),
      history: [...calm, now].map(toLevel),
      leastEffect: scale.leastEffect,
      worse: scale.worse,
    },
    season,
  )
}
