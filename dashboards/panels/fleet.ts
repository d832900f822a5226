/** The dashboard of all models: which of them need somebody, and since when. */
import { promPanel, sqlPanel, WHOLE, type DashboardSpec } from './panel.ts'

const ACTIVE = `FROM active_alarms WHERE NOT is_snoozed AND ${WHOLE}`

/** All models at a glance. */
export const FLEET: DashboardSpec = {
  uid: 'plumbline-fleet',
  title: 'Plumbline: all models',
  variables: [],
  rows: [
    {
      row: 'Now',
      panels: [
        sqlPanel(
          ['Models', 'Models of which a window was evaluated.', 'short'],
          'stat',
          `SELECT count() AS models FROM cohort_newest_windows WHERE ${WHOLE}`,
        ),
        sqlPanel(
          ['Models at alarm', 'Models with an active alarm that nobody snoozed.', 'short'],
          'stat',
          `SELECT uniqExact(model_id) AS models ${ACTIVE} AND severity = 'alarm'`,
        ),
        sqlPanel(
          [
            'Models at warning',
            'Models with an active warning that nobody snoozed, alarms apart.',
            'short',
          ],
          'stat',
          `SELECT uniqExact(model_id) AS models ${ACTIVE} AND severity = 'warning' AND model_id NOT IN (SELECT model_id ${ACTIVE} AND severity = 'alarm')`,
        ),
        promPanel(
          [
            'Silent for longest',
            'Age of the newest event of the model that has sent nothing for longest.',
            's',
          ],
          'max(plumbline_last_event_age_seconds)',
          'age',
          { kind: 'stat' },
        ),
      ],
    },
    {
      row: 'Verdicts',
      panels: [
        promPanel(
          [
            'Worst verdict of each model',
            'The gravest verdict among the numbers that a model exports: ok, warning, alarm, or incomplete where nothing could be evaluated.',
            'none',
          ],
          `max by (model_id) (plumbline_verdict{model_version="",variant="",slice=""})`,
          '{{model_id}}',
          { kind: 'state', areVerdicts: true },
        ),
        sqlPanel(
          [
            'Active alarms',
            'The gravest first; the page of the model says what moved, and since when.',
            'short',
          ],
          'table',
          `SELECT model_id, severity, since, family, metric, subject, value, threshold, reason ${ACTIVE} ORDER BY severity, since, model_id LIMIT 200`,
          { width: 24, height: 10 },
        ),
      ],
    },
    {
      row: 'History',
      panels: [
        sqlPanel(
          [
            'Windows at alarm by model',
            'Windows of the time range whose newest revision has an alarm; the twenty models with the most.',
            'short',
          ],
          'timeseries',
          `SELECT $__timeInterval(window_end) AS time, model_id AS label, uniqExact(window_start) AS value FROM window_metrics_latest WHERE $__timeFilter(window_end) AND ${WHOLE} AND verdict = 'alarm' AND model_id IN (SELECT model_id FROM window_metrics_latest WHERE $__timeFilter(window_end) AND ${WHOLE} AND verdict = 'alarm' GROUP BY model_id ORDER BY count() DESC, model_id LIMIT 20) GROUP BY time, label ORDER BY time, label`,
        ),
        promPanel(
          [
            'Age of the newest evaluated window',
            'How far verdicts lie behind; the ten models with the oldest.',
            's',
          ],
          'topk(10, max by (model_id) (plumbline_last_window_age_seconds))',
          '{{model_id}}',
        ),
      ],
    },
  ],
}
