/** Windows on a real engine: evaluated once closed, restated when data changes, never silently. */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { Sink } from '../../../lib/sink/sink.ts'
import { createJoin, type Join } from '../../../services/feedback/loop/join.ts'
import { LABEL_MAPPINGS } from '../../../services/feedback/data/label-rows.ts'
import { PREDICTION_MAPPINGS } from '../../../services/ingest/data/prediction-rows.ts'
import { migratedClickHouse, rangeOf, sinkOn } from '../../harness.ts'
import { evaluateOn } from '../../evaluating.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 1)
const model = parseModel(`
model_id: m
task: binary
windows: { size: 1h, lateness: 15m, min_count: 100 }
labels: { horizon: 1h }
references: { baseline: { kind: first, windows: 1, baseline: true }, recent: { kind: trailing } }
fairness: { attributes: { sex: { privileged: '1' } }, favorable: '1' }
`)

let db: ClickHouse
let predictions: Sink
let labels: Sink
let join: Join
let evaluate: () => Promise<unknown>
let evaluateOther: (other: typeof model) => Promise<unknown>
/** What happens before ground truth is read of a window. */
let beforeTruth: () => Promise<void> = async () => {}
let offset = 0
const published: string[] = []
const metrics = createMetrics()
/** Far enough on the wall clock that every partition is idle, unless a test says otherwise. */
let now = START + 100 * HOUR
/** How long it takes to publish, on that clock. */
let publishing = 0

beforeAll(async () => {
  const opened = await migratedClickHouse()
  db = opened.db
  predictions = sinkOn(db, opened.directory, 'ingest', PREDICTION_MAPPINGS[0])
  labels = sinkOn(db, `${opened.directory}/l`, 'feedback', LABEL_MAPPINGS[0])
  join = createJoin(opened.engine.connect('join'), { declared: [] })
  evaluateOther = evaluateOn(opened.engine.connect('drift'), {
    now: () => now,
    metrics,
    append: async (_, messages) => {
      published.push(...messages.map((m) => m.value.toString()))
      now += publishing
    },
    between: (queries) => ({
      ...queries,
      outcomes: async (...asked) => {
        await beforeTruth()
        return queries.outcomes(...asked)
      },
    }),
  })
  evaluate = () => evaluateOther(model)
})

async function emit(
  hour: number,
  count: number,
  shift: number,
  more: Record<string, unknown> = {},
) {
  const events = Array.from({ length: count }, (_, i) => ({
    prediction_id: `${hour}-${more['id'] ?? ''}${i}`,
    model_id: 'm',
    model_version: '1',
    predicted_at: new Date(START + hour * HOUR + Math.floor((i * HOUR) / count)).toISOString(),
    prediction: i % 2 === 0 ? '1' : '0',
    score: (i % 100) / 100,
    latency_ms: 10 + (i % 10),
    attributes: { sex: i % 4 < 2 ? '1' : '2' },
    features: {
      x: ((i * 37) % 200) / 200 + shift,
      color: shift > 0 ? 'blue' : ['red', 'green'][i % 2],
      empty: null,
    },
    ...more,
  }))
  await predictions.store(
    rangeOf(
      'plumbline.predictions.v1',
      predictions.mapping,
      events.map((e) => JSON.stringify(e)),
      offset,
    ),
  )
  offset += count
}

async function emitLabels(hour: number, count: number, truth: (i: number) => string, id = '') {
  const events = Array.from({ length: count }, (_, i) => ({
    label_id: `${hour}-${i}-${offset}`,
    model_id: 'm',
    prediction_id: `${hour}-${id}${i}`,
    label: truth(i),
    labelled_at: new Date(START + (hour + 1) * HOUR + offset).toISOString(),
    source: 'ground_truth',
  }))
  await labels.store(
    rangeOf(
      'plumbline.labels.v1',
      labels.mapping,
      events.map((e) => JSON.stringify(e)),
      offset,
    ),
  )
  offset += count
  await join.resolve()
}

const results = async (hour: number, where: string) =>
  db.query<{
    verdict: string
    value: number | null
    revision: number
    reason: string
    subject: string
    ci_low: number
    ci_high: number
  }>(
    `SELECT verdict, value, revision, reason, subject, ci_low, ci_high FROM window_metrics_latest WHERE toUnixTimestamp64Milli(window_start) = {start:Int64} AND convention = 'plumbline' AND method != 'poststratified' AND ${where} ORDER BY subject`,
    { start: START + hour * HOUR },
  )

