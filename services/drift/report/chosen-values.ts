/** Which numbers a report tells, of all that were published. Pure. */
import type { WindowMetric } from '../../../schemas/http/metric-results.ts'
import type { Capped, ReportValue } from './report-data.ts'

/** The number a task is judged by first, and those after it. */
const HEADLINES: Readonly<Record<string, readonly string[]>> = {
  binary: ['accuracy', 'roc_auc', 'pr_auc', 'f1', 'precision', 'recall', 'log_loss', 'brier'],
  multiclass: ['accuracy', 'macro_f1', 'log_loss'],
  regression: ['mae', 'rmse', 'r2', 'bias', 'mape'],
  ranking: ['ndcg_at_k', 'mrr', 'hit_rate_at_k'],
  forecast: ['pinball', 'mae', 'interval_coverage'],
}
/** Charts of performance, and windows of each. */
const MAX_CHARTS = 6
const MAX_POINTS = 1000
const MAX_ESTIMATES = 12
const MAX_FAIRNESS = 60
const MEASURED = new Set(['observed', 'weighted'])
const GRAVITY = ['alarm', 'warning', 'incomplete', 'ok', 'none']

/** The columns a report tells. */
const told = (row: WindowMetric): ReportValue => ({
  window_end: row.window_end,
  metric: row.metric,
  subject: row.subject,
  method: row.method,
  value: row.value,
  ci_low: row.ci_low,
  ci_high: row.ci_high,
  ci_level: row.ci_level,
  baseline_value: row.baseline_value,
  threshold: row.threshold,
  verdict: row.verdict,
  reason: row.reason,
  n_current: row.n_current,
  n_labelled: row.n_labelled,
  label_maturity: row.label_maturity,
  revision: row.revision,
  computed_at: row.computed_at,
})

/** A promotion made it the baseline. */
const isRenewed = ({ reference }: WindowMetric) => /^(before )?version /.test(reference)

/** One row for each window: that of the baseline, of a promotion before that of the model file. */
function ofBaseline(rows: readonly WindowMetric[], baseline: string): WindowMetric[] {
  const rank = (row: WindowMetric) =>
    isRenewed(row) ? 0 : row.reference === baseline ? 1 : row.reference === '' ? 2 : 3
  return [...Map.groupBy(rows, (row) => row.window_end).values()].flatMap((own) =>
    own
      .filter((row) => rank(row) < 3)
      .toSorted((a, b) => rank(a) - rank(b))
      .slice(0, 1),
  )
}

/**
 * Series of measured performance, the headline of the task first, six at most.
 *
 * @param rows of any metrics and windows, ascending by window
 */
export function performanceOf(
  rows: readonly WindowMetric[],
  task: string | undefined,
  baseline: string,
): ReportValue[][] {
  const own = rows.filter(
    ({ convention, method, subject }) =>
      convention === 'plumbline' && MEASURED.has(method) && subject === '',
  )
  const byMetric = Map.groupBy(own, ({ metric }) => metric)
  const wanted = HEADLINES[task ?? ''] ?? [...new Set(Object.values(HEADLINES).flat())]
  return wanted
    .flatMap((metric) => {
      const series = ofBaseline(byMetric.get(metric) ?? [], baseline)
      return series.some(({ value }) => value !== null) ? [series] : []
    })
    .slice(0, MAX_CHARTS)
    .map((series) => series.slice(-MAX_POINTS).map(told))
}

/** Takes the newest value of each number that is told before labels are in. */
export function estimatesOf(rows: readonly WindowMetric[]): ReportValue[] {
  const own = rows.filter(
    ({ metric, value, convention }) =>
      convention === 'plumbline' && value !== null && /^(estimated|nowcast)_/.test(metric),
  )
  return [...Map.groupBy(own, ({ metric }) => metric).values()]
    .map((series) => told(series.at(-1)!))
    .toSorted((a, b) => (a.metric < b.metric ? -1 : 1))
    .slice(0, MAX_ESTIMATES)
}

/** Numbers of groups, the gravest first. */
export function fairnessOf(rows: readonly WindowMetric[]): Capped<ReportValue> {
  const own = rows
    .filter(({ convention }) => convention === 'plumbline')
    .toSorted(
      (a, b) =>
        GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) ||
        a.subject.localeCompare(b.subject, 'en') ||
        (a.metric < b.metric ? -1 : 1),
    )
  return {
    shown: own.slice(0, MAX_FAIRNESS).map(told),
    left_out: Math.max(0, own.length - MAX_FAIRNESS),
  }
}
