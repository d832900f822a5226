/**
 * A live model that stops is told of: by a row for each window that passes, a verdict, and gauges;
 * a replayed one is not.
 */
import { beforeAll, expect, test } from 'vitest'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { RECEIVED_AT } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const modelOf = (id: string) =>
  parseModel(
    `{ model_id: ${id}, task: binary, windows: { size: 1h, lateness: 0s, min_count: 20 } }`,
  )
/**
 * When the events of these tests are received; what was predicted in the hour that begins then came
 * when it happened.
 */
const HERE = RECEIVED_AT
const metrics = createMetrics()

let stream: Pipeline
let evaluate: ReturnType<typeof evaluateOn>
let now = 0

beforeAll(async () => {
  stream = await pipeline()
  evaluate = evaluateOn(stream.connect('drift'), { now: () => now, metrics })
})

/** Events of some hours, counted from the current one; about a hundred an hour. */
async function emit(
  modelId: string,
  from: number,
  to: number,
  more: (hour: number, i: number) => object = () => ({}),
) {
  await stream.predictions(
    Array.from({ length: to - from }, (_, k) => from + k).flatMap((hour) =>
      Array.from({ length: 95 + ((hour + 400) % 7) }, (_, i) => ({
        prediction_id: `${hour}-${i}`,
        model_id: modelId,
        model_version: '1',
        predicted_at: new Date(HERE + hour * HOUR + (i * HOUR) / 102).toISOString(),
        features: { x: i % 10 },
        latency_ms: 5,
        ...more(hour, i),
      })),
    ),
  )
}

const rows = (modelId: string, hour: number) =>
  stream.db.query<{ metric: string; value: number | null; verdict: string; reason: string }>(
    `SELECT metric, value, verdict, reason FROM window_metrics_latest
     WHERE model_id = {model:String} AND window_start = {start:DateTime64(3, 'UTC')} AND slice_key = ''
       AND model_version = '' AND verdict != 'none' ORDER BY family DESC, metric`,
    {
      model: modelId,
      start: new Date(HERE + hour * HOUR).toISOString().slice(0, -1).replace('T', ' '),
    },
  )
const alarms = (modelId: string) =>
  stream.db.query<{ metric: string; severity: string }>(
    'SELECT metric, severity FROM active_alarms WHERE model_id = {model:String}',
    { model: modelId },
  )

test('each window that passes gets a row: throughput 0 alarms, the rest reads incomplete', async () => {
  const model = modelOf('stopped')
  await emit('stopped', -20, 1)
  now = HERE + 3 * HOUR
  await evaluate(model)
  for (const hour of [1, 2]) {
    const found = await rows('stopped', hour)
    expect(found.find(({ metric }) => metric === 'throughput_per_s')).toMatchObject({
      value: 0,
      verdict: 'alarm',
      reason: expect.stringMatching(
        /^no event where 95 to 101 came in \d+ windows before; silent since /,
      ),
    })
    const others = found.filter(({ metric }) => metric !== 'throughput_per_s')
    expect(others.length).toBeGreaterThan(0)
    expect(new Set(others.map(({ verdict }) => verdict))).toEqual(new Set(['incomplete']))
  }
  expect(await alarms('stopped')).toEqual([{ metric: 'throughput_per_s', severity: 'alarm' }])
  const gauges = await metrics.registry.metrics()
  expect(gauges).toMatch(
    /^plumbline_verdicts\{model_id="stopped",model_version="",[^}]*family="drift",verdict="incomplete"\} [1-9]/m,
  )
})

