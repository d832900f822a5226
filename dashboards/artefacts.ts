/** Grafana's dashboard and alert rules, made from `panels.ts`. */
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import { stringify } from 'yaml'
import { PANELS, type PanelSpec } from './panels.ts'

const DATASOURCE = { type: 'grafana-clickhouse-datasource', uid: '${ds}' }

/** The foundation SDK knows no ClickHouse query: this is its documented way to bring one's own. */
class ClickHouseQuery implements Builder<Dataquery> {
  readonly #sql: string
  readonly #format: 'timeseries' | 'table'
  constructor(sql: string, format: 'timeseries' | 'table') {
    this.#sql = sql
    this.#format = format
  }
  build(): Dataquery {
    return {
      refId: 'A',
      datasource: DATASOURCE,
      editorType: 'sql',
      queryType: this.#format,
      format: this.#format === 'timeseries' ? 0 : 1,
      rawSql: this.#sql,
      _implementsDataqueryVariant: () => {},
    } as unknown as Dataquery
  }
}

/** The Grafana dashboard over ClickHouse: one row of panels per entry of {@link PANELS}. */
export function clickHouseDashboard(): Dashboard {
  let dashboard = new DashboardBuilder('Plumbline: models')
    .uid('plumbline-models')
    .tags(['plumbline', 'machine learning'])
    .refresh('1m')
    .time({ from: 'now-30d', to: 'now' })
    .timezone('utc')
    .withVariable(
      new DatasourceVariableBuilder('ds').type('grafana-clickhouse-datasource').label('ClickHouse'),
    )
    .withVariable(
      new QueryVariableBuilder('model')
        .label('Model')
        .datasource(DATASOURCE)
        .query('SELECT DISTINCT model_id FROM window_metrics ORDER BY model_id'),
    )
  let id = 1
  for (const { row, panels } of PANELS) {
    dashboard = dashboard.withRow(new RowBuilder(row).id(id++))
    for (const panel of panels) dashboard = dashboard.withPanel(panelOf(panel, id++))
  }
  return dashboard.build()
}

function panelOf(spec: PanelSpec, id: number) {
  const builder = spec.kind === 'table' ? new table.PanelBuilder() : new timeseries.PanelBuilder()
  return builder
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .unit(spec.unit)
    .span(spec.width)
    .height(spec.height)
    .withTarget(new ClickHouseQuery(spec.sql, spec.kind === 'table' ? 'table' : 'timeseries'))
}

/**
 * Grafana's alert provisioning file: pages on what stands at alarm in the last evaluated window of
 * any model.
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
        rules: [
          {
            uid: 'plumbline-standing-alarm',
            title: 'A model stands at alarm',
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
                  rawSql: STANDING_ALARMS,
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
            labels: { severity: 'critical', service: 'plumbline' },
            annotations: {
              summary: '{{ $labels.model_id }} has {{ $values.B.Value }} standing alarms',
            },
            dashboardUid: 'plumbline-models',
          },
        ],
      },
    ],
  })
}

/**
 * The query of Grafana's rule: one row per model with the number of its active alarms, 0 where it
 * has none, so that an alert ends. Slices, versions and snoozed alarms are left out.
 */
export const STANDING_ALARMS = `SELECT model_id, countIf(severity = 'alarm') AS alarms FROM (
  SELECT model_id, '' AS severity FROM cohort_newest_windows WHERE model_version = '' AND variant = '' AND slice_key = ''
  UNION ALL
  SELECT model_id, severity FROM active_alarms WHERE NOT is_snoozed AND model_version = '' AND variant = '' AND slice_key = ''
) GROUP BY model_id ORDER BY model_id`
