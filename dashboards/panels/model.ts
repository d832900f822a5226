/** The dashboard of one model: what it reads by window, as a whole, by version and by cohort. */
import { sqlPanel, VARIABLES, type DashboardSpec, type PanelSpec } from './panel.ts'

const { model, version, cohort } = VARIABLES
const CHOSEN = `${model.condition} AND variant = '' AND ${version.condition} AND ${cohort.condition}`
const FROM = `FROM window_metrics_latest WHERE ${CHOSEN} AND $__timeFilter(window_end)`

const series = (
  title: string,
  description: string,
  unit: string,
  label: string,
  where: string,
): PanelSpec =>
  sqlPanel(
    [title, description, unit],
    'timeseries',
    `SELECT window_end AS time, ${label} AS label, value ${FROM} AND ${where} AND convention = 'plumbline' AND isNotNull(value) ORDER BY time, label`,
  )

/** The twenty features that read highest in the time range: a model may have a thousand. */
const highest = (title: string, description: string, unit: string, where: string): PanelSpec => {
  const rows = `${FROM} AND ${where} AND convention = 'plumbline' AND isNotNull(value)`
  return sqlPanel(
    [title, `${description} The twenty highest in the time range.`, unit],
    'timeseries',
    `SELECT window_end AS time, subject AS label, value ${rows} AND subject IN (SELECT subject ${rows} GROUP BY subject ORDER BY max(value) DESC, subject LIMIT 20) ORDER BY time, label`,
  )
}

/** One model. Slices of versions are not kept: a version and a cohort together show nothing. */
export const MODEL: DashboardSpec = {
  uid: 'plumbline-model',
  title: 'Plumbline: one model',
  variables: ['model', 'version', 'cohort'],
  rows: [
    {
      row: 'Active alarms',
      panels: [
        sqlPanel(
          [
            'Alarms and warnings by window',
            'Results of each window with a verdict other than ok; a restated window shows its newest revision.',
            'short',
          ],
          'timeseries',
          `SELECT window_end AS time, toString(verdict) AS label, count() AS value ${FROM} AND verdict IN ('alarm', 'warning', 'incomplete') GROUP BY time, label ORDER BY time, label`,
        ),
        sqlPanel(
          [
            'Active alarms',
            'What was evaluated last and stands at alarm or warning; what somebody snoozed is left out.',
            'short',
          ],
          'table',
          `SELECT severity, since, family, metric, subject, value, threshold, reference, reason FROM active_alarms WHERE ${CHOSEN} AND NOT is_snoozed ORDER BY severity, family, metric, subject LIMIT 50`,
        ),
      ],
    },
    {
      row: 'Drift and quality',
      panels: [
        highest(
          'PSI by feature',
          'Population stability index against the baseline; 0.1 warns, 0.25 alarms in large samples.',
          'none',
          `family = 'drift' AND metric = 'psi'`,
        ),
        highest(
          'KS distance by feature',
          'Lower bound of the Kolmogorov–Smirnov statistic.',
          'none',
          `family = 'drift' AND metric = 'ks'`,
        ),
        highest(
          'Missing values',
          'Share of events without a value.',
          'percentunit',
          `family = 'quality' AND metric = 'missing_ratio'`,
        ),
        highest(
          'New categories',
          'Share of events in categories that the reference does not have.',
          'percentunit',
          `family = 'quality' AND metric = 'new_category_ratio'`,
        ),
      ],
    },
    {
      row: 'Performance and fairness',
      panels: [
        series(
          'Performance',
          'On joined labels; a window without enough labels is incomplete, not good.',
          'none',
          'metric',
          `family = 'performance' AND method IN ('observed', 'weighted') AND metric IN ('accuracy', 'precision', 'recall', 'f1', 'roc_auc', 'r2')`,
        ),
        series(
          'Label coverage',
          'Share of predictions whose truth is known.',
          'percentunit',
          'metric',
          `metric = 'label_coverage'`,
        ),
        series(
          'Fairness differences',
          'Group minus privileged group; 0 is equal treatment.',
          'none',
          `concat(subject, ' ', metric)`,
          `family = 'fairness' AND metric IN ('statistical_parity_difference', 'equal_opportunity_difference') AND n_current >= 10`,
        ),
        series(
          'Errors of regression',
          'Mean absolute and root mean squared error.',
          'none',
          'metric',
          `family = 'performance' AND method IN ('observed', 'weighted') AND metric IN ('mae', 'rmse')`,
        ),
      ],
    },
    {
      row: 'Operations',
      panels: [
        series(
          'Throughput',
          'Predictions a second, by window.',
          'reqps',
          'metric',
          `metric = 'throughput_per_s'`,
        ),
        series(
          'Latency',
          'Quantiles of latency_ms.',
          'ms',
          'metric',
          `metric IN ('latency_p50_ms', 'latency_p95_ms', 'latency_p99_ms')`,
        ),
        series(
          'Time to first token',
          'Quantiles of time_to_first_token_ms, of answers that are streamed.',
          'ms',
          'metric',
          `metric IN ('time_to_first_token_p50_ms', 'time_to_first_token_p95_ms', 'time_to_first_token_p99_ms')`,
        ),
        series(
          'Output tokens per second',
          'Tokens of all answers over the time they took.',
          'none',
          'metric',
          `metric = 'output_tokens_per_s'`,
        ),
        series(
          'Error ratio',
          'Share of predictions with status error.',
          'percentunit',
          'metric',
          `metric = 'error_ratio'`,
        ),
        series('Cost', 'US dollars per window.', 'currencyUSD', 'metric', `metric = 'cost_usd'`),
      ],
    },
  ],
}
