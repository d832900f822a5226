/** What is active of a model, as headlines tell it. */

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
