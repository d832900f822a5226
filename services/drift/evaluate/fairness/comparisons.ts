/**
 * A group beside the privileged one: differences and ratios of their rates, with intervals and
 * verdicts. Pure.
 */
import { short } from '../../../../lib/models/alarm-sentences.ts'
import {
  newcombe,
  ratioInterval,
  type Interval,
} from '../../../../lib/stats/intervals/proportions.ts'
import { metricResult, type MetricResult, type Verdict } from '../../data/metric-results.ts'
import type { GroupCounts } from '../../data/window-data.ts'
import {
  FAIRNESS_DIFFERENCE,
  FAIRNESS_RATIO,
  MIN_CELL,
  MIN_CONCLUSIVE_CELL,
  WARNING_FACTOR,
} from '../thresholds.ts'
import {
  equalizedOdds,
  falsePositives,
  favorableRate,
  labelledOf,
  precisionOf,
  selection,
  truePositives,
  type Share,
} from './group-shares.ts'
import { subjectOf, type FairnessRules } from './rules.ts'

/**
 * Compares a group with the privileged one.
 *
 * @param privileged undefined where no prediction is of it: one incomplete result says so
 * @param level of the intervals that are shown
 */
export function comparisons(
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
  /** Level of the interval that is shown. */
  level: number
  limits: Interval
  needsLabels: boolean
}

/**
 * Alarms where the whole interval lies beyond a limit. Too few cases say nothing: where they are
 * below {@link MIN_CONCLUSIVE_CELL} and the interval that is shown reaches beyond a limit, the
 * result is incomplete.
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
  // One end of the interval is what may err at the limit itself.
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
  const at = 1 - 2 * Math.min(0.25, rules.alpha)
  const { low, high } = intervalAt(at)
  const share = ({ successes, n }: Share) => `${((100 * successes) / n).toFixed(1)} % of ${n}`
  return {
    verdict,
    reason: `${share(a)} against ${share(b)} of the privileged group; an alarm needs the whole interval (${short(low)} to ${short(high)} at ${(100 * at).toPrecision(5)} %) outside ${short(limits.low)} to ${short(limits.high)}`,
  }
}

const sizes = (a: Share, b: Share) => ({ n_current: a.n, n_reference: b.n })
