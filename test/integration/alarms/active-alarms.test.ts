/** What is active of a model is defined once, on real stores: whoever asks gets the same alarms. */
import { expanded } from '../../planted/grafana-macros.ts'
import { bareHttp } from '../../bare-http.ts'
import { beforeEach, expect, test } from 'vitest'
import { activeByModel } from '../../../dashboards/grafana-alerts.ts'
import { MODEL } from '../../../dashboards/panels/model.ts'
import { EVERYTHING } from '../../../dashboards/panels/panel.ts'
import type { ClickHouse, Row } from '../../../lib/clickhouse/port.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { modelRoutes } from '../../../services/drift/http/model-routes.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { alarmsOfModels } from '../../../services/alerts/queries/findings.ts'
import { policyQueries } from '../../../services/retrain-trigger/queries/policy-queries.ts'
import { migratedClickHouse } from '../../harness.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const iso = (hours: number) => new Date(START + hours * HOUR).toISOString()

let db: ClickHouse
let inserts = 0
beforeEach(async () => {
  db ??= (await migratedClickHouse()).db
  for (const table of ['verdicts', 'newest_verdicts', 'window_revisions', 'verdict_decisions'])
    await db.command(`TRUNCATE TABLE ${table}`)
})

const insert = (table: string, row: Row) => db.insertRows(table, [row], `insert ${inserts++}`)

/** The window that ends after so many hours was evaluated. */
const evaluated = (hour: number, more: Row = {}) =>
  insert('window_revisions', {
    model_id: 'm',
    window_start: iso(hour - 1),
    window_end: iso(hour),
    revision: 1,
    ...more,
  })

const said = (hour: number, verdict: string, more: Row = {}) =>
  insert('verdicts', {
    verdict_id: `${hour} ${verdict}`,
    model_id: 'm',
    window_start: iso(hour - 1),
    window_end: iso(hour),
    family: 'drift',
    metric: 'psi',
    subject: 'x',
    convention: 'plumbline',
    reference: 'training',
    verdict,
    revision: 1,
    computed_at: iso(hour),
    ...more,
  })

const snooze = (until: number) =>
  insert('verdict_decisions', {
    model_id: 'm',
    family: 'drift',
    metric: 'psi',
    subject: 'x',
    decision: 'snooze',
    until: new Date(until).toISOString(),
  })

const active = (columns = 'subject, severity, slice_value') =>
  db.query(`SELECT ${columns} FROM active_alarms ORDER BY slice_key, slice_value, subject`)
const NORTH = { slice_key: 'region', slice_value: 'north' }

/** How many alarms each of those who ask for them shows of the model. */
async function shown() {
  const http = bareHttp()
  http.addSchema(ProblemDocument)
  const model = parseModel('{ model_id: m, task: binary }')
  const models = { declared: [model], get: () => model }
  modelRoutes(http as unknown as Http, { db, queries: driftQueries(db), models, now: Date.now })
  const answer = await http.inject('/v1/models')
  expect(answer.statusCode, answer.body).toBe(200)
  const overview = answer.json<{ models: { alarms: string }[] }>()
  const panel = MODEL.rows[0]!.panels.find(({ title }) => title === 'Active alarms')!
  const { sql } = panel.query as { sql: string }
  const rule = await db.query<{ alarms: string }>(activeByModel('alarm'))
  return {
    alertmanager: (await alarmsOfModels(db)).length,
    rule: rule.map(({ alarms }) => Number(alarms)),
    panel: (
      await db.query<{ severity: string }>(
        expanded(sql, { model: 'm', version: EVERYTHING, cohort: EVERYTHING }),
      )
    ).filter(({ severity }) => severity === 'alarm').length,
    overview: overview.models.map(({ alarms }) => Number(alarms)),
  }
}
const alarms = (n: number) => ({ alertmanager: n, rule: [n], panel: n, overview: [n] })

test('an alarm is shown until somebody snoozes it, and again when the snooze is over', async () => {
  await evaluated(1)
  await said(1, 'alarm', { value: 0.5, threshold: 0.25, reason: 'moved', episode_id: 'e' })
  expect(await shown()).toEqual(alarms(1))
  await snooze(Date.now() - HOUR)
  expect(await shown()).toEqual(alarms(1))
  expect(await active('value, threshold, reason, episode_id, is_snoozed')).toEqual([
    { value: 0.5, threshold: 0.25, reason: 'moved', episode_id: 'e', is_snoozed: false },
  ])
  await snooze(Date.now() + HOUR)
  expect(await shown()).toEqual(alarms(0))
  expect(await active('severity, is_snoozed')).toEqual([{ severity: 'alarm', is_snoozed: true }])
})

test("a slice's alarm is its own, and the model's is the model's, whichever came last", async () => {
  await evaluated(1)
  await evaluated(1, NORTH)
  await said(1, 'ok')
  await said(1, 'alarm', { ...NORTH, revision: 2 })
  expect(await shown()).toEqual(alarms(0))
  expect(await active()).toEqual([{ subject: 'x', severity: 'alarm', slice_value: 'north' }])
  await said(1, 'alarm', { revision: 3 })
  await said(1, 'ok', { ...NORTH, revision: 4 })
  expect(await shown()).toEqual(alarms(1))
  expect(await active()).toEqual([{ subject: 'x', severity: 'alarm', slice_value: '' }])
})