test('the first complete window becomes the baseline; the same data again is ok, moved data alarms', async () => {
  await emit(0, 400, 0)
  await emit(1, 400, 0)
  await emit(2, 400, 0.5)
  await evaluate()
  expect(await results(0, `metric = 'psi' AND reference = 'baseline'`)).toEqual([])
  expect(
    await results(1, `metric = 'psi' AND subject = 'x' AND reference = 'baseline'`),
  ).toMatchObject([{ verdict: 'ok', value: 0, revision: 1 }])
  expect(
    await results(2, `metric = 'psi' AND subject = 'x' AND reference = 'baseline'`),
  ).toMatchObject([{ verdict: 'alarm' }])
  expect(
    await results(2, `metric = 'ks' AND subject = 'x' AND reference = 'baseline'`),
  ).toMatchObject([{ verdict: 'alarm', value: 0.5 }])
  expect(
    await results(2, `metric = 'new_category_ratio' AND reference = 'baseline'`),
  ).toMatchObject([{ subject: 'color', value: 1, reason: 'new: blue' }])
  expect(await results(2, `metric = 'latency_p50_ms'`)).toMatchObject([{ value: 14 }])
  expect(published.length).toBeGreaterThan(0)
  expect(await metrics.registry.metrics()).toMatch(
    /plumbline_verdict\{model_id="m",[^}]*subject="x"[^}]*metric="psi"[^}]*\} 2/,
  )
})

test('too few events are incomplete, never ok; values are written all the same', async () => {
  await emit(3, 50, 0)
  await evaluate()
  expect(
    await results(3, `metric = 'psi' AND subject = 'x' AND reference = 'baseline'`),
  ).toMatchObject([{ verdict: 'incomplete', reason: '50 events, below min_count 100' }])
  expect(
    (await results(3, `metric = 'psi' AND subject = 'x' AND reference = 'baseline'`))[0]!.value,
  ).not.toBeNull()
})

test('nothing is written when nothing has changed; a late event restates with a higher revision', async () => {
  const revisions = () => db.query<{ n: string }>('SELECT count() AS n FROM window_revisions')
  const before = await revisions()
  await evaluate()
  expect(await revisions()).toEqual(before)
  await emit(1, 10, 0, { id: 'late-' })
  await evaluate()
  expect(await results(1, `metric = 'throughput_per_s'`)).toMatchObject([
    { value: 410 / 3600, revision: 2 },
  ])
  expect(
    await db.query(
      `SELECT max(revision) AS r FROM window_revisions WHERE toUnixTimestamp64Milli(window_start) = ${START}`,
    ),
  ).toEqual([{ r: 1 }])
})

test('late truth restates performance and fairness alone, and an alarm is told apart from too few labels', async () => {
  await emitLabels(1, 400, (i) => (i % 2 === 0 ? '1' : '0'))
  // A window is restated at most once in ten seconds.
  await evaluate()
  expect(await results(1, `metric = 'accuracy'`)).toEqual([])
  now += 20_000
  await evaluate()
  expect(await results(1, `metric = 'accuracy'`)).toMatchObject([
    { value: 1, verdict: 'incomplete', revision: 3, reason: 'the reference has no such number' },
  ])
  expect(await results(1, `metric = 'throughput_per_s'`)).toMatchObject([{ revision: 2 }])
  await emitLabels(0, 400, (i) => (i % 2 === 0 ? '1' : '0'))
  await emitLabels(2, 400, (i) => (i % 10 < 6 ? '1' : '0'))
  now += 20_000
  await evaluate()
  const [accuracy] = await results(2, `metric = 'accuracy'`)
  // 1 of every 5 with an even i is wrong (i % 10 in 6, 8) and so is every odd i below 6 of ten: 1,
  // 3, 5.
  expect(accuracy).toMatchObject({ verdict: 'alarm', value: 0.5 })
  expect(accuracy!.ci_low).toBeLessThan(0.5)
  expect(accuracy!.ci_high).toBeGreaterThan(0.5)
  expect(
    (await results(2, `metric = 'statistical_parity_difference'`)).map((f) => f.subject),
  ).toEqual(['sex=2'])
})

test('a window rests ten times as long as its restatement took', async () => {
  const accuracy = async () => (await results(2, `metric = 'accuracy'`))[0]!.value
  publishing = 5000
  await emitLabels(2, 400, () => '1')
  now += 20_000
  await evaluate()
  publishing = 0
  expect(await accuracy()).toBe(0.5)
  await emitLabels(2, 400, (i) => (i % 2 === 0 ? '1' : '0'))
  now += 45_000
  await evaluate()
  expect(await accuracy()).toBe(0.5)
  now += 10_000
  await evaluate()
  expect(await accuracy()).toBe(1)
})

test('a second version is evaluated on its own, a shadow only there', async () => {
  await emit(5, 300, 0)
  await emit(5, 200, 0.5, { id: 's', shadow: true, model_version: '2' })
  await evaluate()
  const versions = await db.query(
    `SELECT model_version, value FROM window_metrics_latest WHERE metric = 'throughput_per_s' AND toUnixTimestamp64Milli(window_start) = ${START + 5 * HOUR} ORDER BY model_version`,
  )
  expect(versions).toEqual([
    { model_version: '', value: 300 / 3600 },
    { model_version: '1', value: 300 / 3600 },
    { model_version: '2', value: 200 / 3600 },
  ])
})

