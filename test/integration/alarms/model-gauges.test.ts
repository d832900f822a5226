/**
 * Prometheus is told what is active and how old a model's newest event is, as the tables say; a
 * store that is away costs no scrape.
 */
import { expect, test } from 'vitest'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { registerModelGauges } from '../../../services/drift/publish/model-gauges.ts'
import { activeCounts, activeSeries } from '../../../services/drift/queries/active-alarms.ts'
import { modelAges } from '../../../services/drift/queries/model-summaries.ts'
import { migratedClickHouse } from '../../harness.ts'

const NOW = Date.UTC(2026, 0, 2)
const HOUR = 3_600_000
const iso = (hours: number) => new Date(NOW + hours * HOUR).toISOString()

test('alarms of every cohort, snoozed and foreign ones left out, and ages', async () => {
  const { db } = await migratedClickHouse()
  const cohort = { window_start: iso(-2), window_end: iso(-1), revision: 1 }
  let n = 0
  const insert = (table: string, row: object) =>
    db.insertRows(table, [{ ...row } as never], `insert ${n++}`)
  const said = (model: string, verdict: string, more: object = {}) =>
    insert('verdicts', {
      ...cohort,
      verdict_id: `${n}`,
      model_id: model,
      family: 'drift',
      metric: 'psi',
      subject: 'x',
      convention: 'plumbline',
      verdict,
      computed_at: iso(0),
      ...more,
    })
  for (const model of ['mine', 'snoozed', 'foreign'])
    await insert('window_revisions', { ...cohort, model_id: model })
  await insert('window_revisions', {
    ...cohort,
    model_id: 'mine',
    slice_key: 'region',
    slice_value: 'north',
  })
  await said('mine', 'alarm')
  await said('mine', 'warning', { slice_key: 'region', slice_value: 'north' })
  await said('snoozed', 'alarm')
  await said('foreign', 'alarm')
  await insert('verdict_decisions', {
    model_id: 'snoozed',
    family: 'drift',
    metric: 'psi',
    subject: 'x',
    decision: 'snooze',
    until: new Date(Date.now() + HOUR).toISOString(),
  })
  await insert('watermarks', { model_id: 'mine', topic: 't', partition: '0', newest: iso(-0.5) })

  const metrics = createMetrics()
  const most: Record<string, number> = {}
  let isAway = false
  const errors: unknown[] = []
  registerModelGauges(metrics, {
    active: async () => {
      if (isAway) throw new Error('the store is away')
      return activeSeries(db, 10)
    },
    counts: () => activeCounts(db),
    ages: () => modelAges(db),
    owns: (model) => model !== 'foreign',
    mostOf: (model) => most[model] ?? 3,
    now: () => NOW,
    onError: (error) => errors.push(error),
  })
  const lines = async (name: string) =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`))
  expect(await lines('plumbline_active_alarm')).toEqual([
    'plumbline_active_alarm{model_id="mine",model_version="",variant="",family="drift",subject="x",metric="psi",slice=""} 2',
    'plumbline_active_alarm{model_id="mine",model_version="",variant="",family="drift",subject="x",metric="psi",slice="region:north"} 1',
  ])
  expect(await lines('plumbline_last_event_age_seconds')).toEqual([
    'plumbline_last_event_age_seconds{model_id="mine"} 1800',
  ])
  expect(await lines('plumbline_last_window_age_seconds')).toEqual([
    'plumbline_last_window_age_seconds{model_id="mine"} 3600',
  ])
  expect(await lines('plumbline_active_alarms')).toEqual([
    'plumbline_active_alarms{model_id="mine",severity="alarm"} 1',
  ])
  most['mine'] = 1
  expect(await lines('plumbline_active_alarm')).toEqual([
    expect.stringMatching(/model_id="mine".*slice=""} 2$/),
  ])
  isAway = true
  expect(await lines('plumbline_active_alarm')).toEqual([])
  expect(errors).toMatchObject([{ message: 'the store is away' }])
})

test('a store that hangs is asked once, and costs a scrape neither its time nor its other series', async () => {
  const metrics = createMetrics()
  const asked = { active: 0, ages: 0 }
  const errors: unknown[] = []
  const never = new Promise<never>(() => {})
  registerModelGauges(metrics, {
    active: () => {
      asked.active++
      return never
    },
    ages: async () => {
      asked.ages++
      return [{ modelId: 'm', newestEvent: NOW, newestWindow: NOW }]
    },
    counts: async () => [],
    owns: () => true,
    mostOf: () => 3,
    now: () => NOW,
    onError: (error) => errors.push(error),
    waitMs: 20,
  })
  for (let scrape = 1; scrape <= 2; scrape++) {
    const text = await metrics.registry.metrics()
    expect(text).toContain('plumbline_last_event_age_seconds{model_id="m"} 0')
    expect(text).toContain('plumbline_last_window_age_seconds{model_id="m"} 0')
    expect(errors).toHaveLength(scrape)
    // Both gauges of ages share one question.
    expect(asked).toEqual({ active: 1, ages: scrape })
  }
  expect(errors[0]).toMatchObject({ message: 'the store did not answer in 20 ms' })
})
