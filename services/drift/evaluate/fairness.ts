/** How differently groups are treated, against the privileged group, with intervals that hold in small cells. Pure. */
import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import {
  newcombe,
  ratioInterval,
  wilson,
  type Interval,
} from '../../../lib/stats/intervals/proportions.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { evaluateLabelFairness } from './label-fairness.ts'
import { metricResult, type MetricResult, type Verdict } from '../data/metric-results.ts'
import {
  FAIRNESS_DIFFERENCE,
  FAIRNESS_RATIO,
  MIN_CELL,
  MIN_CONCLUSIVE_CELL,
  WARNING_FACTOR,
} from './thresholds.ts'
import type { GroupCounts } from '../data/window-data.ts'
import {
  equalizedOdds,
  falsePositives,
  favorableRate,
  isMissing,
  labelledOf,
  precisionOf,
  selection,
  truePositives,
  type Share,
} from './measures/group-shares.ts'

const CI_LEVEL = 0.95

/** What verdicts on one protected attribute depend on. */
export interface FairnessRules {
  attribute: string
  /** The group others are compared with; when undefined the largest one that has the attribute. */
  privileged: string | undefined
  minCount: number
  /** Share of the label horizon that has passed at the last interim look; 0 before the first. */
  maturity: number
  /** The probability that one test alarms by chance. */
  alpha: number
}

/** How many tests compare a group with the privileged one. */
const TESTS = 6

/** How many tests some attributes are, given their groups. */
export const fairnessTests = (groups: Iterable<readonly GroupCounts[]>): number =>
  [...groups].reduce(
    (sum, own) => sum + TESTS * Math.max(0, own.filter((g) => g.predictions > 0).length - 1),
    0,
  )

/** The attributes that are evaluated: those of the model file, and each two of them together (`sex&race`). */
export function fairnessAttributes({
  fairness,
}: Model): { name: string; privileged: string | undefined }[] {
  const single = Object.entries(fairness.attributes)
  const pairs = single.flatMap(([a, { privileged: of }], i) =>
    single.slice(i + 1).map(([b, { privileged: and }]) => ({
      name: `${a}&${b}`,
      privileged: of === undefined || and === undefined ? undefined : `${a}=${of}&${b}=${and}`,
    })),
  )
  return [...single.map(([name, { privileged }]) => ({ name, privileged })), ...pairs]
}

/**
 * Rates of every group, and comparisons with the privileged one: parity difference and ratio, and
 * error rates where labels are known. Empty where no group has predictions.
 */
export function evaluateFairness(
  groups: readonly GroupCounts[],
  rules: FairnessRules,
): MetricResult[] {
  const known = groups.filter((group) => group.predictions > 0)
  if (known.length === 0) return []
  const named = known.filter((group) => !isMissing(group))
  const privileged =
    rules.privileged === undefined
      ? named.toSorted((a, b) => b.predictions - a.predictions)[0]
      : named.find((group) => [group.group, subjectOf(group, rules)].includes(rules.privileged!))
  // The intervals that are shown hold for all groups together.
  const level = 1 - (1 - CI_LEVEL) / Math.max(1, known.length - 1)
  const results = [
    ...known.flatMap((group) => [
      ...rates(group, rules),
      ...(group === privileged ? [] : comparisons(group, privileged, level, rules)),
    ]),
    ...worstCase(named, rules),
    ...evaluateLabelFairness(known, privileged, (group) => subjectOf(group, rules)),
  ]
  const isWeighted = known.some(({ drawn = 0 }) => drawn > 0)
  return isWeighted
    ? results.map((one) => (OF_LABELS.has(one.metric) ? { ...one, method: 'weighted' } : one))
    : results
}

/** Metrics that rest on labels, whose method is `weighted` where any of these carries an inclusion probability. */
const OF_LABELS = new Set([
  'true_positive_rate',
  'false_positive_rate',
  'false_negative_rate',
  'precision',
  'equal_opportunity_difference',
  'false_positive_difference',
  'equalized_odds_difference',
  'predictive_parity_difference',
])

