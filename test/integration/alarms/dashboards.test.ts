/**
 * Every query a dashboard or alert asks runs on the migrated schema, and the rules pass promtool.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { beforeAll, expect, test } from 'vitest'
import { activeByModel } from '../../../dashboards/grafana-alerts.ts'
import { DASHBOARDS, grafanaDashboard } from '../../../dashboards/grafana-dashboards.ts'
import { EVERYTHING, VARIABLES } from '../../../dashboards/panels/panel.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { migratedClickHouse, temporaryDirectory } from '../../harness.ts'
import { expanded } from '../../planted/grafana-macros.ts'
import { ROOT } from '../../servers/processes.ts'

const CHOSEN = { model: 'elec2', version: EVERYTHING, cohort: EVERYTHING }

let db: ClickHouse
beforeAll(async () => {
  ;({ db } = await migratedClickHouse())
})

const panels = DASHBOARDS.flatMap(({ uid, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => ({ uid, ...panel }))),
)
const ofSql = panels.flatMap(({ query, ...panel }) =>
  'sql' in query ? [{ ...panel, sql: query.sql }] : [],
)
const ofPromql = panels.flatMap(({ query, ...panel }) =>
  'promql' in query ? [{ ...panel, ...query }] : [],
)

test.each(ofSql)('$uid: panel $title', async ({ sql, kind }) => {
  const query = expanded(sql, CHOSEN)
  expect(query).not.toContain('$')
  const columns = await db.query<{ name: string; type: string }>(`DESCRIBE (${query})`)
  await db.query(query)
  // The plugin reads series as time, label, value.
  if (kind === 'timeseries')
    expect(columns.map((column) => column.name)).toEqual(['time', 'label', 'value'])
})

test('a model is shown as a whole, or by a version or a cohort of its own', async () => {
  const at = '2026-01-05 00:00:00.000'
  const rows = [
    { model_version: '', slice_key: '', slice_value: '' },
    { model_version: "7'", slice_key: '', slice_value: '' },
    { model_version: '', slice_key: 'region', slice_value: "l'est" },
  ].map((cohort, i) => ({
    model_id: 'm',
    variant: '',
    ...cohort,
    window_start: '2026-01-04 00:00:00.000',
    window_end: at,
    revision: 1,
    events: i + 1,
    worst: 'ok',
    computed_at: at,
  }))
  await db.insertRows('window_revisions', rows)
  const valuesOf = async (name: keyof typeof VARIABLES) =>
    (await db.query(expanded(VARIABLES[name].values, { ...CHOSEN, model: 'm' }))).map(
      (row) => Object.values(row)[0],
    )
  expect(await valuesOf('model')).toEqual(['m'])
  expect(await valuesOf('version')).toEqual([EVERYTHING, "7'"])
  expect(await valuesOf('cohort')).toEqual([EVERYTHING, "region=l'est"])
  const { model, version, cohort } = VARIABLES
  const condition = [model, version, cohort].map((one) => one.condition).join(' AND ')
  const shown = async (chosen: { version?: string; cohort?: string }) =>
    (
      await db.query<{ n: number }>(
        `SELECT toUInt32(events) AS n FROM window_revisions WHERE ${expanded(condition, { ...CHOSEN, model: 'm', ...chosen })}`,
      )
    ).map(({ n }) => n)
  expect(await shown({})).toEqual([1])
  expect(await shown({ version: "7'" })).toEqual([2])
  expect(await shown({ cohort: "region=l'est" })).toEqual([3])
  expect(await shown({ version: "7'", cohort: "region=l'est" })).toEqual([])
})

test('the rules of Grafana name every model, at alarm or not', async () => {
  expect(await db.query(activeByModel('alarm'))).toEqual([{ model_id: 'm', alarms: '0' }])
  expect(await db.query(activeByModel('warning'))).toEqual([{ model_id: 'm', warnings: '0' }])
})

test('every panel has a title, a description and a place of its own; ids and names are unique', () => {
  expect(new Set(DASHBOARDS.map(({ uid }) => uid)).size).toBe(DASHBOARDS.length)
  for (const spec of DASHBOARDS) {
    const { panels: built, templating } = grafanaDashboard(spec) as {
      panels: {
        id: number
        type: string
        title: string
        datasource?: { uid: string }
        gridPos: { x: number; y: number; w: number; h: number }
      }[]
      templating: { list: { name: string }[] }
    }
    expect(new Set(built.map((panel) => panel.id)).size).toBe(built.length)
    const titles = built.filter(({ type }) => type !== 'row').map(({ title }) => title)
    expect(new Set(titles).size).toBe(titles.length)
    const places = new Set(built.map(({ gridPos: { x, y } }) => `${x},${y}`))
    expect(places.size).toBe(built.length)
    const variables = templating.list.map(({ name }) => `\${${name}}`)
    for (const { datasource } of built) if (datasource) expect(variables).toContain(datasource.uid)
  }
  for (const panel of panels) expect(panel.description.length).toBeGreaterThan(10)
})

const promtool = (...args: string[]) => {
  try {
    execFileSync('promtool', ['--version'])
  } catch (cause) {
    throw new Error('promtool is not installed (Debian: apt-get install prometheus)', { cause })
  }
  return execFileSync('promtool', args, { cwd: join(ROOT, 'dashboards'), encoding: 'utf8' })
}

test('promtool takes the rules, and they fire and clear as their tests say', () => {
  expect(promtool('check', 'rules', 'generated/prometheus-rules.yaml')).toContain('19 rules found')
  expect(promtool('test', 'rules', 'prometheus-rules.test.yaml')).toContain('SUCCESS')
})

test('promtool takes what panels ask Prometheus, of metrics that are documented', () => {
  const file = join(temporaryDirectory(), 'panels.yaml')
  const rules = ofPromql.map(({ promql }, i) => ({
    record: `panel:${i}`,
    expr: promql.replaceAll('$__rate_interval', '5m'),
  }))
  writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }))
  expect(promtool('check', 'rules', file)).toContain(`${rules.length} rules found`)
  const documented = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')
  for (const { promql } of ofPromql)
    for (const [name] of promql.matchAll(/plumbline_\w+?(?=_bucket|\W|$)/g))
      expect(documented).toContain(`\`${name}`)
})
