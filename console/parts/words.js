/** Numbers, times and names as people read them. Pure. */

/** @typedef {'ok' | 'warning' | 'alarm' | 'incomplete' | 'none'} Verdict */

/**
 * Four significant digits; a dash where nothing is known. @param {number | null | undefined} value
 */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  const size = Math.abs(value)
  if (size < 1e-12) return '0'
  if (size !== 0 && (size < 0.0001 || size >= 1e9)) return value.toExponential(2)
  if (size >= 1000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(4)))
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** Three significant digits, thousands and millions as letters: for axes. @param {number} value */
export const shortNumber = (value) =>
  Math.abs(value) >= 1000 ? COMPACT.format(value) : String(Number(value.toPrecision(3)))

/** A share as a percentage. @param {number | null | undefined} share */
export function percent(share) {
  if (share === null || share === undefined) return '–'
  const points = share * 100
  return `${points >= 10 || points === 0 ? points.toFixed(points >= 99.95 || points === 0 ? 0 : 1) : points < 0.01 ? '< 0.01' : Number(points.toPrecision(2))} %`
}

const BYTES = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']

/** A number of bytes in the unit that leaves one to three digits. @param {number} count */
export function bytes(count) {
  const power = count < 1000 ? 0 : Math.min(5, Math.floor(Math.log10(count) / 3))
  return `${Number((count / 1000 ** power).toPrecision(3))} ${BYTES[power]}`
}

/** A probability; very small ones are bounded. @param {number | null | undefined} p */
export function probability(p) {
  if (p === null || p === undefined) return '–'
  return p < 0.0001 ? '< 0.0001' : String(Number(p.toPrecision(2)))
}

