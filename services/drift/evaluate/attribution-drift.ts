/**
 * Whether a model leans on other features than in its baseline: shares of the absolute attributions,
 * and the ranking of features as SageMaker Clarify and Azure Machine Learning compare it. Pure.
 */
import { ndcg } from '../../../lib/stats/distances/ndcg.ts'
import { studentTail } from '../../../lib/stats/distributions/student-t.ts'
import { momentsOf } from '../../../lib/stats/samples/moments.ts'
import { levelTail, type Level } from '../../../lib/stats/window-tests/level-test.ts'
import { holm } from '../../../lib/stats/window-tests/shift-test.ts'
import { featureSubject } from '../../../lib/events/subjects.ts'
import type { FeatureAttribution } from '../data/attributions.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { MIN_WINDOWS } from '../data/reference.ts'
import { FAMILY_SHARES, pValueVerdict } from './thresholds.ts'

/** A share of the attributions that moves by less than this does not matter. */
const MIN_SHARE_EFFECT = 0.05
/** A ranking above 1 minus this does not matter; both products alarm below 0.9. */
const MIN_RANKING_FALL = 0.05
/** Features that are shown, those with the largest attributions in the window or its baseline. */
const MAX_FEATURES = 100
const MIN_DISTANCE = 1e-6

/** What verdicts on attributions depend on. */
export interface AttributionRules {
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  minCount: number
  reference: string
  /** Why no verdict is given; '' where one is. */
  without: string
}

/** Mean absolute attributions by feature, and the events behind them. */
interface Importance {
  byFeature: ReadonlyMap<string, number>
  events: number
}

/**
 * Compares the attributions of a window with those of the baseline's windows.
 *
 * @param reference by span; empty where the baseline has no attributions
 * @returns the ranking's NDCG, and of each feature the mean absolute attribution, its share and its
 *   rank; nothing where the window has no attribution
 */
export function evaluateAttributions(
  current: readonly FeatureAttribution[],
  reference: readonly FeatureAttribution[],
  rules: AttributionRules,
): MetricResult[] {
  const now = merged(current)
  if (!now) return []
  const windows = [...Map.groupBy(reference, ({ span }) => span).values()].map((own) =>
    merged(own)!,
  )
  const before = merged(reference)
  const features = ranked(now)
    .concat(before ? ranked(before) : [])
    .filter((name, i, all) => all.indexOf(name) === i)
    .slice(0, MAX_FEATURES)
  const isTested =
    rules.without === '' && windows.length >= MIN_WINDOWS && now.events >= rules.minCount
  const score = before ? rankingOf(before, now) : undefined
  const tests = new Map<string, number>()
  if (isTested && before && score !== undefined) {
    tests.set('', rankingTail(score, windows))
    for (const name of features) tests.set(name, shareTail(name, now, windows))
  }
  const names = [...tests.keys()]
  const adjusted = holm([...tests.values()])
  const why = rules.without || whyNot(now, windows, rules)
  const verdictOf = (name: string): Partial<MetricResult> => {
    const p = tests.get(name)
    if (p === undefined)
      return {
        verdict: rules.without === '' && now.events < rules.minCount ? 'incomplete' : 'none',
        reason: why,
      }
    const pAdjusted = adjusted[names.indexOf(name)]!
    const alpha = rules.windowAlpha * FAMILY_SHARES.attribution
    return { p_value: p, p_adjusted: pAdjusted, verdict: pValueVerdict(pAdjusted, alpha) }
  }
  const shared = {
    n_current: now.events,
    n_reference: before?.events ?? 0,
    reference: rules.reference,
  }
  return [
    ...(score === undefined
      ? []
      : [
          withReason(
            metricResult('drift', '', 'attribution_ndcg', score, {
              ...shared,
              baseline_value: 1,
              ...verdictOf(''),
            }),
            `most important: ${ranked(now).slice(0, 3).join(', ')}; in the baseline ${ranked(before!).slice(0, 3).join(', ')}`,
          ),
        ]),
    ...features.flatMap((name) =>
      featureResults(name, now, before, { ...shared }, verdictOf(name)),
    ),
  ]
}

const withReason = (result: MetricResult, said: string): MetricResult => ({
  ...result,
  reason: [said, result.reason].filter(Boolean).join('; '),
})

