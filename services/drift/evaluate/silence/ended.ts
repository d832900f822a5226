/**
 * Alarms that nothing will ever evaluate again: a feature that was renamed, a metric or a group that
 * is gone, a sender that left. They end with a reason instead of staying until somebody dismisses
 * them. Pure.
 */
import { metricResult, type Family, type MetricResult } from '../../data/metric-results.ts'

/** How the reason of a result begins whose alarm ends because what it was about has ended. */
export const ENDED = 'ended'

/** Windows with events in a row without a metric after which its alarm ends. */
const MISSING_WINDOWS = 3

/** An alarm or warning that is active of one cohort. */
export interface ActiveKey {
  family: Family
  metric: string
  subject: string
  reference: string
  /** End of the window that was evaluated last, epoch milliseconds. */
  windowEnd: number
}

const keyOf = ({ family, metric, subject }: { family: string; metric: string; subject: string }) =>
  [family, metric, subject].join('\u0001')

/**
 * A row without a verdict for each active alarm of which this window has no result at all, once
 * {@link MISSING_WINDOWS} windows with events lie after the one that alarmed. A metric that is
 * `incomplete` has a result, and keeps its alarm.
 *
 * @param results of the same cohort in this window
 * @param served ends of the model's windows with events, ascending, this one the last
 */
export function endedResults(
  active: readonly ActiveKey[],
  results: readonly MetricResult[],
  served: readonly number[],
): MetricResult[] {
  if (active.length === 0) return []
  const known = new Set(results.map(keyOf))
  const before = served.at(-MISSING_WINDOWS)
  return active
    .filter((alarm) => !known.has(keyOf(alarm)) && before !== undefined && alarm.windowEnd < before)
    .map(({ family, metric, subject, reference }) =>
      metricResult(family, subject, metric, null, {
        reference,
        reason: `${ENDED}: not evaluated in the last ${MISSING_WINDOWS} windows; the feature, group or metric is gone or has another name`,
      }),
    )
}
