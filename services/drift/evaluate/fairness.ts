/** How differently groups are treated, against the privileged group, with intervals that hold in small cells. Pure. */
import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import { newcombe, ratioInterval, wilson } from '../../../lib/stats/intervals/proportions.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { evaluateLabelFairness } from './label-fairness.ts'
import { metricResult, type MetricResult, type Verdict } from '../data/metric-results.ts'
import { FAIRNESS_DIFFERENCE, FAIRNESS_RATIO, MIN_CELL, WARNING_FACTOR } from './thresholds.ts'
import type { GroupCounts } from '../data/window-data.ts'

const CI_LEVEL = 0.95

interface Share {
  successes: number
  n: number
}

/** What verdicts on one protected attribute depend on. */
export interface FairnessRules {
  attribute: string
  /** The group others are compared with; the largest one when undefined. */
  privileged: string | undefined
  minCount: number
  /** Share of the label horizon that has passed at the last interim look; 0 before the first. */
  maturity: number
  /** The probability that one test alarms by chance. */
  alpha: number
}

/** How many tests compare a group with the privileged one. */
const TESTS = 5

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
  const largest = known.reduce((a, b) => (b.predictions > a.predictions ? b : a))
  const privileged =
    rules.privileged === undefined
      ? largest
      : known.find((group) => [group.group, subjectOf(group, rules)].includes(rules.privileged!))
  // The intervals that are shown hold for all groups together.
  const level = 1 - (1 - CI_LEVEL) / Math.max(1, known.length - 1)
  return [
    ...known.flatMap((group) => [
      ...rates(group, rules),
      ...(group === privileged ? [] : comparisons(group, privileged, level, rules)),
    ]),
    ...worstCase(known, rules),
    ...evaluateLabelFairness(known, privileged, (group) => subjectOf(group, rules)),
  ]
}

/**
 * Equalized odds over all groups at once: the larger of the widest gap of true positive rates and that of false positive rates, as
 * fairlearn counts it. It grows with the number of groups by chance alone, which is why it has no verdict.
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
        n_current: groups.reduce((sum, g) => sum + g.tp + g.fp + g.fn + g.tn, 0),
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
        n_labelled: group.tp + group.fp + group.fn + group.tn,
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
        reason: `no prediction of the privileged group ${rules.privileged ?? ''}`,
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
    const isBeyond = (at: number) => {
      const { low, high } = newcombe(a, b, at)
      return low > FAIRNESS_DIFFERENCE || high < -FAIRNESS_DIFFERENCE
    }
    return [
      metricResult('fairness', subject, metric, a.successes / a.n - b.successes / b.n, {
        ...sizes(a, b),
        ci_low: interval.low,
        ci_high: interval.high,
        ci_level: level,
        threshold: FAIRNESS_DIFFERENCE,
        ...verdictOf(isBeyond, a, b, needsLabels, rules),
      }),
    ]
  }
  const equalOpportunity = difference('equal_opportunity_difference', truePositives, true)
  const falsePositiveGap = difference('false_positive_difference', falsePositives, true)
  const larger = [...equalOpportunity, ...falsePositiveGap].toSorted(
    (x, y) => Math.abs(y.value ?? 0) - Math.abs(x.value ?? 0),
  )[0]
  return [
    ...difference('statistical_parity_difference', selection, false),
    ...disparateImpact(subject, selection(group), selection(privileged), level, rules),
    ...equalOpportunity,
    ...(larger && equalOpportunity.length > 0 && falsePositiveGap.length > 0
      ? [{ ...larger, metric: 'equalized_odds_difference' }]
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
  const isBeyond = (at: number) => {
    const { low, high } = ratioInterval(a, b, at)!
    return high < FAIRNESS_RATIO || low > 1 / FAIRNESS_RATIO
  }
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
        : verdictOf(isBeyond, a, b, false, rules)),
    }),
  ]
}

/** @param isBeyond whether the interval of a coverage lies wholly beyond the limit */
function verdictOf(
  isBeyond: (coverage: number) => boolean,
  a: Share,
  b: Share,
  needsLabels: boolean,
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
  const at = (chance: number) => isBeyond(1 - 2 * Math.min(0.25, chance))
  return {
    verdict: at(rules.alpha) ? 'alarm' : at(WARNING_FACTOR * rules.alpha) ? 'warning' : 'ok',
    reason: `alarm where the interval at ${(100 * (1 - 2 * rules.alpha)).toPrecision(5)} % lies beyond`,
  }
}

const sizes = (a: Share, b: Share) => ({ n_current: a.n, n_reference: b.n })
/** `sex=1`, and of an intersection `sex=1&race=2`. */
const subjectOf = (group: GroupCounts, rules: FairnessRules) =>
  `${rules.attribute.split('&')[0]!}=${group.group}`
const selection = (g: GroupCounts): Share => ({ successes: g.favorable, n: g.decided })
const truePositives = (g: GroupCounts): Share => ({ successes: g.tp, n: g.tp + g.fn })
const falsePositives = (g: GroupCounts): Share => ({ successes: g.fp, n: g.fp + g.tn })
const precisionOf = (g: GroupCounts): Share => ({ successes: g.tp, n: g.tp + g.fp })
