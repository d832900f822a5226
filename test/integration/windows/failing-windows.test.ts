/**
 * What cannot be evaluated is set aside, told, and tried again; a stream of odd times and invented
 * models costs what it holds.
 */
import { verdictFeedbackQueries } from '../../../services/drift/queries/verdict-feedback.ts'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import { failureTeller } from '../../../services/drift/loop/failures.ts'
import { createGauges } from '../../../services/drift/publish/prometheus-gauges.ts'
import { createModelEvaluator } from '../../../services/drift/loop/evaluate-model.ts'
import { createMonitored } from '../../../services/drift/loop/monitored-models.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { dueWindows } from '../../../services/drift/plan/due-windows.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const MODELS = 200_000

let stream: Pipeline
let drift: ClickHouse

beforeAll(async () => {
  stream = await pipeline()
  drift = stream.connect('drift')
})

const emit = (model: string, hour: number) =>
  stream.predictions(
    Array.from({ length: 60 }, (_, i) => ({
      prediction_id: `${hour}-${i}`,
      model_id: model,
      model_version: '1',
      predicted_at: new Date(START + hour * HOUR + i * 1000).toISOString(),
      features: { x: i % 20 },
    })),
  )

/** Windows of a model by their hours, with the revision that stands. */
const windowsOf = (model: Model) =>
  stream.db.query<{ hour: number; revision: number }>(
    `SELECT toInt32(intDiv(toUnixTimestamp64Milli(window_start) - ${START}, ${HOUR})) AS hour, max(revision) AS revision
     FROM window_revisions WHERE model_id = '${model.modelId}' GROUP BY hour ORDER BY hour`,
  )

test('a window that a store refuses is set aside with a row and a count; the others are evaluated, and it is once it can be', async () => {
  const model = parseModel(
    '{ model_id: refused, task: binary, windows: { size: 1h, lateness: 15m, min_count: 50 } }',
  )
  for (const hour of [0, 1, 2, 3]) await emit(model.modelId, hour)
  let clock = START + 5 * HOUR
  let refuses = true
  const metrics = createMetrics()
  const queries = driftQueries(drift)
  const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} } as never
  const evaluate = createModelEvaluator({
    db: {
      ...drift,
      insertRows: async (table, rows, token) => {
        const isSecond = (row: object) =>
          'window_start' in row && row.window_start === new Date(START + HOUR).toISOString()
        if (refuses && table === 'window_revisions' && rows.some(isSecond))
          throw new Error('a name that the store refuses')
        await drift.insertRows(table, rows, token)
      },
    },
    queries,
    decisions: verdictFeedbackQueries(drift),
    eventLog: { append: async () => {} },
    gauges: createGauges(metrics),
    now: () => clock,
    stateForMs: 0,
    tell: failureTeller(stream.db, metrics, { log, now: Date.now }),
  })
  const pass = async () =>
    evaluate(model, (await queries.progress([model])).get(model.modelId)!, () => true)

  const first = await pass()
  expect(first.failures).toBe(1)
  expect(first.comeBack).toBeGreaterThan(clock)
  expect((await windowsOf(model)).map(({ hour }) => hour)).toEqual([0, 2, 3])
  // Before its time it is left alone.
  expect(await pass()).toEqual({ failures: 0, comeBack: first.comeBack })
  clock = first.comeBack!
  const second = await pass()
  expect(second.comeBack! - clock).toBeGreaterThan(first.comeBack! - (START + 5 * HOUR))
  expect(
    await stream.db.query(
      `SELECT attempts, error, toUnixTimestamp64Milli(window_start) = ${START + HOUR} AS is_second FROM evaluation_failures WHERE model_id = 'refused' ORDER BY attempts`,
    ),
  ).toEqual([
    { attempts: 1, error: 'a name that the store refuses', is_second: 1 },
    { attempts: 2, error: 'a name that the store refuses', is_second: 1 },
  ])
  expect(await metrics.registry.metrics()).toContain('plumbline_evaluation_failures_total 2')

  refuses = false
  clock = second.comeBack!
  expect(await pass()).toEqual({ failures: 0, comeBack: undefined })
  // Its results had been written twice before: it goes on from there.
  expect(await windowsOf(model)).toEqual([
    { hour: 0, revision: 1 },
    { hour: 1, revision: 3 },
    { hour: 2, revision: 1 },
    { hour: 3, revision: 1 },
  ])
})