const UNITS = /** @type {const} */ ([
  ['year', 31_557_600_000],
  ['month', 2_629_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
])

/** A length of time in words, such as `3 days`. @param {number} ms */
export function duration(ms) {
  for (const [unit, size] of UNITS) {
    const count = Math.floor(ms / size)
    if (count >= 1 && (count > 1 || ms / size < 1.5 || unit === 'minute'))
      return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return 'less than a minute'
}

const WHOLE_UNITS = /** @type {const} */ ([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
])

/** A length of time in the longest unit that it is whole in, such as `26 h`. @param {number} ms */
export function wholeDuration(ms) {
  const [unit, size] = WHOLE_UNITS.find(([, one]) => ms % one === 0) ?? ['ms', 1]
  return `${ms / size} ${unit}`
}

/**
 * How long ago something was, in words. @param {string} time RFC 3339 @param {number} now epoch
 * milliseconds
 */
export function ago(time, now) {
  const ms = now - Date.parse(time)
  return ms < 0 ? `in ${duration(-ms)}` : ms < 60_000 ? 'just now' : `${duration(ms)} ago`
}

/**
 * A time to the minute, in UTC; midnight is the day alone. @param {string | null | undefined} time
 * RFC 3339
 */
export const day = (time) =>
  time
    ? time
        .slice(0, 16)
        .replace('T', ' ')
        .replace(/ 00:00$/, '')
    : ''

const METRICS = new Map(
  Object.entries({
    accuracy: 'Accuracy',
    precision: 'Precision',
    recall: 'Recall',
    f1: 'F1',
    macro_f1: 'Macro F1',
    roc_auc: 'ROC AUC',
    pr_auc: 'PR AUC',
    log_loss: 'Log loss',
    brier: 'Brier score',
    mae: 'Mean absolute error',
    rmse: 'Root mean squared error',
    mape: 'Mean absolute percentage error',
    wape: 'Weighted absolute percentage error',
    r2: 'R²',
    ece: 'Calibration error',
    lift: 'Lift of the top tenth',
    bias: 'Bias',
    business_value: 'Business value',
    ndcg_at_k: 'NDCG at 10',
    hit_rate_at_k: 'Hit rate at 10',
    mrr: 'Mean reciprocal rank',
    calibration_slope: 'Calibration slope',
    calibration_intercept: 'Calibration intercept',
    coverage_gap: 'Coverage gap',
    estimated_accuracy: 'Estimated accuracy',
    estimated_roc_auc: 'Estimated ROC AUC',
    estimated_mae: 'Estimated absolute error',
    estimate_error: 'Error of the estimate',
    psi: 'Population stability',
    ks: 'Kolmogorov–Smirnov',
    wasserstein: 'Wasserstein distance',
    js_distance: 'Jensen–Shannon distance',
    location_shift: 'Shift of the middle',
    scale_shift: 'Change of the spread',
    skew_shift: 'Change of the skew',
    chi_squared: 'Chi-squared',
    domain_auc: 'Old told from new (AUC)',
    mmd: 'Maximum mean discrepancy',
    novelty: 'New embeddings',
    missing_ratio: 'Missing values',
    new_category_ratio: 'New categories',
    type_mismatch_ratio: 'Values of the wrong type',
    out_of_range_ratio: 'Out of the known range',
    expectation_violation_ratio: 'Expectation violated',
    duplicate_ratio: 'Duplicate events',
    largest_atom_share: 'Share of the most frequent value',
    new_atom_share: 'A value that became frequent',
    error_ratio: 'Failed predictions',
    throughput_per_s: 'Predictions a second',
    odd_one_out: 'Odd one out',
    worst_cohort_gap: 'Worst cohort',
    attribution_ndcg: 'Ranking of features',
    attribution_share: 'Share of the attributions',
    exploration_share: 'Share of exploration',
    latency_p50_ms: 'Latency, median (ms)',
    latency_p95_ms: 'Latency, 95th percentile (ms)',
    latency_p99_ms: 'Latency, 99th percentile (ms)',
    time_to_first_token_p50_ms: 'Time to first token, median (ms)',
    time_to_first_token_p95_ms: 'Time to first token, 95th percentile (ms)',
    time_to_first_token_p99_ms: 'Time to first token, 99th percentile (ms)',
    output_tokens_per_s: 'Output tokens per second',
    cost_usd: 'Cost (USD)',
    cost_per_task_usd: 'Cost of a task (USD)',
    steps_per_task: 'Steps of a task',
    tool_error_ratio: 'Failed calls of tools',
    loop_ratio: 'Tasks in a loop',
    input_tokens: 'Input tokens',
    output_tokens: 'Output tokens',
    disparate_impact_ratio: 'Disparate impact',
    label_coverage: 'Label coverage',
    review_exposure: 'Review exposure',
    label_delay_p50_s: 'Label delay, median (s)',
  }),
)

/** What a metric is called. @param {string} metric */
export const metricName = (metric) => {
  if (metric.startsWith('nowcast_')) return `${metricName(metric.slice(8))}, now-cast`
  const plain = metric.replaceAll('_', ' ')
  return METRICS.get(metric) ?? plain.charAt(0).toUpperCase() + plain.slice(1)
}

/**
 * What a subject is called; a model's own values have names of their own. @param {string} subject
 */
export const subjectName = (subject) =>
  subject === '@prediction'
    ? 'Predictions'
    : subject === '@score'
      ? 'Score'
      : subject.startsWith('@@')
        ? subject.slice(1)
        : subject

const MOVED = new Map([
  ['psi', 'values have another distribution'],
  ['ks', 'values have another distribution'],
  ['chi_squared', 'categories have other shares'],
  ['location_shift', 'typical values moved'],
  ['scale_shift', 'values spread differently'],
  ['skew_shift', 'values lean the other way'],
  ['missing_ratio', 'values are missing more often'],
  ['new_category_ratio', 'categories came that the baseline does not have'],
  ['type_mismatch_ratio', 'values have the wrong type'],
  ['out_of_range_ratio', 'values lie outside the known range'],
  ['new_atom_share', 'one value became frequent'],
  ['throughput_per_s', 'another number of predictions came'],
  ['error_ratio', 'predictions fail more often'],
  ['odd_one_out', 'is unlike the others'],
])

/**
 * An alarm in one sentence.
 *
 * @param {{ family: string, metric: string, subject: string }} alarm
 */
export function alarmSentence({ family, metric, subject }) {
  const moved = MOVED.get(metric)
  const name = subjectName(subject)
  if (moved && name) return `${name}: ${moved}`
  if (moved) return moved.charAt(0).toUpperCase() + moved.slice(1)
  const change = family === 'performance' ? 'got worse' : 'is out of its usual range'
  return `${metricName(metric)}${name ? ` of ${name}` : ''} ${change}`
}

/** A sentence begins with a capital. @param {string} text */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1)

/** @param {number} count @param {string} one @param {string} [many] */
export const plural = (count, one, many = `${one}s`) =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`

/**
 * The severity that a model's health is shown as.
 *
 * @type {Record<import('../../schemas/http/drift.ts').Health, Verdict>}
 */
export const HEALTH = {
  healthy: 'ok',
  degraded: 'alarm',
  silent: 'warning',
  learning: 'none',
  unknown: 'incomplete',
}

/**
 * The cohort of an alarm, or '' for the model as a whole.
 *
 * @param {Pick<
 *   import('../../schemas/active-alarms.ts').ActiveAlarm,
 *   'model_version' | 'variant' | 'slice_key' | 'slice_value'
 * >} alarm
 */
export const cohortOf = ({ model_version, variant, slice_key, slice_value }) =>
  [
    model_version && `version ${model_version}`,
    variant && `variant ${variant}`,
    slice_key && `${slice_key} = ${slice_value}`,
  ]
    .filter(Boolean)
    .join(', ')

/** The page of an alert episode; '' where the id names none. @param {string} model @param {string} episode */
export const episodePath = (model, episode) =>
  episode.startsWith(`${model}/`)
    ? `/models/${encodeURIComponent(model)}/episodes/${encodeURIComponent(episode.slice(model.length + 1))}`
    : ''
