/**
 * Whether the truth about groups comes alike: how much of it, how late, and how often people look.
 * What is not seen of a group can not be evaluated of it; these numbers have no verdict, and say
 * how far the others can be trusted. Pure.
 */
import { newcombe, wilson } from '../../../../lib/stats/intervals/proportions.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { GroupCounts } from '../../data/window-data.ts'

const CI_LEVEL = 0.95

type Seen = GroupCounts & Required<Pick<GroupCounts, 'feedback'>>

/** @param subjectOf `attribute=group` */
export function evaluateLabelFairness(
  groups: readonly GroupCounts[],
  privileged: GroupCounts | undefined,
  subjectOf: (group: GroupCounts) => string,
): MetricResult[] {
  const isSeen = (group: GroupCounts | undefined): group is Seen => group?.feedback !== undefined
  const seen = groups.filter(isSeen)
  if (seen.every(({ feedback }) => feedback.labelled === 0)) return []
  return seen.flatMap((group) => {
    const subject = subjectOf(group)
    const beside = isSeen(privileged) && group !== privileged ? privileged : undefined
    return [
      ...shares('label_coverage', subject, ({ feedback }) => feedback.labelled, group, beside),
      ...shares('review_exposure', subject, ({ feedback }) => feedback.reviewed, group, beside),
      ...delays(subject, group, beside),
    ]
  })
}

/** A share of a group's predictions, and how far it is from that of the privileged group. */
function shares(
  metric: string,
  subject: string,
  of: (group: Seen) => number,
  group: Seen,
  privileged: Seen | undefined,
): MetricResult[] {
  const own = { successes: of(group), n: group.predictions }
  const interval = wilson(own.successes, own.n, CI_LEVEL)
  const results = [
    metricResult('fairness', subject, metric, own.successes / own.n, {
      n_current: own.n,
      ci_low: interval.low,
      ci_high: interval.high,
      ci_level: CI_LEVEL,
    }),
  ]
  if (!privileged) return results
  const other = { successes: of(privileged), n: privileged.predictions }
  const difference = newcombe(own, other, CI_LEVEL)
  const value = own.successes / own.n - other.successes / other.n
  return [
    ...results,
    metricResult('fairness', subject, `${metric}_difference`, value, {
      n_current: own.n,
      n_reference: other.n,
      ci_low: difference.low,
      ci_high: difference.high,
      ci_level: CI_LEVEL,
    }),
  ]
}

function delays(
  subject: string,
  { feedback: own }: Seen,
  privileged: Seen | undefined,
): MetricResult[] {
  if (own.delayP50Seconds === null) return []
  const other = privileged?.feedback
  const counts = { n_current: own.labelled, n_labelled: own.labelled }
  return [
    metricResult('fairness', subject, 'label_delay_p50_s', own.delayP50Seconds, counts),
    ...(other === undefined || other.delayP50Seconds === null
      ? []
      : [
          metricResult(
            'fairness',
            subject,
            'label_delay_p50_s_difference',
            own.delayP50Seconds - other.delayP50Seconds,
            { ...counts, n_reference: other.labelled },
          ),
        ]),
  ]
}
