/** What is active of models, and how old what they sent is. */

/** Families of metrics, the gravest first: what costs most, then what may explain it. */
export const FAMILIES_BY_GRAVITY: readonly string[] = [
  'operations',
  'performance',
  'fairness',
  'drift',
  'quality',
  'feedback',
]

/** An active alarm or warning of a model as a whole. */
export interface ActiveResult {
  family: string
  metric: string
  subject: string
  severity: 'alarm' | 'warning'
  value: number | null
  baselineValue: number | null
  /** End of the first window of its episode, epoch milliseconds. */
  since: number
  reason: string
}

/** An active alarm or warning of a cohort that nobody snoozed. */
export interface ActiveSeries {
  model_id: string
  model_version: string
  variant: string
  family: string
  subject: string
  metric: string
  /** `key:value`, or ''. */
  slice: string
  severity: 'alarm' | 'warning'
}

/** How many alarms and warnings of a model as a whole are active that nobody snoozed. */
export interface ActiveCount {
  model_id: string
  severity: 'alarm' | 'warning'
  /** A 64-bit count as a string. */
  n: string
}

/**
 * How far a model has come, epoch milliseconds; `newestWindow` is the end of its newest evaluated
 * window.
 */
export interface ModelAge {
  modelId: string
  newestEvent: number | undefined
  newestWindow: number | undefined
}
