/** What one measure of performance is, and its interval. Pure. */
import { normalInterval } from '../../../../lib/stats/intervals/normal-interval.ts'
import { wilson, type Interval } from '../../../../lib/stats/intervals/proportions.ts'
import type { BusinessValue } from '../../../../schemas/model.ts'

/** One measure of one span: a proportion, or a number with a standard error. */
export interface Measure {
  metric: string
  /** `class=…`, or '' for the model as a whole. */
  subject?: string
  value: number
  n: number
  /** Set where the measure is a share of cases: its intervals are then those of proportions. */
  successes?: number
  standardError?: number
  /** The interval where neither of the two gives it. */
  interval?: (level: number) => Interval
  /** An error: less is better, and changes are evaluated relative to the reference. */
  isError?: boolean
  /** Shown, not evaluated: neither more nor less of it is better, or other measures cover it. */
  informs?: boolean
  /** Published as the reason of its result. */
  note?: string
}

/** What the model file says that measures depend on. */
export interface MeasureRules {
  positiveClass: string
  binary: boolean
  /** What a true or false positive or negative is worth, in a unit of the user's. */
  businessValue?: BusinessValue | undefined
}

/**
 * The interval of a measure, cut to the values that it can take.
 *
 * @param level coverage of the interval in (0, 1), such as 0.95
 */
export function intervalOf(measure: Measure, level: number): Interval {
  if (measure.interval) return measure.interval(level)
  if (measure.successes !== undefined) return wilson(measure.successes, measure.n, level)
  const interval = normalInterval(measure.value, measure.standardError ?? 0, level)
  if (UNBOUNDED.has(measure.metric) || measure.metric.startsWith('custom.')) return interval
  return measure.isError || measure.metric === 'lift'
    ? { low: Math.max(0, interval.low), high: interval.high }
    : { low: Math.max(0, interval.low), high: Math.min(1, interval.high) }
}

const UNBOUNDED = new Set(['r2', 'bias', 'business_value'])
