/**
 * Every query a dashboard or alert asks runs on the migrated schema, and the rules pass promtool.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { clickHouseDashboard, STANDING_ALARMS } from '../../../dashboards/artefacts.ts'
import { PANELS } from '../../../dashboards/panels.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { migratedClickHouse } from '../../harness.ts'
import { ROOT } from '../../servers/processes.ts'

let db: ClickHouse
beforeAll(async () => {
  ;({ db } = await migratedClickHouse())
})

/** As Grafana's ClickHouse plugin expands them. */
const expanded = (sql: string) =>
  sql
    .replaceAll(/\$__timeFilter\((\w+)\)/g, '$1 >= toDateTime(0) AND $1 <= now()')
    .replaceAll(
      /\$__timeInterval\((\w+)\)/g,
      'toStartOfInterval(toDateTime($1), INTERVAL 60 SECOND)',
    )
    .replaceAll('${model}', 'elec2')

const panels = PANELS.flatMap(({ panels: inRow }) => inRow)

test.each(panels)('panel $title', async ({ sql, kind }) => {
  const query = expanded(sql)
  expect(query).not.toContain('$')
  const columns = await db.query<{ name: string; type: string }>(`DESCRIBE (${query})`)
  await db.query(query)
  // The plugin reads series as time, label, value.
  if (kind === 'timeseries')
    expect(columns.map((column) => column.name)).toEqual(['time', 'label', 'value'])
})

test('the standing alarms of the Grafana rule', async () => {
  expect(await db.query(STANDING_ALARMS)).toEqual([])
})

test('every panel has a title, a description and a place of its own; ids and names are unique', () => {
  const built = clickHouseDashboard().panels as {
    id: number
    title: string
    description?: string
    type: string
    gridPos: { x: number; y: number; w: number; h: number }
  }[]
  expect(new Set(built.map((panel) => panel.id)).size).toBe(built.length)
  expect(new Set(panels.map((panel) => panel.title)).size).toBe(panels.length)
  const places = new Set(built.map(({ gridPos: { x, y } }) => `${x},${y}`))
  expect(places.size).toBe(built.length)
  for (const panel of panels) expect(panel.description.length).toBeGreaterThan(10)
})

test('promtool takes the rules, and they fire and clear as their tests say', () => {
  const promtool = (...args: string[]) =>
    execFileSync('promtool', args, { cwd: join(ROOT, 'dashboards'), encoding: 'utf8' })
  try {
    promtool('--version')
  } catch {
    throw new Error('promtool is not installed (Debian: apt-get install prometheus)')
  }
  expect(promtool('check', 'rules', 'generated/prometheus-rules.yaml')).toContain('17 rules found')
  expect(promtool('test', 'rules', 'prometheus-rules.test.yaml')).toContain('SUCCESS')
})
