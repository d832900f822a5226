/** Whether a promotion has helped: what caused the run, before and after. Pure. */
import { worseSide, type WorseSide } from '../../../lib/models/metric-names.ts'
import { meanDifference, type Measured } from '../../../lib/stats/intervals/mean-difference.ts'
import { normalQuantile } from '../../../lib/stats/distributions/normal-quantile.ts'
import { smallest } from '../../../lib/stats/samples/extremes.ts'
import type { MetricRepair, Repair, Trigger } from '../../../schemas/http/runs/run-outcomes.ts'
import { compares, reaches } from './condition-tests.ts'

const CONFIDENCE = 0.95

/** A metric of one window; times are epoch milliseconds. */
export interface WatchedWindow {
  windowStart: number
  windowEnd: number
  value: number
  ciLow: number | null
  ciHigh: number | null
  ciLevel: number | null
  verdict: string
}

/** A trigger with its windows, by their ends, the earliest first. */
export interface WatchedMetric {
  trigger: Trigger
  before: readonly WatchedWindow[]
  /** Windows of the new version alone. */
  after: readonly WatchedWindow[]
}

/** When it is asked, and how much is waited for; epoch milliseconds. */
export interface WatchTerms {
  now: number
  until: number
  windows: number
}

/**
 * What a promotion has come to: `watching` until every metric has its windows or the time is over.
 *
 * The run is `made_worse` where any metric is, else `repaired` where every metric is whose outcome
 * is known, else `not_repaired`.
 */
export function repairOf(
  watched: readonly WatchedMetric[],
  { now, until, windows }: WatchTerms,
): Repair {
  const metrics = watched.map((one) => repairOfMetric(one, windows))
  const missing = metrics.filter(({ n_after: n }) => n < windows)
  const times = { evaluated_at: new Date(now).toISOString(), until: new Date(until).toISOString() }
  if (missing.length > 0 && now < until) {
    const n = smallest(missing.map(({ n_after }) => n_after))
    const reason = `${n} of ${windows} windows of the new version`
    return { outcome: 'watching', reason, metrics, ...times }
  }
  return { ...outcomeOf(metrics), metrics, ...times }
}

function outcomeOf(metrics: readonly MetricRepair[]): Pick<Repair, 'outcome' | 'reason'> {
  const those = (outcome: MetricRepair['outcome']) =>
    metrics.filter((metric) => metric.outcome === outcome)
  const [worse, not, repaired] = [those('made_worse'), those('not_repaired'), those('repaired')]
  const told = (of: readonly MetricRepair[]) => of.map(sentenceOf).join('; ')
  if (worse.length > 0) return { outcome: 'made_worse', reason: told(worse) }
  if (not.length > 0) return { outcome: 'not_repaired', reason: told(not) }
  if (repaired.length > 0) return { outcome: 'repaired', reason: told(repaired) }
  const why = [...new Set(metrics.map(({ reason }) => reason))].join('; ')
  return { outcome: 'unknown', reason: why || 'no metric result caused the run' }
}

const rounded = (value: number | null) =>
  value === null ? 'unknown' : String(Number(value.toPrecision(4)))

function sentenceOf({ metric, before, after, ci_low, ci_high, reason }: MetricRepair): string {
  const interval =
    ci_low === null ? '' : `, a difference from ${rounded(ci_low)} to ${rounded(ci_high)}`
  const why = reason === '' ? '' : `, ${reason}`
  return `${metric} ${rounded(before)} before, ${rounded(after)} after${interval}${why}`
}

/** One metric before and after, with the interval of the difference. */
function repairOfMetric(watched: WatchedMetric, windows: number): MetricRepair {
  const { trigger, before } = watched
  const after = watched.after.slice(0, windows)
  const [was, is] = [meanOf(before), meanOf(after)]
  const interval = meanDifference(before.map(measured), after.map(measured), CONFIDENCE)
  const known = {
    metric: nameOf(trigger),
    before: was,
    after: is,
    difference: was === null || is === null ? null : is - was,
    ci_low: interval?.low ?? null,
    ci_high: interval?.high ?? null,
    ci_level: CONFIDENCE,
    n_before: before.length,
    n_after: after.length,
  }
  const unknown = (reason: string) => ({ ...known, outcome: 'unknown' as const, reason })
  if (was === null) return unknown('no window that caused the run has a value')
  if (is === null) return unknown('no window of the new version has a value')
  if (!interval) return unknown('one window has no interval of its own')
  const worse = worseOf(trigger)
  if (worse === 'neither') return unknown('no side of the metric is worse by itself')
  const [isBetter, isWorse] =
    worse === 'higher'
      ? [interval.high < 0, interval.low > 0]
      : [interval.low > 0, interval.high < 0]
  if (isWorse) return { ...known, outcome: 'made_worse', reason: '' }
  const stands = stillSo(trigger, after.at(-1)!)
  if (isBetter && !stands) return { ...known, outcome: 'repaired', reason: '' }
  const reason = stands ? 'what caused the run is so still' : 'the difference may be noise'
  return { ...known, outcome: 'not_repaired', reason }
}

function nameOf({ family, metric, subject, slice, version }: Trigger): string {
  const of = subject === '' ? '' : `[${subject}]`
  const where = slice ? ` where ${slice.key} is ${slice.value}` : ''
  return `${family}.${metric}${of}${where}${version === '' ? '' : ` of version ${version}`}`
}

/** The side that is worse: the one that the policy asked about, else the metric's own. */
function worseOf({ family, metric, test }: Trigger): WorseSide {
  if ('sign' in test) return test.sign === '<' || test.sign === '<=' ? 'lower' : 'higher'
  return worseSide(family, metric) ?? 'neither'
}

const stillSo = ({ test }: Trigger, { value, verdict }: WatchedWindow): boolean =>
  'sign' in test ? compares(value, test) : reaches(verdict, test.level)

const meanOf = (windows: readonly WatchedWindow[]): number | null =>
  windows.length === 0 ? null : windows.reduce((sum, { value }) => sum + value, 0) / windows.length

/** A window's value with half the width of its interval as a standard error. */
function measured({ value, ciLow, ciHigh, ciLevel }: WatchedWindow): Measured {
  if (ciLow === null || ciHigh === null || ciLevel === null || !(ciLevel > 0 && ciLevel < 1))
    return { value, standardError: undefined }
  return { value, standardError: (ciHigh - ciLow) / 2 / normalQuantile((1 + ciLevel) / 2) }
}
