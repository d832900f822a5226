/**
 * Why a verdict is what it is, as a person would say it: the value, what it was before, its
 * interval, and for how many windows. A p-value has a column of its own and is no reason. Pure.
 */
import { short } from '../../../../lib/models/alarm-sentences.ts'
import { largest, smallest } from '../../../../lib/stats/samples/extremes.ts'
import type { PastLevel } from '../../data/past-metrics.ts'
import type { MetricResult, Verdict } from '../../data/metric-results.ts'

/** The parts of a reason that there are, as one sentence. */
export const joined = (...parts: readonly (string | false | undefined)[]): string =>
  parts.filter(Boolean).join('; ')

/** A number with its interval, beside that of the baseline. */
export const compared = (
  value: number,
  { low, high }: { low: number; high: number },
  before: number,
): string =>
  `${short(value)}${Number.isFinite(low) && Number.isFinite(high) ? ` (${short(low)} to ${short(high)})` : ''} after ${short(before)} in the baseline`

/** Whether windows differ by more than those of the reference do among themselves. */
export const beyondNoise = (verdict: Verdict): string =>
  verdict === 'ok'
    ? "no more than the reference's own windows differ"
    : "more than the reference's own windows differ"

/**
 * The reason of a number that is evaluated by those of the reference's windows.
 *
 * @param reference numbers of the reference's windows
 * @param since numbers of the windows since, ascending in time
 */
export function levelReason(
  { value, reason, baseline_value: before }: MetricResult,
  verdict: Verdict,
  reference: readonly PastLevel[],
  since: readonly PastLevel[],
): string {
  const values = reference.map((level) => level.value)
  const [low, high] = [short(smallest(values)), short(largest(values))]
  const range = low === high ? low : `${low} to ${high}`
  // Where the reason has the value already, it is not said again.
  const isSaid = before !== null && reason.includes(' in the baseline')
  const rows = since.length - 1 - since.findLastIndex(({ alarmed }) => !alarmed)
  return joined(
    reason,
    `${isSaid || value === null ? '' : `${short(value)}; `}the baseline's ${values.length} windows have ${range}`,
    verdict === 'alarm' && rows > 0 && `alarm in ${rows + 1} windows in a row`,
  )
}
