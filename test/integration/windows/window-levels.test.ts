/**
 * Performance and operations of a model whose reference has windows enough to tell how much they
 * differ anyway.
 */
import { beforeAll, expect, test } from 'vitest'
import { normals } from '../../../bench/streams.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const iso = (ms: number) => new Date(ms).toISOString()
const day = (n: number) => iso(START + n * DAY)
const EVENTS = 300

const modelOf = (id: string, days: number) =>
  parseModel(`
model_id: ${id}
task: binary
windows: { size: 1d, lateness: 1h, min_count: 100 }
references:
  training: { kind: fixed, from: ${day(0)}, to: ${day(days)}, baseline: true }
`)
const model = modelOf('m', 10)

const uniform = uniforms(3)
const normal = normals(uniform)
let on: Pipeline
let evaluate: ReturnType<typeof evaluateOn>

interface Moved {
  accuracy?: number
  latency?: number
  firstToken?: number
  errors?: number
  labelled?: boolean
  modelId?: string
}

/** Days differ: accuracy by 0.02, times by a tenth. */
async function emit(
  n: number,
  {
    accuracy = 0.85,
    latency = 40,
    firstToken = 8,
    errors = 0.01,
    labelled = true,
    modelId = 'm',
  }: Moved,
) {
  const right = accuracy + 0.02 * normal()
  const slow = latency * Math.exp(0.1 * normal())
  const events = Array.from({ length: EVENTS }, (_, i) => ({
    prediction_id: `${n}-${i}`,
    model_id: modelId,
    model_version: '1',
    predicted_at: iso(START + n * DAY + (i * DAY) / EVENTS),
    prediction: i % 2 === 0 ? '1' : '0',
    latency_ms: slow * Math.exp(0.3 * normal()),
    time_to_first_token_ms: (slow / latency) * firstToken * Math.exp(0.3 * normal()),
    output_tokens: 10 + (i % 5),
    status: uniform() < errors ? 'error' : 'ok',
  }))
  await on.predictions(events)
  if (!labelled) return
  await on.labels(
    events.map(({ prediction_id, prediction, predicted_at }) => ({
      label_id: prediction_id,
      model_id: modelId,
      prediction_id,
      label: uniform() < right ? prediction : prediction === '1' ? '0' : '1',
      labelled_at: predicted_at,
      source: 'ground_truth',
    })),
  )
}

const TIMES = ['latency_p95_ms', 'time_to_first_token_p95_ms', 'output_tokens_per_s']
const told = (n: number, metric: string, modelId = 'm') =>
  on.db
    .query<{ verdict: string; p_value: number | null; p_adjusted: number | null; reason: string }>(
      `SELECT verdict, p_value, p_adjusted, reason FROM window_metrics_latest
       WHERE model_id = {model:String} AND window_start = {start:DateTime64(3, 'UTC')} AND metric = {metric:String} AND subject = ''`,
      { model: modelId, start: day(n).slice(0, 23), metric },
    )
    .then((rows) => rows[0]!)

beforeAll(async () => {
  on = await pipeline()
  evaluate = evaluateOn(on.connect('drift'), { now: () => START + 400 * DAY })
  for (let n = 0; n < 14; n++) await emit(n, {})
  await evaluate(model)
})

