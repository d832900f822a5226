/**
 * What performance will read once all labels of a window are in, from those that are: corrected by
 * what the labels still to come did to earlier windows at the same age. Labels that come late may
 * say something else than the first ones (mistakes that customers report after weeks), so that the
 * first ones alone are no estimate. Pure.
 */
import { largest, smallest } from '../../../../lib/stats/samples/extremes.ts'
import { predictionInterval } from '../../../../lib/stats/intervals/prediction-interval.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import {
  standardErrorOf,
  type EarlyAndFinal,
  type EarlyLabels,
  type Measured,
} from '../../data/past-metrics.ts'
import { MIN_WINDOWS } from '../../data/reference.ts'

/**
 * Metrics that are now-cast. `share`: labels still to come multiply its odds, which is what happens
 * where mistakes are told later than what was right; `error`: they multiply it.
 */
export const NOW_CAST: ReadonlyMap<string, 'share' | 'error'> = new Map([
  ['accuracy', 'share'],
  ['mae', 'error'],
  ['precision', 'share'],
  ['recall', 'share'],
  ['f1', 'share'],
  ['macro_f1', 'share'],
  ['roc_auc', 'share'],
  ['rmse', 'error'],
])

/** The newest earlier windows that a now-cast is made of. */
const MAX_EARLIER_WINDOWS = 20
/** Fewer cases with a label say too little of the window itself. */
const MIN_CASES = 30
const CI_LEVEL = 0.95
/**
 * Windows are of the same age where their shares of labelled predictions differ by no more than
 * this factor, or by so much: the clock alone does not tell, since an evaluation may come late.
 */
const ALIKE_FACTOR = 1.5
const ALIKE_DIFFERENCE = 0.05

/**
 * Now-casts of a window some of whose labels are still to come; a row without a value says why there
 * is none. Nothing where neither the window nor earlier ones have labels.
 *
 * @param performance results of the window with the labels that are in
 * @param earlier windows that ended before it
 * @param absentMeans `labels.absent_means` of the model
 */
export function evaluateNowCasts(
  performance: readonly MetricResult[],
  earlier: EarlyLabels,
  absentMeans: string,
): MetricResult[] {
  const coverage = performance.find(
    ({ metric, subject }) => metric === 'label_coverage' && subject === '',
  )
  if (!coverage) return []
  const results = [...NOW_CAST.keys()].flatMap((metric) => {
    const windows = earlier.get(metric) ?? []
    const now = performance.find(
      (result) => result.metric === metric && result.subject === '' && isOfLabels(result),
    )
    return now || windows.length > 0
      ? [nowCast(metric, { now, windows, coverage, absentMeans })]
      : []
  })
  const reasons = new Set<string>()
  // What one reason says of all of them is said once.
  return results.filter(({ value, reason }) => {
    if (value !== null) return true
    const isNew = !reasons.has(reason)
    reasons.add(reason)
    return isNew
  })
}

const isOfLabels = ({ method, value }: MetricResult) =>
  value !== null && (method === 'observed' || method === 'weighted')

interface NowCastQuestion {
  /** Result of the labels that are in; undefined where they do not give it. */
  now: MetricResult | undefined
  windows: readonly EarlyAndFinal[]
  coverage: MetricResult
  absentMeans: string
}

function nowCast(metric: string, question: NowCastQuestion): MetricResult {
  const { now, windows, coverage } = question
  const more = {
    method: 'nowcast' as const,
    n_current: coverage.n_current,
    n_labelled: coverage.n_labelled,
    n_effective: coverage.n_effective,
    label_maturity: coverage.label_maturity,
  }
  const name = `nowcast_${metric}`
  const unknown = (reason: string) =>
    metricResult('performance', '', name, null, { ...more, verdict: 'incomplete', reason })
  const share = coverage.value ?? 0
  const alike = windows.flatMap(sameAge(share)).slice(-MAX_EARLIER_WINDOWS)
  const problem = whyNot(metric, question, alike)
  if (problem !== undefined || !now) return unknown(problem ?? 'no label is in yet')
  const expected = expectedLabels(alike, coverage.n_current)
  const isIn = Math.min(1, coverage.n_labelled / expected)
  const found = corrected(metric, now, { alike, isIn })
  const labels = `${coverage.n_labelled} of about ${Math.max(coverage.n_labelled, Math.round(expected))} labels are in`
  return metricResult('performance', '', name, found.value, {
    ...more,
    ci_low: found.low,
    ci_high: found.high,
    ci_level: CI_LEVEL,
    completeness: isIn,
    n_reference: alike.reduce((sum, { final }) => sum + final.labelled, 0),
    reason: `${labels}; as in ${alike.length} earlier windows of this age, those still to come move it by ${found.moved}`,
  })
}