test('regression: errors with intervals, and a rise of more than a tenth alarms', async () => {
  const regression = parseModel(
    `model_id: r
task: regression
windows: { size: 1h, lateness: 15m, min_count: 100 }
references: { baseline: { kind: first, windows: 1, baseline: true } }`,
  )
  const truth = (i: number) => (i * 7919) % 101
  for (const [hour, error] of [
    [0, 1],
    [1, 1],
    [2, 3],
  ] as const) {
    const events = Array.from({ length: 200 }, (_, i) => ({
      prediction_id: `r${hour}-${i}`,
      model_id: 'r',
      model_version: '1',
      predicted_at: new Date(START + hour * HOUR + i * 15_000).toISOString(),
      prediction: truth(i) + (i % 2 === 0 ? error : -error) * (1 + (i % 5) / 10),
    }))
    await predictions.store(
      rangeOf(
        'plumbline.predictions.v1',
        predictions.mapping,
        events.map((e) => JSON.stringify(e)),
        offset,
      ),
    )
    offset += 200
    const truths = events.map((e, i) => ({
      label_id: e.prediction_id,
      model_id: 'r',
      prediction_id: e.prediction_id,
      label: truth(i),
      labelled_at: e.predicted_at,
      source: 'ground_truth',
    }))
    await labels.store(
      rangeOf(
        'plumbline.labels.v1',
        labels.mapping,
        truths.map((e) => JSON.stringify(e)),
        offset,
      ),
    )
    offset += 200
  }
  await join.resolve()
  await evaluateOther(regression)
  const rows = await db.query<{
    metric: string
    value: number
    verdict: string
    ci_low: number
    ci_high: number
  }>(
    `SELECT metric, value, verdict, ci_low, ci_high FROM window_metrics_latest WHERE model_id = 'r' AND family = 'performance' AND toUnixTimestamp64Milli(window_start) = ${START + 2 * HOUR} ORDER BY metric`,
  )
  const byName = Object.fromEntries(rows.map((row) => [row.metric, row]))
  // Errors are 3 times 1, 1.1, 1.2, 1.3 and 1.4, evenly.
  expect(byName['mae']).toMatchObject({ verdict: 'alarm' })
  expect(byName['mae']!.value).toBeCloseTo(3.6, 9)
  expect(byName['rmse']!.value).toBeCloseTo(3 * Math.sqrt((1 + 1.21 + 1.44 + 1.69 + 1.96) / 5), 9)
  expect(byName['mae']!.ci_low).toBeLessThan(3.6)
  expect(byName['r2']!.value).toBeGreaterThan(0.9)
  expect(byName['accuracy']).toBeUndefined()
})

test('no number in the table is NaN or infinite', async () => {
  expect(
    await db.query(
      `SELECT count() AS n FROM window_metrics WHERE isNaN(value) OR isInfinite(value) OR isNaN(ci_low) OR isNaN(ci_high) OR isNaN(p_value)`,
    ),
  ).toEqual([{ n: '0' }])
})

/** How many events, and labels, the facts of a revision are of. */
async function factsOf(hour: number) {
  const [revision] = await db.query<{ events: string; revision: number }>(
    "SELECT events, revision FROM window_revisions WHERE toUnixTimestamp64Milli(window_start) = {start:Int64} AND model_version = '' AND slice_key = '' ORDER BY revision DESC LIMIT 1",
    { start: START + hour * HOUR },
  )
  const counts = await db.query<{ metric: string; n_current: string; n_labelled: string }>(
    "SELECT metric, n_current, n_labelled FROM window_metrics_latest WHERE toUnixTimestamp64Milli(window_start) = {start:Int64} AND method = 'observed' AND model_version = '' AND slice_key = '' AND ((metric = 'missing_ratio' AND subject = 'x') OR metric = 'accuracy')",
    { start: START + hour * HOUR },
  )
  const of = (metric: string) => counts.find((one) => one.metric === metric)!
  return {
    revision: revision!.revision,
    events: Number(revision!.events),
    counted: Number(of('missing_ratio').n_current),
    labelled: Number(of('accuracy').n_labelled),
  }
}

/** Events with labels that come into an hour while it is being evaluated, `times` times. */
function comingInto(hour: number, count: number, times: number) {
  let left = times
  beforeTruth = async () => {
    if (left-- <= 0) return
    await emit(hour, count, 0, { id: `late${left}-` })
    await emitLabels(hour, count, (i) => (i % 2 === 0 ? '1' : '0'), `late${left}-`)
  }
}

test('what comes between two reads of a window makes it read again: a revision has facts of one state', async () => {
  await emit(60, 200, 0)
  await emitLabels(60, 200, (i) => (i % 2 === 0 ? '1' : '0'))
  now += 100 * HOUR
  comingInto(60, 50, 1)
  await evaluate()
  expect(await factsOf(60)).toEqual({ revision: 1, events: 250, counted: 250, labelled: 250 })
})

test('a window that changes at every read is read three times, published, and due again', async () => {
  await emit(61, 200, 0)
  await emitLabels(61, 200, (i) => (i % 2 === 0 ? '1' : '0'))
  now += 100 * HOUR
  comingInto(61, 10, 3)
  await evaluate()
  const torn = await factsOf(61)
  expect(torn).toMatchObject({ revision: 1, events: 220, labelled: 230 })
  now += 100 * HOUR
  await evaluate()
  expect(await factsOf(61)).toEqual({ revision: 2, events: 230, counted: 230, labelled: 230 })
})
