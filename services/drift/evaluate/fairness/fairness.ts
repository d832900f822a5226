/**
 * How differently groups are treated, against the privileged group, with intervals that hold in
 * small cells. Pure.
 */
import { largest, smallest } from '../../../../lib/stats/samples/extremes.ts'
import { wilson } from '../../../../lib/stats/intervals/proportions.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { evaluateLabelFairness } from './label-fairness.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { GroupCounts } from '../../data/window-data.ts'
import {
  falsePositives,
  isMissing,
  labelledOf,
  precisionOf,
  selection,
  truePositives,
  type Share,
} from './group-shares.ts'
import { comparisons } from './comparisons.ts'
import { CI_LEVEL, subjectOf, type FairnessRules } from './rules.ts'

/** How many tests compare a group with the privileged one. */
const TESTS = 6

/** How many tests some attributes are, given their groups. */
export const fairnessTests = (groups: Iterable<readonly GroupCounts[]>): number =>
  [...groups].reduce(
    (sum, own) => sum + TESTS * Math.max(0, own.filter((g) => g.predictions > 0).length - 1),
    0,
  )

/**
 * The attributes that are evaluated: those of the model file, and each two of them together
 * (`sex&race`).
 */
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

/**
 * Metrics that rest on labels, whose method is `weighted` where any of these carries an inclusion
 * probability.
 */
const OF_LABELS = new Set([
  'true_positive_rate',
  'false_positive_rate',
  'false_negative_rate',
  'precision',
  'equal_opportunity_difference',
  'false_positive_rate_difference',
  'equalized_odds_difference',
  'predictive_parity_difference',
])

/**
 * Equalized odds over all groups at once: the larger of the widest gap of true positive rates and
 * that of false positive rates, as fairlearn counts it. Events without the attribute are no group
 * of people and make no gap. It grows with the number of groups by chance alone, which is why it
 * has no verdict.
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