/** A window at the age where its share of labels is nearest to a given one, and once mature. */
interface Pair {
  early: Measured
  final: Measured
}

const sameAge =
  (share: number) =>
  ({ early, final }: EarlyAndFinal): Pair[] => {
    const nearest = early.toSorted(
      (a, b) => Math.abs(a.share - share) - Math.abs(b.share - share),
    )[0]!
    return isAlike(nearest.share, share) ? [{ early: nearest, final }] : []
  }

const isAlike = (a: number, b: number) =>
  Math.abs(a - b) <= ALIKE_DIFFERENCE ||
  (Math.min(a, b) > 0 && Math.max(a, b) / Math.min(a, b) <= ALIKE_FACTOR)

/** Why a metric has no now-cast; undefined where it has one. */
function whyNot(
  metric: string,
  { now, windows, coverage, absentMeans }: NowCastQuestion,
  alike: readonly Pair[],
): string | undefined {
  if (absentMeans !== 'unknown')
    return `a missing label means ${absentMeans} once the label horizon has passed: until then the labels that are in are a choice`
  if (coverage.n_labelled === 0) return 'no label is in yet'
  if (!now) return 'the labels that are in do not give it'
  if (now.n_current < MIN_CASES)
    return `${now.n_current} cases with a label are in, below ${MIN_CASES}`
  if (windows.length < MIN_WINDOWS)
    return `${windows.length} earlier windows were measured at this age and with all labels, below ${MIN_WINDOWS}`
  if (alike.length < MIN_WINDOWS) {
    const shares = windows.flatMap(({ early }) => early.map((one) => one.share))
    const [low, high] = [smallest(shares), largest(shares)].map(percent)
    return `${percent(coverage.value ?? 0)} of the predictions are labelled, ${low} to ${high} of earlier windows' at this age: ${alike.length} of them are like it, below ${MIN_WINDOWS}`
  }
  const values = [now.value!, ...alike.flatMap(({ early, final }) => [early.value, final.value])]
  if (NOW_CAST.get(metric) === 'error' && !values.every((value) => value > 0))
    return 'an error of 0 has no ratio to another'
  return undefined
}

/** How many labels a window of so many predictions will have, as those of earlier windows had. */
function expectedLabels(alike: readonly Pair[], predictions: number): number {
  const labelled = alike.reduce((sum, { final }) => sum + final.labelled, 0)
  const all = alike.reduce((sum, { final }) => sum + final.labelled / final.share, 0)
  return (predictions * labelled) / all
}

/**
 * The measure times what the labels still to come made of it in earlier windows, of shares by odds,
 * with Student's prediction interval on the logarithm: it holds what windows differ by. Where the
 * window has fewer cases than those had, the spread is that of fewer cases; it is never below the
 * sampling error that the missing labels leave, se² · (1 − share that is in).
 */
function corrected(
  metric: string,
  now: MetricResult,
  { alike, isIn }: { alike: readonly Pair[]; isIn: number },
) {
  const { log, slope, invert } = SCALES[NOW_CAST.get(metric)!]
  const value = now.value!
  const cases = alike.reduce((sum, { early }) => sum + early.n, 0) / alike.length
  const standardError = standardErrorOf(now) * slope(value, now.n_current)
  const move = predictionInterval(
    alike.map(({ early, final }) => log(final.value, final.n) - log(early.value, early.n)),
    CI_LEVEL,
    {
      inflation: Math.max(1, cases / now.n_current),
      minVariance: standardError ** 2 * (1 - isIn),
    },
  )!
  const apply = (by: number) => invert(log(value, now.n_current) + by)
  const found = { value: apply(move.value), low: apply(move.low), high: apply(move.high) }
  const by =
    NOW_CAST.get(metric) === 'error'
      ? `${signed(100 * Math.expm1(move.value))} %`
      : signed(found.value - value)
  return { ...found, moved: by }
}

/** A share is taken to be half a case away from 0 and from 1 at least: its odds are then finite. */
const inside = (share: number, n: number) => Math.min(1 - 0.5 / n, Math.max(0.5 / n, share))

/** Logarithms on which labels still to come add, the slope of each, and the way back. */
const SCALES = {
  share: {
    log: (share: number, n: number) => Math.log(inside(share, n) / (1 - inside(share, n))),
    slope: (share: number, n: number) => 1 / (inside(share, n) * (1 - inside(share, n))),
    invert: (x: number) => 1 / (1 + Math.exp(-x)),
  },
  error: {
    log: (error: number) => Math.log(error),
    slope: (error: number) => 1 / error,
    invert: Math.exp,
  },
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const signed = (x: number) => `${x < 0 ? '−' : '+'}${Number(Math.abs(x).toPrecision(2))}`