/**
 * Equalized odds over all groups at once: the larger of the widest gap of true positive rates and that of false positive rates, as
 * fairlearn counts it. Events without the attribute are no group of people and make no gap. It grows with the number of groups by chance alone, which is why it has no verdict.
 */
function worstCase(groups: readonly GroupCounts[], rules: FairnessRules): MetricResult[] {
  const gap = (of: (g: GroupCounts) => Share) => {
    const known = groups.map(of).filter(({ n }) => n > 0)
    const rates = known.map(({ successes, n }) => successes / n)
    return rates.length < 2 ? undefined : largest(rates) - smallest(rates)
  }
  const gaps = [gap(truePositives), gap(falsePositives)]
  if (gaps.includes(undefined)) return []
  return [
    metricResult(
      'fairness',
      rules.attribute,
      'equalized_odds_difference',
      largest(gaps as number[]),
      {
        n_current: groups.reduce((sum, g) => sum + labelledOf(g), 0),
        reason: `the widest gap among ${groups.length} groups`,
      },
    ),
  ]
}

function rates(group: GroupCounts, rules: FairnessRules): MetricResult[] {
  const shares: Record<string, Share> = {
    selection_rate: selection(group),
    true_positive_rate: truePositives(group),
    false_positive_rate: falsePositives(group),
    false_negative_rate: { successes: group.fn, n: group.tp + group.fn },
    precision: precisionOf(group),
  }
  return Object.entries(shares).flatMap(([metric, share]) => {
    if (share.n === 0 && metric === 'selection_rate')
      return [
        metricResult('fairness', subjectOf(group, rules), metric, null, {
          verdict: 'incomplete',
          n_current: 0,
          reason: 'no prediction of the group has a class or a score',
        }),
      ]
    if (share.n === 0) return []
    const interval = wilson(share.successes, share.n, CI_LEVEL)
    return [
      metricResult('fairness', subjectOf(group, rules), metric, share.successes / share.n, {
        n_current: share.n,
        n_labelled: labelledOf(group),
        ci_low: interval.low,
        ci_high: interval.high,
        ci_level: CI_LEVEL,
      }),
    ]
  })
}

function comparisons(
  group: GroupCounts,
  privileged: GroupCounts | undefined,
  level: number,
  rules: FairnessRules,
): MetricResult[] {
  const subject = subjectOf(group, rules)
  if (!privileged)
    return [
      metricResult('fairness', subject, 'statistical_parity_difference', null, {
        verdict: 'incomplete',
        reason:
          rules.privileged === undefined
            ? `no prediction has the attribute ${rules.attribute}`
            : `no prediction of the privileged group ${rules.privileged}`,
      }),
    ]
  const difference = (
    metric: string,
    of: (g: GroupCounts) => Share,
    needsLabels: boolean,
  ): MetricResult[] => {
    const [a, b] = [of(group), of(privileged)]
    if (a.n === 0 || b.n === 0) return []
    const interval = newcombe(a, b, level)
    const limits = { low: -FAIRNESS_DIFFERENCE, high: FAIRNESS_DIFFERENCE }
    return [
      metricResult('fairness', subject, metric, a.successes / a.n - b.successes / b.n, {
        ...sizes(a, b),
        ci_low: interval.low,
        ci_high: interval.high,
        ci_level: level,
        threshold: FAIRNESS_DIFFERENCE,
        ...(needsLabels && { n_labelled: labelledOf(group) }),
        ...verdictOf(
          { a, b, intervalAt: (at) => newcombe(a, b, at), level, limits, needsLabels },
          rules,
        ),
      }),
    ]
  }
  const [truePositiveGap] = difference('true_positive_rate_difference', truePositives, true)
  const [falsePositiveGap] = difference('false_positive_rate_difference', falsePositives, true)
  return [
    ...difference('statistical_parity_difference', selection, false),
    ...disparateImpact(subject, selection(group), selection(privileged), level, rules),
    ...difference('equal_opportunity_difference', favorableRate, true),
    ...(falsePositiveGap ? [falsePositiveGap] : []),
    ...(truePositiveGap && falsePositiveGap
      ? [equalizedOdds(truePositiveGap, falsePositiveGap)]
      : []),
    ...difference('predictive_parity_difference', precisionOf, true),
  ]
}