test('looking again writes nothing; events that come after all end the alarm', async () => {
  const model = modelOf('stopped')
  const count = async () =>
    (await stream.db.query<{ n: string }>('SELECT count() AS n FROM window_revisions'))[0]!.n
  const before = await count()
  await evaluate(model)
  expect(await count()).toBe(before)
  await emit('stopped', 1, 3)
  // A restated window rests for a while.
  now += 60_000
  await evaluate(model)
  expect(
    (await rows('stopped', 2)).find(({ metric }) => metric === 'throughput_per_s'),
  ).toMatchObject({ verdict: 'ok' })
  expect((await alarms('stopped')).filter(({ metric }) => metric === 'throughput_per_s')).toEqual(
    [],
  )
})

test('a model that is new says that it learns; one that is replayed has no silence', async () => {
  await emit('new', -2, 1)
  await emit('replayed', -400, -380)
  now = HERE + 3 * HOUR
  await evaluate(modelOf('new'))
  await evaluate(modelOf('replayed'))
  expect((await rows('new', 1)).find(({ metric }) => metric === 'throughput_per_s')).toMatchObject({
    verdict: 'incomplete',
    reason: expect.stringContaining('learning what is usual, window 4 of 8; silent since'),
  })
  expect(await rows('replayed', -379)).toEqual([])
})

const pods = (of: (hour: number) => string[]) => (hour: number, i: number) => ({
  producer: { id: of(hour)[i % of(hour).length]!, sequence: (hour + 400) * 200 + i },
})
const senders = (modelId: string, hour: number) =>
  stream.db.query<{ subject: string; verdict: string; reason: string }>(
    `SELECT subject, verdict, reason FROM window_metrics_latest
     WHERE model_id = {model:String} AND window_start = {start:DateTime64(3, 'UTC')} AND slice_key = '' AND subject LIKE '%=%'
       AND model_version = '' AND family = 'operations' ORDER BY subject`,
    {
      model: modelId,
      start: new Date(HERE + hour * HOUR).toISOString().slice(0, -1).replace('T', ' '),
    },
  )

test('a producer that falls silent beside others is told by name, and leaves after three windows', async () => {
  const model = modelOf('pods')
  const all = ['pod-6', 'pod-7', 'pod-8']
  await emit('pods', -20, 1, (hour, i) => {
    const isOfSeven = all[i % 3] === 'pod-7'
    return hour >= -5 && isOfSeven ? {} : pods(() => all)(hour, i)
  })
  now = HERE + 1.5 * HOUR
  await evaluate(model)
  const of = async (hour: number) =>
    (await senders('pods', hour)).find(({ subject }) => subject === 'producer=pod-7')
  expect(await of(-6)).toMatchObject({ verdict: 'ok' })
  // Its events came all the same, without a name: the model has as many as ever.
  expect(await of(-5)).toMatchObject({
    verdict: 'warning',
    reason: expect.stringMatching(
      /^producer pod-7 has sent nothing since .* UTC; 3[12] to 3[34] events/,
    ),
  })
  expect(await of(-2)).toMatchObject({ reason: expect.stringMatching(/^ended: producer pod-7/) })
  expect(await of(-1)).toBeUndefined()
  expect((await alarms('pods')).filter(({ metric }) => metric === 'throughput_per_s')).toEqual([])
})

test('a release that replaces every producer is no silence', async () => {
  const model = modelOf('released')
  await emit(
    'released',
    -20,
    1,
    pods((hour) => (hour < -3 ? ['old-1', 'old-2'] : ['new-1', 'new-2'])),
  )
  now = HERE + 1.5 * HOUR
  await evaluate(model)
  const found = await senders('released', -3)
  expect(found.map(({ subject, verdict }) => [subject, verdict])).toEqual([
    ['producer=old-1', 'ok'],
    ['producer=old-2', 'ok'],
  ])
})

