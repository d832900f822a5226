/** Grafana's dashboards, made from the specifications in `panels/`. */
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  MappingType,
  QueryVariableBuilder,
  RowBuilder,
  type Dashboard,
  type ValueMap,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import { FLEET } from './panels/fleet.ts'
import { INGEST } from './panels/ingest.ts'
import { MODEL } from './panels/model.ts'
import { REMEDIATION } from './panels/remediation.ts'
import { REVIEW } from './panels/review.ts'
import { VARIABLES, type DashboardSpec, type PanelSpec } from './panels/panel.ts'

/** Every dashboard, in the order in which one would open them. */
export const DASHBOARDS: readonly DashboardSpec[] = [FLEET, MODEL, INGEST, REVIEW, REMEDIATION]

const TAG = 'plumbline'
const CLICKHOUSE = { type: 'grafana-clickhouse-datasource', uid: '${ds}' }
const PROMETHEUS = { type: 'prometheus', uid: '${prometheus}' }

/** The foundation SDK knows no ClickHouse query: this is its documented way to bring one's own. */
class ClickHouseQuery implements Builder<Dataquery> {
  readonly #sql: string
  readonly #isTable: boolean
  constructor(sql: string, isTable: boolean) {
    this.#sql = sql
    this.#isTable = isTable
  }
  build(): Dataquery {
    return {
      refId: 'A',
      datasource: CLICKHOUSE,
      editorType: 'sql',
      queryType: this.#isTable ? 'table' : 'timeseries',
      format: this.#isTable ? 1 : 0,
      rawSql: this.#sql,
      _implementsDataqueryVariant: () => {},
    } as unknown as Dataquery
  }
}

/**
 * Builds one dashboard: its data sources and variables, a link to each of the others, and a row of
 * panels for each of the specification's.
 */
export function grafanaDashboard({ uid, title, variables, rows }: DashboardSpec): Dashboard {
  const panels = rows.flatMap((row) => row.panels)
  let dashboard = new DashboardBuilder(title)
    .uid(uid)
    .tags([TAG, 'machine learning'])
    .refresh('1m')
    .time({ from: 'now-30d', to: 'now' })
    .timezone('utc')
    .link(
      new DashboardLinkBuilder('Plumbline')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .keepTime(true),
    )
  if (panels.some(({ query }) => 'sql' in query))
    dashboard = dashboard.withVariable(
      new DatasourceVariableBuilder('ds').type(CLICKHOUSE.type).label('ClickHouse'),
    )
  if (panels.some(({ query }) => 'promql' in query))
    dashboard = dashboard.withVariable(
      new DatasourceVariableBuilder('prometheus').type(PROMETHEUS.type).label('Prometheus'),
    )
  for (const name of variables)
    dashboard = dashboard.withVariable(
      new QueryVariableBuilder(name)
        .label(VARIABLES[name].label)
        .datasource(CLICKHOUSE)
        .query(VARIABLES[name].values),
    )
  let id = 1
  for (const { row, panels: inRow } of rows) {
    dashboard = dashboard.withRow(new RowBuilder(row).id(id++))
    for (const panel of inRow) dashboard = dashboard.withPanel(panelOf(panel, id++))
  }
  return dashboard.build()
}

const BUILDERS = {
  stat: stat.PanelBuilder,
  state: statetimeline.PanelBuilder,
  table: table.PanelBuilder,
  timeseries: timeseries.PanelBuilder,
}

function panelOf(spec: PanelSpec, id: number) {
  const builder = new BUILDERS[spec.kind]()
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .datasource('sql' in spec.query ? CLICKHOUSE : PROMETHEUS)
    .unit(spec.unit)
    .span(spec.width)
    .height(spec.height)
    .withTarget(targetOf(spec))
  return spec.areVerdicts ? builder.mappings([VERDICT_WORDS]) : builder
}

function targetOf({ query, kind }: PanelSpec): Builder<Dataquery> {
  if ('sql' in query) return new ClickHouseQuery(query.sql, kind !== 'timeseries')
  const asked = new prometheus.DataqueryBuilder()
    .refId('A')
    .datasource(PROMETHEUS)
    .expr(query.promql)
    .legendFormat(query.legend)
  return kind === 'stat' ? asked.instant() : asked.range()
}

/** Words of `plumbline_verdict`; a state that is not good differs by more than its colour. */
const VERDICT_WORDS: ValueMap = {
  type: MappingType.ValueToText,
  options: {
    '-1': { text: 'incomplete', color: 'gray', index: 0 },
    '0': { text: 'ok', color: 'green', index: 1 },
    '1': { text: 'warning', color: 'orange', index: 2 },
    '2': { text: 'alarm', color: 'red', index: 3 },
  },
}