test('the newest revision counts, and of equal ones the later, in whatever order they came', async () => {
  await evaluated(1)
  await said(1, 'alarm', { revision: 2, value: null, computed_at: iso(3) })
  await said(1, 'ok', { revision: 2, value: 0.1, computed_at: iso(2) })
  await said(1, 'warning', { revision: 1, value: 0.2, computed_at: iso(9) })
  expect(await active('severity, value')).toEqual([{ severity: 'alarm', value: null }])
  await said(1, 'none', { revision: 3 })
  expect(await active()).toEqual([])
})

test.each([
  ['alarm', 'ok'],
  ['ok', 'alarm'],
])('of rows alike in revision and time (%s, then %s) the alarm counts', async (first, second) => {
  await evaluated(1)
  await said(1, first, { verdict_id: '1' })
  await said(1, second, { verdict_id: '2' })
  expect(await shown()).toEqual(alarms(1))
  const { results } = policyQueries(db)
  expect(
    (await results({ modelId: 'm', versions: [''], since: START })).map(({ verdict }) => verdict),
  ).toEqual(['alarm'])
})

test('a window that is incomplete ends no alarm, one that is evaluated does; each cohort has windows of its own', async () => {
  await evaluated(1)
  await evaluated(1, NORTH)
  await said(1, 'alarm', { episode_id: `m/${iso(1)}` })
  await said(1, 'warning', NORTH)
  await evaluated(2)
  await said(2, 'incomplete')
  expect(await shown()).toEqual(alarms(1))
  expect(await active('window_end, since, slice_value')).toMatchObject([
    { window_end: iso(1), since: iso(1), slice_value: '' },
    { slice_value: 'north' },
  ])
  await evaluated(3)
  await said(3, 'ok')
  expect(await shown()).toEqual(alarms(0))
  expect(await active()).toEqual([{ subject: 'x', severity: 'warning', slice_value: 'north' }])
})

test('a later alarm of the same episode keeps its beginning', async () => {
  await evaluated(1)
  await said(1, 'alarm', { episode_id: `m/${iso(1)}` })
  await evaluated(2)
  await said(2, 'alarm', { episode_id: `m/${iso(1)}` })
  expect(await active('window_end, since')).toEqual([{ window_end: iso(2), since: iso(1) }])
})

test('a newer window counts before a higher revision of an older one', async () => {
  await evaluated(2)
  await said(2, 'ok')
  await said(1, 'alarm', { revision: 9, computed_at: iso(9) })
  expect(await shown()).toEqual(alarms(0))
})

test('a revision without a verdict takes the alarm back', async () => {
  await evaluated(1)
  await said(1, 'alarm')
  await said(1, 'none', { revision: 2, computed_at: iso(2) })
  expect(await shown()).toEqual(alarms(0))
})

test.each(['accept', 'dismiss'])(
  '%s ends the alarm of its window and no later one',
  async (decision) => {
    await evaluated(1)
    await said(1, 'alarm')
    await insert('verdict_decisions', {
      model_id: 'm',
      family: 'drift',
      metric: 'psi',
      subject: 'x',
      window_start: iso(0),
      window_end: iso(1),
      decision,
    })
    expect(await shown()).toEqual(alarms(0))
    await evaluated(2)
    await said(2, 'alarm')
    expect(await shown()).toEqual(alarms(1))
  },
)

test('a version that has left takes its alarms along', async () => {
  const old = { model_version: '1' }
  await evaluated(1)
  await evaluated(1, old)
  await said(1, 'alarm', old)
  await evaluated(4)
  expect(await active('model_version')).toEqual([{ model_version: '1' }])
  await evaluated(5)
  expect(await active('model_version')).toEqual([])
})

test('the numbers of other tools are no alarms, and policies see slices apart', async () => {
  await evaluated(1)
  await evaluated(1, { ...NORTH, revision: 7 })
  await said(1, 'alarm', { convention: 'evidently' })
  await said(1, 'warning', NORTH)
  expect(await shown()).toEqual(alarms(0))
  const { results, windows } = policyQueries(db)
  expect(await results({ modelId: 'm', versions: [''], since: START })).toMatchObject([
    { verdict: 'warning', slice: 'region\u001fnorth' },
  ])
  expect(await windows('m')).toMatchObject([{ windowEnd: START + HOUR, revision: 1 }])
})

test('all alarms of a family are counted, however many more than a headline is made from', async () => {
  await evaluated(1)
  await db.command(
    `INSERT INTO verdicts (verdict_id, model_id, window_start, window_end, family, metric, subject, convention, reference, verdict, revision, computed_at)
     SELECT toString(number), 'm', '${iso(0)}', '${iso(1)}', 'drift', 'psi', concat('f', toString(number)), 'plumbline', 'training', 'alarm', 1, '${iso(1)}' FROM numbers(150)`,
  )
  expect((await shown()).overview).toEqual([150])
})
