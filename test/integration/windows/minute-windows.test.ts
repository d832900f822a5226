/** Windows of minutes: counts are kept per 1 or 5 minutes, and merge with those of 15. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { timeBucketMs } from '../../../lib/models/windows.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 5)
const models = new Map(
  ['{ size: 1m }', '{ size: 10m, slide: 5m }', '{ size: 1h }'].map((windows, i) => {
    const modelId = `w${i}`
    const text = `{ model_id: ${modelId}, task: binary, windows: ${windows.replace('}', ', lateness: 0s, min_count: 10 }')} }`
    return [modelId, parseModel(text)]
  }),
)
/** Whether models have their files yet. */
let isDeclared = true
let stream: Pipeline
let evaluate: ReturnType<typeof evaluateOn>

beforeAll(async () => {
  stream = await pipeline({
    bucketOf: (modelId) => (isDeclared ? timeBucketMs(models.get(modelId)!.windows) : 15 * MINUTE),
  })
  evaluate = evaluateOn(stream.connect('drift'), { now: () => START + 50 * 60 * MINUTE })
})

const event = (modelId: string, minute: number, i: number) => ({
  prediction_id: `${minute}-${i}`,
  model_id: modelId,
  model_version: '1',
  predicted_at: new Date(START + minute * MINUTE + i * 1000).toISOString(),
  prediction: '1',
  features: { x: minute + i / 100 },
  attributes: { region: 'north' },
  producer: { id: 'p', sequence: 100 * minute + i },
})

const emit = (modelId: string, from: number, to: number) =>
  stream.predictions(
    Array.from({ length: to - from }, (_, m) => from + m).flatMap((minute) =>
      // As many as the number of the minute says, so that no two windows are alike.
      Array.from({ length: 10 + (minute % 40) }, (_, i) => event(modelId, minute, i)),
    ),
  )

const eventsBetween = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, m) => 10 + ((from + m) % 40)).reduce((a, b) => a + b, 0)

const evaluated = (modelId: string) =>
  stream.db.query<{ from: number; to: number; events: number }>(
    `SELECT toInt32(dateDiff('minute', toDateTime64({start:String}, 3, 'UTC'), window_start)) AS from, toInt32(dateDiff('minute', toDateTime64({start:String}, 3, 'UTC'), window_end)) AS to,
       toUInt32(argMax(events, revision)) AS events
     FROM window_revisions WHERE model_id = {model:String} AND slice_key = '' AND model_version = '' GROUP BY window_start, window_end ORDER BY window_start`,
    { model: modelId, start: '2026-01-05 00:00:00' },
  )

test('each window of a minute, and of ten by five, holds its own events', async () => {
  for (const modelId of ['w0', 'w1']) {
    await emit(modelId, 0, 31)
    await evaluate(models.get(modelId)!)
  }
  const minutes = await evaluated('w0')
  expect(minutes.length).toBeGreaterThanOrEqual(30)
  const fives = await evaluated('w1')
  expect(fives.length).toBeGreaterThanOrEqual(5)
  for (const { from, to, events } of [...minutes, ...fives])
    expect([from, to, events]).toEqual([
      from,
      to,
      eventsBetween(Math.max(0, from), Math.min(31, to)),
    ])
  expect(minutes.map(({ from, to }) => to - from)).toEqual(minutes.map(() => 1))

  const counted = await stream.db.query<{ metric: string; n: string; value: number }>(
    `SELECT metric, toString(n_current) AS n, value FROM window_metrics_latest
     WHERE model_id = 'w0' AND slice_value = '' AND model_version = '' AND window_start = '2026-01-05 00:07:00' AND metric IN ('duplicate_ratio', 'throughput_per_s') ORDER BY metric`,
  )
  expect(counted).toEqual([
    { metric: 'duplicate_ratio', n: '17', value: 0 },
    { metric: 'throughput_per_s', n: '17', value: 17 / 60 },
  ])
})

test('a changed truth restates the minute it belongs to, and no other', async () => {
  await stream.labels([
    {
      label_id: 'late',
      model_id: 'w0',
      prediction_id: '7-0',
      label: '1',
      labelled_at: new Date(START).toISOString(),
      source: 'ground_truth',
    },
  ])
  await evaluate(models.get('w0')!)
  const restated = await stream.db.query<{ minute: number }>(
    `SELECT DISTINCT toMinute(window_start) AS minute FROM window_revisions WHERE model_id = 'w0' AND revision > 1`,
  )
  expect(restated).toEqual([{ minute: 7 }])
})

test('counts of 15 minutes make no windows of minutes, and longer windows are sums of both', async () => {
  isDeclared = false
  await stream.predictions(Array.from({ length: 50 }, (_, i) => event('w0', 60 * 24 + i, 0)))
  await emit('w2', 0, 30)
  isDeclared = true
  await emit('w2', 30, 61)
  await evaluate(models.get('w0')!)
  await evaluate(models.get('w2')!)
  expect((await evaluated('w0')).every(({ from }) => from < 60 * 24)).toBe(true)
  const [hour] = await evaluated('w2')
  expect(hour).toMatchObject({ from: 0, to: 60, events: eventsBetween(0, 60) })
})