test('an alarm of what is evaluated no more ends with a reason', async () => {
  const model = modelOf('renamed')
  await emit('renamed', -20, 1)
  const at = (hour: number) => new Date(HERE + hour * HOUR).toISOString()
  const row = (metric: string, subject: string, hour: number) => ({
    verdict_id: `${metric} ${subject}`,
    model_id: 'renamed',
    window_start: at(hour - 1),
    window_end: at(hour),
    family: 'drift',
    metric,
    subject,
    convention: 'plumbline',
    verdict: 'alarm',
    revision: 1,
    computed_at: at(hour),
  })
  await stream.db.insertRows('verdicts', [row('psi', 'old_name', -5), row('psi', 'young', 0)], 'x')
  now = HERE + 1.5 * HOUR
  await evaluate(model)
  const active = await stream.db.query<{ subject: string }>(
    "SELECT subject FROM active_alarms WHERE model_id = 'renamed' AND metric = 'psi' AND model_version = ''",
  )
  expect(active).toEqual([{ subject: 'young' }])
  const [ended] = await stream.db.query<{ reason: string }>(
    "SELECT reason FROM verdicts_latest WHERE model_id = 'renamed' AND subject = 'old_name' AND verdict = 'none'",
  )
  expect(ended?.reason).toMatch(/^ended: not evaluated in the last 3 windows/)
})

test('a label horizon is learned from how long labels took, once, and windows then wait for them', async () => {
  const MINUTE = 60_000
  const model = parseModel(
    '{ model_id: learner, task: binary, windows: { size: 15m, lateness: 0s, min_count: 20 } }',
  )
  const at = async (time: number) => {
    now = time
    await evaluate(model)
  }
  const label = (hours: readonly number[], value: string, count = 95) =>
    stream.labels(
      hours.flatMap((hour) =>
        Array.from({ length: count }, (_, i) => ({
          label_id: `${value}-${hour}-${i}`,
          model_id: 'learner',
          prediction_id: `${hour}-${i}`,
          label: value,
          labelled_at: new Date(HERE + (value === '1' ? 1 : 2)).toISOString(),
          source: 'ground_truth',
        })),
      ),
    )
  const accuracy = (start: number) =>
    stream.db.query(
      `SELECT value, verdict, label_maturity FROM window_metrics_latest WHERE model_id = 'learner' AND metric = 'accuracy' AND toUnixTimestamp64Milli(window_start) = ${start}`,
    )
  const learned = () =>
    stream.db.query<{ minutes: number; windows: number }>(
      `SELECT horizon_ms / ${MINUTE} AS minutes, windows FROM label_horizons WHERE model_id = 'learner'`,
    )
  // Windows of the three hours before events are received here, evaluated as they close; their
  // labels come all at once: 99 of 100 within three hours, and no eleventh more.
  for (const hour of [-3, -2, -1]) {
    await emit('learner', hour, hour + 1, () => ({ prediction: '1' }))
    await at(HERE + (hour + 1) * HOUR + MINUTE)
  }
  await label([-3, -2, -1], '1')
  await at(HERE + 8 * HOUR)
  const [horizon, ...others] = await learned()
  expect(others).toEqual([])
  expect(horizon!.windows).toBeGreaterThanOrEqual(8)
  expect(horizon!.minutes).toBeGreaterThan(170)
  expect(horizon!.minutes).toBeLessThan(200)
  // What was mature before stays so, and labels restate it.
  expect(await accuracy(HERE - 3 * HOUR)).toMatchObject([{ value: 1, label_maturity: 1 }])
  await emit('learner', 8, 9, () => ({ prediction: '1' }))
  await label([8], '1')
  await at(HERE + 9 * HOUR + MINUTE)
  const young = { value: 1, verdict: 'incomplete', label_maturity: 0 }
  expect(await accuracy(HERE + 8 * HOUR)).toMatchObject([young])
  await label([-3], '0', 10)
  await at(HERE + 13 * HOUR)
  expect(await accuracy(HERE + 8 * HOUR)).toMatchObject([{ value: 1, label_maturity: 1 }])
  const [restated] = (await accuracy(HERE - 3 * HOUR)) as { value: number }[]
  expect(restated!.value).toBeLessThan(0.7)
  expect(await learned()).toEqual([horizon])
})