test('an event of 1990 has a window of its own, and its neighbours of 2026 do not notice', async () => {
  const model = parseModel(
    '{ model_id: ny, task: binary, windows: { size: 1h, timezone: America/New_York, lateness: 0s, idle: 2s, min_count: 1 } }',
  )
  await stream.predictions(
    ['2026-01-01T05:00:00Z', '2026-01-01T05:30:00Z', '1990-01-01T00:00:00Z'].map((at, i) => ({
      prediction_id: `ny${i}`,
      model_id: 'ny',
      model_version: '1',
      predicted_at: at,
      prediction: '1',
      features: { a: i },
    })),
  )
  await evaluateOn(drift, { now: () => Date.now() + HOUR })(model)
  expect(
    await stream.db.query(
      `SELECT toString(window_start) AS start, toString(window_end) AS end, events FROM window_revisions WHERE model_id = 'ny' ORDER BY start`,
    ),
  ).toEqual([
    { start: '1990-01-01 00:00:00.000', end: '1990-01-01 01:00:00.000', events: '1' },
    { start: '2026-01-01 05:00:00.000', end: '2026-01-01 06:00:00.000', events: '2' },
  ])
})

test('a pass evaluates a hundred windows, and comes back for the rest after others had their turn', async () => {
  const model = parseModel(
    '{ model_id: history, task: binary, windows: { size: 1h, lateness: 0s, idle: 1s, min_count: 1 }, references: { baseline: { kind: first, windows: 1, baseline: true } } }',
  )
  const clock = START + 200 * HOUR
  await stream.predictions(
    Array.from({ length: 105 }, (_, hour) => ({
      prediction_id: `history-${hour}`,
      model_id: 'history',
      model_version: '1',
      predicted_at: new Date(START + hour * HOUR).toISOString(),
      prediction: '1',
    })),
  )
  const queries = driftQueries(drift)
  const evaluate = createModelEvaluator({
    db: drift,
    queries,
    decisions: verdictFeedbackQueries(drift),
    eventLog: { append: async () => {} },
    gauges: createGauges(createMetrics()),
    now: () => clock,
  })
  const pass = async (isOwned: () => boolean) =>
    evaluate(model, (await queries.progress([model])).get(model.modelId)!, isOwned)
  const evaluated = async () => (await windowsOf(model)).length

  // A process that stops leaves off before the next window.
  let left = 3
  expect(await pass(() => left-- > 0)).toEqual({ failures: 0, comeBack: undefined })
  expect(await evaluated()).toBe(3)
  expect(await pass(() => true)).toEqual({ failures: 0, comeBack: clock })
  expect(await evaluated()).toBe(103)
  expect(await pass(() => true)).toEqual({ failures: 0, comeBack: undefined })
  expect(await evaluated()).toBe(105)
})

test('ten years of hours with an event a day are as many windows as days', () => {
  const model = parseModel(
    '{ model_id: years, task: binary, windows: { size: 1h, timezone: Europe/Berlin, lateness: 0s } }',
  )
  const days = 3650
  let read = 0
  const steps = Array.from({ length: days }, (_, i) => ({
    step: Date.UTC(2016, 0, 1) + i * 24 * HOUR,
    changes: 0,
    get events() {
      read++
      return 1
    },
  }))
  const progress = { watermark: Infinity, idle: false }
  expect(dueWindows(steps, [], progress, model, Date.UTC(2026, 0, 1))).toHaveLength(days)
  // Once for where windows are, once for what they hold, and one for whether there are any.
  expect(read).toBeLessThanOrEqual(2 * days + 1)
})

test('of invented models as many are evaluated as there is room for, those with the most events', async () => {
  await stream.db.command(
    `INSERT INTO watermarks SELECT concat('invented-', toString(number)), 'predictions.v1', '0', now64(3), now64(3) FROM numbers(${MODELS})`,
  )
  await stream.db.command(
    `INSERT INTO event_counts (model_id, step, events) SELECT concat('invented-', toString(number)), toDateTime('2026-01-01 00:00:00', 'UTC'), 1 FROM numbers(${MODELS})`,
  )
  const metrics = createMetrics()
  const declared = [
    parseModel('{ model_id: invented-199999, task: binary }'),
    parseModel('{ model_id: silent, task: binary }'),
  ]
  const models = { declared, get: (id: string) => declared.find((one) => one.modelId === id)! }
  const monitored = createMonitored(driftQueries(drift), models, metrics, 1000)
  expect(monitored.admits('early')).toBe(true)
  const evaluated = [...(await monitored.list())]
  expect(evaluated).toHaveLength(1001)
  // Those of the tests before have more events than one; of the rest the first names.
  expect(evaluated).toEqual(expect.arrayContaining(['refused', 'ny', 'invented-199999']))
  expect(monitored.admits('refused')).toBe(true)
  expect(monitored.admits('silent')).toBe(true)
  expect(monitored.admits('invented-199998')).toBe(false)
  const all = await driftQueries(drift).modelCount()
  expect(all).toBeGreaterThan(MODELS)
  expect(await metrics.registry.metrics()).toContain(`plumbline_models_not_evaluated ${all - 1001}`)
  // With room for all of them, they are listed all the same.
  const roomy = createMonitored(driftQueries(drift), models, createMetrics(), 1_000_000)
  expect([...(await roomy.list())]).toHaveLength(all)
})
