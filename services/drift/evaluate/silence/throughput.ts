/** Whether as many events came as usual, none among them. Pure. */
import { largest, smallest } from '../../../../lib/stats/samples/extremes.ts'
import { countTail, MIN_COUNTS } from '../../../../lib/stats/window-tests/count-test.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import { FAMILY_SHARES, pValueVerdict } from '../thresholds.ts'

/**
 * Share of what the family operations may alarm by chance that throughput takes where it is
 * evaluated by itself.
 */
export const THROUGHPUT_SHARE = 0.3

/** What the throughput of a window is evaluated by. */
export interface ThroughputRules {
  /** Events of the windows before this one that it is like. */
  usual: readonly number[]
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  windowMs: number
  /** When the newest event before a window without events was predicted, epoch milliseconds. */
  silentSince?: number | undefined
  /** Windows of the silence that got a row; known in the last of them. */
  lastOf?: number | undefined
}

/**
 * The throughput of a window with its verdict: unusual by the counts of the windows before it, at
 * the model's alarm budget.
 *
 * @param weight events of the stream, where only some were sent; events otherwise
 * @returns `none` while fewer than eight windows are known, with the reason
 */
export function evaluateThroughput(
  events: number,
  weight: number,
  { usual, windowAlpha, windowMs, silentSince, lastOf }: ThroughputRules,
): MetricResult {
  const alpha = windowAlpha * FAMILY_SHARES.operations * THROUGHPUT_SHARE
  const p = countTail(events, usual)
  const since =
    silentSince === undefined
      ? ''
      : `; silent since ${new Date(silentSince).toISOString()}${retired(lastOf)}`
  const result = metricResult('operations', '', 'throughput_per_s', weight / (windowMs / 1000), {
    n_current: events,
    n_reference: usual.length,
    baseline_value: usual.length === 0 ? null : middle(usual) / (windowMs / 1000),
  })
  if (p === undefined)
    return {
      ...result,
      verdict: events === 0 ? 'incomplete' : 'none',
      reason: `learning what is usual, window ${Math.min(usual.length + 1, MIN_COUNTS)} of ${MIN_COUNTS}${since}`,
    }
  return {
    ...result,
    p_value: p,
    p_adjusted: p,
    verdict: pValueVerdict(p, alpha),
    reason: `${counted(events)} where ${smallest(usual)} to ${largest(usual)} came in ${usual.length} windows before${since}`,
  }
}

const retired = (lastOf: number | undefined) =>
  lastOf === undefined
    ? ''
    : `, told of for ${lastOf} windows: no more rows until events come again`

const counted = (events: number) =>
  events === 0 ? 'no event' : events === 1 ? '1 event' : `${events} events`

function middle(counts: readonly number[]): number {
  const ordered = counts.toSorted((a, b) => a - b)
  const at = (ordered.length - 1) / 2
  return (ordered[Math.floor(at)]! + ordered[Math.ceil(at)]!) / 2
}

/**
 * What a window without events says of everything else that was evaluated before it: that it cannot
 * be known.
 *
 * @param before results of the window before it
 */
export function silentResults(before: Iterable<MetricResult>, silentSince: number): MetricResult[] {
  const reason = `no event in this window; silent since ${new Date(silentSince).toISOString()}`
  const silent: MetricResult[] = []
  for (const { family, subject, metric, convention, method, reference, verdict } of before) {
    if (verdict === 'none' || metric === 'throughput_per_s') continue
    silent.push(
      metricResult(family, subject, metric, null, {
        convention,
        method,
        reference,
        verdict: 'incomplete',
        reason,
      }),
    )
  }
  return silent
}
