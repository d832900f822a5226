/** What a metric is about. */
export type Family = 'drift' | 'quality' | 'performance' | 'fairness' | 'operations' | 'feedback'

/**
 * What a result says of its metric; `incomplete`: too little data, `none`: nothing is evaluated.
 */
export type Verdict = 'ok' | 'warning' | 'alarm' | 'incomplete' | 'none'

/** One row of `window_metrics`: one number about one window. */
export interface MetricResult {
  family: Family
  /**
   * A feature, `@prediction`, `@score`, a group such as `sex=1`, a label's name or `name=class`, or
   * '' for the model as a whole.
   */
  subject: string
  metric: string
  convention: string
  /**
   * `weighted`: labels drawn for review weigh one over their inclusion probability; `nowcast`:
   * labels that are still to come are made up for.
   */
  method: 'observed' | 'weighted' | 'poststratified' | 'cbpe' | 'dle' | 'nowcast'
  precision: 'exact' | 'bounded'
  /** Null where it cannot be known; `reason` says why. */
  value: number | null
  bound_low: number | null
  bound_high: number | null
  ci_low: number | null
  ci_high: number | null
  ci_level: number | null
  /** Probability of such a value without a change, allowing for the noise between windows. */
  p_value: number | null
  /** `p_value` corrected for everything that is tested of the window. */
  p_adjusted: number | null
  /** Value of the metric in the baseline; null where the baseline has none. */
  baseline_value: number | null
  threshold: number | null
  verdict: Verdict
  reason: string
  n_reference: number
  n_current: number
  /** Kish's effective number of the window's events, where they were sampled. */
  n_effective: number | null
  n_labelled: number
  label_maturity: number | null
  completeness: number | null
  /** Name of the reference it was compared with, or ''. */
  reference: string
}

const EMPTY: Omit<MetricResult, 'family' | 'subject' | 'metric' | 'value'> = {
  convention: 'plumbline',
  method: 'observed',
  precision: 'exact',
  bound_low: null,
  bound_high: null,
  ci_low: null,
  ci_high: null,
  ci_level: null,
  p_value: null,
  p_adjusted: null,
  baseline_value: null,
  threshold: null,
  verdict: 'none',
  reason: '',
  n_reference: 0,
  n_current: 0,
  n_effective: null,
  n_labelled: 0,
  label_maturity: null,
  completeness: null,
  reference: '',
}

/** A result with the gaps filled; a value that is no finite number becomes null. */
export function metricResult(
  family: Family,
  subject: string,
  metric: string,
  value: number | null | undefined,
  more: Partial<MetricResult> = {},
): MetricResult {
  const finite = typeof value === 'number' && Number.isFinite(value)
  return { ...EMPTY, family, subject, metric, ...more, value: finite ? value : null }
}

/** The columns of a result in `window_metrics`; all others belong to the revision. */
export const RESULT_COLUMNS = Object.keys(metricResult('drift', '', '', null))

/** Whether a result has a verdict on its value: ok, warning or alarm. */
export const isEvaluated = ({ verdict }: MetricResult) =>
  verdict === 'ok' || verdict === 'warning' || verdict === 'alarm'

/** Metrics of family drift that hold production against a table, not against its own past. */
export const isSkew = ({ family, metric }: { family: string; metric: string }): boolean =>
  family === 'drift' && (metric === 'skew' || metric === 'missing_skew')

/** The identity of a result, which its revisions share. */
export const resultKey = (
  result: Pick<
    MetricResult,
    'family' | 'subject' | 'metric' | 'convention' | 'method' | 'reference'
  >,
) =>
  [
    result.family,
    result.subject,
    result.metric,
    result.convention,
    result.method,
    result.reference,
  ].join('\u0001')
