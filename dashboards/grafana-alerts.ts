/** Grafana's alert rules over ClickHouse, for who has no Prometheus. */
import { stringify } from 'yaml'
import { WHOLE } from './panels/panel.ts'

const SEVERITIES = [
  { verdict: 'alarm', severity: 'critical', title: 'A model is at alarm' },
  { verdict: 'warning', severity: 'warning', title: 'A model is at warning' },
] as const

/**
 * Grafana's alert provisioning file: a rule for each severity, on what is active in the newest
 * evaluated windows of any model. Alerts have the labels `model_id`, `severity` and `service` to
 * route by.
 */
export function grafanaAlerts(): string {
  return stringify({
    apiVersion: 1,
    groups: [
      {
        orgId: 1,
        name: 'plumbline-verdicts',
        folder: 'Plumbline',
        interval: '1m',
        rules: SEVERITIES.map(({ verdict, severity, title }) => ({
          uid: `plumbline-active-${verdict}`,
          title,
          condition: 'C',
          data: [
            {
              refId: 'A',
              datasourceUid: 'plumbline-clickhouse',
              relativeTimeRange: { from: 3600, to: 0 },
              model: {
                refId: 'A',
                editorType: 'sql',
                queryType: 'table',
                format: 1,
                rawSql: activeByModel(verdict),
              },
            },
            {
              refId: 'B',
              datasourceUid: '__expr__',
              model: { refId: 'B', type: 'reduce', expression: 'A', reducer: 'last' },
            },
            {
              refId: 'C',
              datasourceUid: '__expr__',
              model: {
                refId: 'C',
                type: 'threshold',
                expression: 'B',
                conditions: [{ evaluator: { type: 'gt', params: [0] } }],
              },
            },
          ],
          for: '0s',
          noDataState: 'OK',
          execErrState: 'Error',
          labels: { severity, service: 'plumbline' },
          annotations: {
            summary: `{{ $labels.model_id }} has {{ $values.B.Value }} active ${verdict}s`,
            runbook_url: 'docs/operations.md#plumblinemodelalarm',
          },
          dashboardUid: 'plumbline-model',
        })),
      },
    ],
  })
}

/**
 * The query of a rule: one row per model with the number of its active alarms (or warnings), 0
 * where it has none, so that an alert ends. Slices, versions and snoozed alarms are left out.
 */
export const activeByModel = (verdict: 'alarm' | 'warning'): string =>
  `SELECT model_id, countIf(severity = '${verdict}') AS ${verdict}s FROM (
  SELECT model_id, '' AS severity FROM cohort_newest_windows WHERE ${WHOLE}
  UNION ALL
  SELECT model_id, severity FROM active_alarms WHERE NOT is_snoozed AND ${WHOLE}
) GROUP BY model_id ORDER BY model_id`