function whyNot(now: Importance, windows: readonly Importance[], { minCount }: AttributionRules) {
  return now.events < minCount
    ? `${now.events} events with attributions, below min_count ${minCount}`
    : `${windows.length} windows of the baseline have attributions, ${MIN_WINDOWS} are needed`
}

function featureResults(
  name: string,
  now: Importance,
  before: Importance | undefined,
  shared: Partial<MetricResult>,
  verdict: Partial<MetricResult>,
): MetricResult[] {
  const subject = featureSubject(name)
  const of = (metric: string, value: (one: Importance) => number | null, more = {}) =>
    metricResult('drift', subject, metric, value(now), {
      ...shared,
      baseline_value: before ? value(before) : null,
      ...more,
    })
  const share = of('attribution_share', (one) => shareOf(one, name), verdict)
  const percent = (x: number | null) => `${(100 * (x ?? 0)).toFixed(1)} %`
  return [
    of('attribution_mean_abs', ({ byFeature }) => byFeature.get(name) ?? 0),
    before
      ? withReason(
          share,
          `${percent(share.value)} of the attributions, ${percent(share.baseline_value)} in the baseline`,
        )
      : share,
    of('attribution_rank', (one) => rankOf(one, name)),
  ]
}

/** Features by falling attribution; ties in the order of their names. */
const ranked = ({ byFeature }: Importance) =>
  [...byFeature].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => name)

const rankOf = (one: Importance, name: string) => {
  const at = ranked(one).indexOf(name)
  return at < 0 ? null : at + 1
}

function shareOf({ byFeature }: Importance, name: string): number {
  const total = [...byFeature.values()].reduce((sum, x) => sum + x, 0)
  return total > 0 ? (byFeature.get(name) ?? 0) / total : 0
}

/** Spans as one, each by its events; undefined where there is none. */
function merged(spans: readonly FeatureAttribution[]): Importance | undefined {
  if (spans.length === 0) return undefined
  const eventsOf = new Map(spans.map(({ span, events }) => [span, events]))
  const events = [...eventsOf.values()].reduce((sum, n) => sum + n, 0)
  const byFeature = new Map<string, number>()
  for (const { feature, meanAbsolute, events: own } of spans)
    byFeature.set(feature, (byFeature.get(feature) ?? 0) + (meanAbsolute * own) / events)
  return { byFeature, events }
}

/** NDCG of the window's ranking by the baseline's attributions; undefined where those are all 0. */
function rankingOf(before: Importance, now: Importance): number | undefined {
  const names = [...new Set([...before.byFeature.keys(), ...now.byFeature.keys()])]
  const of = ({ byFeature }: Importance) => names.map((name) => byFeature.get(name) ?? 0)
  const value = ndcg(of(before), of(now))
  return Number.isFinite(value) ? value : undefined
}

/** That a window of the baseline's kind would be ranked as far from the others as this one. */
function rankingTail(value: number, windows: readonly Importance[]): number {
  if (1 - value < MIN_RANKING_FALL) return 1
  const log = (score: number) => Math.log(Math.max(MIN_DISTANCE, 1 - score))
  const own = windows.flatMap((window, i) => {
    const others = joined(windows.filter((_, j) => j !== i))
    const score = rankingOf(others, window)
    return score === undefined ? [] : [log(score)]
  })
  const { mean, variance } = momentsOf(own)
  // Rankings that never differed tell no noise: half a unit of the logarithm at least.
  const spread = Math.max(0.25, variance) * (1 + 1 / own.length)
  return studentTail((log(value) - mean) / Math.sqrt(spread), own.length - 1)
}

function joined(windows: readonly Importance[]): Importance {
  const events = windows.reduce((sum, one) => sum + one.events, 0)
  const byFeature = new Map<string, number>()
  for (const own of windows)
    for (const [name, x] of own.byFeature)
      byFeature.set(name, (byFeature.get(name) ?? 0) + (x * own.events) / events)
  return { byFeature, events }
}

function shareTail(name: string, now: Importance, windows: readonly Importance[]): number {
  const level = (one: Importance): Level => ({
    value: shareOf(one, name),
    size: one.events,
    standardError: 0,
    phase: 0,
  })
  return levelTail({
    reference: windows.map(level),
    history: [level(now)],
    leastEffect: MIN_SHARE_EFFECT,
    worse: 0,
  })
}
