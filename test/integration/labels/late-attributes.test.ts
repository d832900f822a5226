/** Protected attributes that come apart from predictions: before them, after them, in any order. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import {
  lateAttributes,
  type LateAttributes,
} from '../../../services/feedback/loop/late-attributes.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const modelOf = (modelId: string) =>
  parseModel(`
model_id: ${modelId}
task: binary
windows: { size: 1h, min_count: 10 }
fairness: { attributes: { sex: { privileged: '1' } }, favorable: '1' }
slices: [region]
`)

let stream: Pipeline
let late: LateAttributes
let evaluate: ReturnType<typeof evaluateOn>
let now = START + 10 * HOUR

beforeAll(async () => {
  stream = await pipeline()
  late = lateAttributes(stream.connect('late'))
  evaluate = evaluateOn(stream.connect('drift'), { now: () => now })
})

const predict = (model: string, count: number) =>
  stream.predictions(
    Array.from({ length: count }, (_, i) => ({
      prediction_id: `${model}-${i}`,
      model_id: model,
      model_version: '1',
      predicted_at: new Date(START + i * 1000).toISOString(),
      subject_id: `${model}-subject-${i}`,
      prediction: i % 4 === 0 ? '0' : '1',
      attributes: i === 0 ? { sex: '1' } : {},
    })),
  )
const describe = (events: readonly Record<string, unknown>[]) =>
  stream.attributes(events.map((event) => ({ observed_at: '2026-01-06T00:00:00Z', ...event })))

const selection = (model: string) =>
  stream.db.query(
    `SELECT subject, n_current AS n, revision FROM window_metrics_latest WHERE model_id = '${model}' AND metric = 'selection_rate' AND isNotNull(value) ORDER BY subject`,
  )

test('what comes later restates the windows of its predictions, and goes before what the event said', async () => {
  await predict('later', 40)
  await evaluate(modelOf('later'))
  expect(await selection('later')).toEqual([
    { subject: 'sex=(missing)', n: '39', revision: 1 },
    { subject: 'sex=1', n: '1', revision: 1 },
  ])
  await describe([
    // The event said 1; a later observation is a correction.
    { prediction_id: 'later-0', attributes: { sex: '2' } },
    ...Array.from({ length: 30 }, (_, i) => ({
      subject_id: `later-subject-${i + 1}`,
      attributes: { sex: i % 2 === 0 ? '1' : '2', region: 'north' },
    })),
    { subject_id: 'nobody', attributes: { sex: '1' } },
  ])
  expect(await late.resolve()).toEqual({ models: ['later'], more: false })
  expect(await late.resolve()).toEqual({ models: [], more: false })
  now += 20_000
  await evaluate(modelOf('later'))
  expect(await selection('later')).toEqual([
    { subject: 'sex=(missing)', n: '9', revision: 2 },
    { subject: 'sex=1', n: '15', revision: 2 },
    { subject: 'sex=2', n: '16', revision: 2 },
  ])
  expect(
    await stream.db.query(
      `SELECT slice_value, value * 3600 AS events FROM window_metrics_latest WHERE model_id = 'later' AND metric = 'throughput_per_s' AND slice_key = 'region'`,
    ),
  ).toEqual([{ slice_value: 'north', events: 30 }])
  // A slice that is there already grows.
  await describe([{ subject_id: 'later-subject-35', attributes: { region: 'north' } }])
  await late.resolve()
  now += 20_000
  await evaluate(modelOf('later'))
  expect(
    await stream.db.query(
      `SELECT slice_value, value * 3600 AS events FROM window_metrics_latest WHERE model_id = 'later' AND metric = 'throughput_per_s' AND slice_key = 'region'`,
    ),
  ).toEqual([{ slice_value: 'north', events: 31 }])
})

test('what comes before its predictions needs no restating', async () => {
  await describe([{ subject_id: 'early-subject-3', attributes: { sex: '2' } }])
  expect((await late.resolve()).models).toEqual([])
  await predict('early', 20)
  await evaluate(modelOf('early'))
  expect(await selection('early')).toEqual([
    { subject: 'sex=(missing)', n: '18', revision: 1 },
    { subject: 'sex=1', n: '1', revision: 1 },
    { subject: 'sex=2', n: '1', revision: 1 },
  ])
})

test('in any order, told any number of times, the newest observation counts', async () => {
  const told = Array.from({ length: 8 }, (_, i) => ({
    observed_at: new Date(START + (i % 5) * HOUR).toISOString(),
    attributes: { sex: String(i), ...(i < 2 && { region: `r${i}` }) },
  }))
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...told, ...told], { minLength: 16, maxLength: 16 }),
      async (order) => {
        const subject = `shuffled-${run++}`
        await describe(order.map((event) => ({ subject_id: subject, ...event })))
        // Newest are 4 of the sexes, and r1, of the second hour.
        expect(
          await stream.db.query(
            'SELECT name, value FROM attributes_latest WHERE subject_id = {subject:String} ORDER BY name',
            { subject },
          ),
        ).toEqual([
          { name: 'region', value: 'r1' },
          { name: 'sex', value: '4' },
        ])
      },
    ),
    { numRuns: 10 },
  )
})

test('attributes of nobody are refused, with the sentence what is missing', async () => {
  await describe([{ attributes: { sex: '1' } }])
  expect(
    await stream.db.query(
      `SELECT reason, message FROM dead_letters WHERE topic = 'plumbline.attributes.v1'`,
    ),
  ).toEqual([{ reason: 'missing_field', message: 'subject_id or prediction_id is required' }])
})