function disparateImpact(
  subject: string,
  a: Share,
  b: Share,
  level: number,
  rules: FairnessRules,
): MetricResult[] {
  if (a.n === 0 || b.n === 0) return []
  const interval = ratioInterval(a, b, level)!
  const limits = { low: FAIRNESS_RATIO, high: 1 / FAIRNESS_RATIO }
  const intervalAt = (at: number) => ratioInterval(a, b, at)!
  const value = b.successes > 0 ? a.successes / a.n / (b.successes / b.n) : null
  return [
    metricResult('fairness', subject, 'disparate_impact_ratio', value, {
      ...sizes(a, b),
      ci_low: interval.low,
      ci_high: interval.high,
      ci_level: level,
      threshold: FAIRNESS_RATIO,
      reason: value === null ? 'the privileged group was never selected' : '',
      ...(value === null
        ? { verdict: 'incomplete' as const }
        : verdictOf({ a, b, intervalAt, level, limits, needsLabels: false }, rules)),
    }),
  ]
}

/** Two groups beside one another, and where their difference begins to matter. */
interface Comparison {
  a: Share
  b: Share
  intervalAt: (level: number) => Interval
  /** Of the interval that is shown. */
  level: number
  limits: Interval
  needsLabels: boolean
}

/**
 * Alarms where the whole interval lies beyond a limit. Too few cases say nothing: where they are below
 * {@link MIN_CONCLUSIVE_CELL} and the interval that is shown reaches beyond a limit, the result is incomplete.
 */
function verdictOf(
  { a, b, intervalAt, level, limits, needsLabels }: Comparison,
  rules: FairnessRules,
): { verdict: Verdict; reason: string } {
  if (needsLabels && rules.maturity === 0)
    return { verdict: 'incomplete', reason: 'younger than the label horizon' }
  if (Math.min(a.n, b.n) < MIN_CELL)
    return {
      verdict: 'incomplete',
      reason: `a group of ${Math.min(a.n, b.n)}, below ${MIN_CELL}`,
    }
  if (a.n + b.n < rules.minCount)
    return {
      verdict: 'incomplete',
      reason: `${a.n + b.n} cases, below min_count ${rules.minCount}`,
    }
  // At the limit itself one end of the interval is what may err.
  const isBeyond = (chance: number) => {
    const { low, high } = intervalAt(1 - 2 * Math.min(0.25, chance))
    return low > limits.high || high < limits.low
  }
  const verdict = isBeyond(rules.alpha)
    ? 'alarm'
    : isBeyond(WARNING_FACTOR * rules.alpha)
      ? 'warning'
      : 'ok'
  const shown = intervalAt(level)
  if (
    verdict === 'ok' &&
    Math.min(a.n, b.n) < MIN_CONCLUSIVE_CELL &&
    (shown.low < limits.low || shown.high > limits.high)
  )
    return {
      verdict: 'incomplete',
      reason: `the interval reaches beyond the limit, from a group of ${Math.min(a.n, b.n)}, below ${MIN_CONCLUSIVE_CELL}`,
    }
  return {
    verdict,
    reason: `alarm where the interval at ${(100 * (1 - 2 * rules.alpha)).toPrecision(5)} % lies beyond`,
  }
}

const sizes = (a: Share, b: Share) => ({ n_current: a.n, n_reference: b.n })
/** `sex=1`, and of an intersection `sex=1&race=2`. */
const subjectOf = (group: GroupCounts, rules: FairnessRules) =>
  `${rules.attribute.split('&')[0]!}=${group.group}`