test('windows that differ as those of the reference do raise no alarm, each with its p', async () => {
  for (const metric of ['accuracy', 'recall', ...TIMES, 'error_ratio', 'throughput_per_s'])
    for (const n of [10, 11, 12, 13]) {
      const { verdict, p_value, reason } = await told(n, metric)
      // A warning is five times as likely by chance as an alarm.
      expect({ metric, n, verdict }).not.toEqual({ metric, n, verdict: 'alarm' })
      expect(p_value).toBeGreaterThan(0.001)
      expect(reason).toMatch(/the baseline's \d+ windows have [\d.]+/)
    }
  expect(await told(3, 'accuracy')).toMatchObject({ verdict: 'none' })
  expect(await told(3, 'latency_p95_ms')).toMatchObject({ verdict: 'none', p_value: null })
})

test('a fall, slowness and errors alarm; what got better does not', async () => {
  await emit(14, { accuracy: 0.6, latency: 100, firstToken: 20, errors: 0.25 })
  await emit(15, { accuracy: 0.97, latency: 20, firstToken: 4, errors: 0 })
  await evaluate(model)
  for (const metric of ['accuracy', ...TIMES, 'error_ratio']) {
    const { verdict, p_adjusted } = await told(14, metric)
    expect({ metric, verdict }).toEqual({ metric, verdict: 'alarm' })
    expect(p_adjusted).toBeLessThan(0.0125)
    // The alarm is told once: the mean of the last windows begins anew behind it.
    expect({ metric, verdict: (await told(15, metric)).verdict }).toEqual({ metric, verdict: 'ok' })
  }
  expect(await told(14, 'throughput_per_s')).toMatchObject({ verdict: 'ok' })
})

test('truth that comes later is evaluated beside windows of its own time', async () => {
  await emit(16, { accuracy: 0.6, labelled: false })
  await evaluate(model)
  expect(await told(16, 'accuracy')).toBeUndefined()
  const late = Array.from({ length: EVENTS }, (_, i) => ({
    label_id: `16-${i}`,
    model_id: 'm',
    prediction_id: `16-${i}`,
    label: (i % 2 === 0) === uniform() < 0.55 ? '1' : '0',
    labelled_at: day(20),
    source: 'ground_truth',
  }))
  await on.labels(late)
  await evaluate(model)
  expect(await told(16, 'accuracy')).toMatchObject({ verdict: 'alarm' })
  expect(await told(16, 'error_ratio')).toMatchObject({ verdict: 'ok' })
})

test('with fewer windows the fixed default evaluates, and says so', async () => {
  const modelId = 'few'
  for (let n = 0; n < 7; n++)
    await emit(n, n === 6 ? { accuracy: 0.5, latency: 100, modelId } : { modelId })
  await evaluate(modelOf('few', 5))
  expect(await told(6, 'accuracy', modelId)).toMatchObject({ verdict: 'alarm', p_value: null })
  expect((await told(6, 'accuracy', modelId)).reason).toContain('fixed default: fewer than 8')
  expect(await told(6, 'latency_p95_ms', modelId)).toMatchObject({ verdict: 'none' })
})

test('what a score means has changed, although scores and features have not: concept drift', async () => {
  for (let n = 0; n < 12; n++) {
    const events = Array.from({ length: EVENTS }, (_, i) => ({
      prediction_id: `scored-${n}-${i}`,
      model_id: 'scored',
      model_version: '1',
      predicted_at: iso(START + n * DAY + (i * DAY) / EVENTS),
      score: 0.05 + 0.9 * uniform(),
    }))
    await on.predictions(events)
    await on.labels(
      events.map(({ prediction_id, predicted_at, score }) => ({
        label_id: prediction_id,
        model_id: 'scored',
        prediction_id,
        // On the last day high scores mean less than low ones.
        label: uniform() < (n === 11 ? 0.5 - 0.5 * (score - 0.5) : score) ? '1' : '0',
        labelled_at: predicted_at,
        source: 'ground_truth',
      })),
    )
  }
  await evaluate(modelOf('scored', 10))
  expect(await told(10, 'calibration_slope', 'scored')).toMatchObject({ verdict: 'ok' })
  expect(await told(11, 'calibration_slope', 'scored')).toMatchObject({ verdict: 'alarm' })
  const residuals = await on.db.query<{ subject: string; value: number }>(
    `SELECT subject, value FROM window_metrics_latest WHERE model_id = 'scored' AND metric = 'calibration_residual' AND window_start = {start:DateTime64(3, 'UTC')} ORDER BY subject`,
    { start: day(11).slice(0, 23) },
  )
  expect(residuals.map(({ subject }) => subject)).toContain('score=0.9-1.0')
  expect(residuals[0]!.value).toBeGreaterThan(0.2)
  expect(residuals.at(-1)!.value).toBeLessThan(-0.2)
  const drifted = await on.db.query(
    `SELECT metric FROM window_metrics_latest WHERE model_id = 'scored' AND family = 'drift' AND verdict = 'alarm'`,
  )
  expect(drifted).toEqual([])
})
