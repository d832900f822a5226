/**
 * The questions an SRE asks on Grafana, as SQL on the public tables. Every query runs against the
 * migrated schema in a test.
 */
export interface PanelSpec {
  title: string
  description: string
  unit: string
  kind: 'timeseries' | 'table' | 'stat'
  sql: string
  width: number
  height: number
}

const FROM = `FROM window_metrics_latest WHERE model_id = '\${model}' AND $__timeFilter(window_end) AND model_version = '' AND variant = '' AND slice_key = ''`

const series = (
  title: string,
  description: string,
  unit: string,
  label: string,
  where: string,
): PanelSpec => ({
  title,
  description,
  unit,
  kind: 'timeseries',
  sql: `SELECT window_end AS time, ${label} AS label, value ${FROM} AND ${where} AND convention = 'plumbline' AND isNotNull(value) ORDER BY time, label`,
  width: 12,
  height: 8,
})

/**
 * Every panel of the ClickHouse dashboard, by row, in the order of the page; tests run each query.
 */
export const PANELS: readonly { row: string; panels: readonly PanelSpec[] }[] = [
  {
    row: 'Standing verdicts',
    panels: [
      {
        title: 'Alarms and warnings by window',
        description:
          'Results of each window that stand at alarm or warning; a restated window shows its newest revision.',
        unit: 'short',
        kind: 'timeseries',
        sql: `SELECT window_end AS time, verdict AS label, count() AS value ${FROM} AND verdict IN ('alarm', 'warning', 'incomplete') GROUP BY time, label ORDER BY time, label`,
        width: 12,
        height: 8,
      },
      {
        title: 'What stands at alarm',
        description:
          'Active alarms of the model as a whole, in its newest window; those that somebody snoozed are left out.',
        unit: 'short',
        kind: 'table',
        sql: `SELECT window_end, family, metric, subject, value, threshold, reference, reason FROM active_alarms WHERE model_id = '\${model}' AND severity = 'alarm' AND NOT is_snoozed AND model_version = '' AND variant = '' AND slice_key = '' ORDER BY family, metric, subject LIMIT 50`,
        width: 12,
        height: 8,
      },
    ],
  },
  {
    row: 'Drift and quality',
    panels: [
      series(
        'PSI by feature',
        'Population stability index against the baseline; 0.1 warns, 0.25 alarms in large samples.',
        'none',
        'subject',
        `family = 'drift' AND metric = 'psi'`,
      ),
      series(
        'KS distance by feature',
        'Lower bound of the Kolmogorov–Smirnov statistic.',
        'none',
        'subject',
        `family = 'drift' AND metric = 'ks'`,
      ),
      series(
        'Missing values',
        'Share of events without a value.',
        'percentunit',
        'subject',
        `family = 'quality' AND metric = 'missing_ratio'`,
      ),
      series(
        'New categories',
        'Share of events in categories that the reference does not have.',
        'percentunit',
        'subject',
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
        'Error ratio',
        'Share of predictions with status error.',
        'percentunit',
        'metric',
        `metric = 'error_ratio'`,
      ),
      series('Cost', 'US dollars per window.', 'currencyUSD', 'metric', `metric = 'cost_usd'`),
    ],
  },
  {
    row: 'Remediation and the pipeline',
    panels: [
      {
        title: 'Retraining runs',
        description: 'What was asked for, why, and how it ended.',
        unit: 'short',
        kind: 'table',
        sql: `SELECT at, policy, state, new_version, window_end, reason FROM retrain_runs WHERE model_id = '\${model}' AND $__timeFilter(at) ORDER BY at DESC LIMIT 100`,
        width: 12,
        height: 8,
      },
      {
        title: 'Dead letters by reason',
        description: 'Messages that could not be stored; the table dead_letters has their bytes.',
        unit: 'short',
        kind: 'timeseries',
        sql: `SELECT $__timeInterval(received_at) AS time, reason AS label, count() AS value FROM dead_letters WHERE $__timeFilter(received_at) GROUP BY time, label ORDER BY time, label`,
        width: 12,
        height: 8,
      },
    ],
  },
]
