/**
 * Numbers that rounding, bins or scores that are no probabilities would spoil; and what cannot be
 * known, with the reason.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { calibrationLine } from '../../../lib/stats/estimators/calibration.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const golden = JSON.parse(
  readFileSync(new URL('../../golden/performance.json', import.meta.url), 'utf8'),
) as { scores: { truth: number[]; score: number[]; values: Record<string, number> } }

const START = Date.UTC(2026, 0, 5)
let stream: Pipeline
let evaluate: ReturnType<typeof evaluateOn>

beforeAll(async () => {
  stream = await pipeline()
  evaluate = evaluateOn(stream.connect('drift'), { now: () => START + 50 * 3_600_000 })
})

const predict = (model: string, events: readonly object[]) =>
  stream.predictions(
    events.map((event, i) => ({
      prediction_id: String(i),
      model_id: model,
      model_version: '1',
      predicted_at: new Date(START + i * 1000).toISOString(),
      ...event,
    })),
  )

const tell = (model: string, truth: readonly number[]) =>
  stream.labels(
    truth.map((label, i) => ({
      label_id: String(i),
      model_id: model,
      prediction_id: String(i),
      label,
      labelled_at: new Date(START).toISOString(),
      source: 'ground_truth',
    })),
  )

interface Found {
  metric: string
  value: number
  verdict: string
  reason: string
}

const found = (model: string, where: string) =>
  stream.db.query<Found>(
    `SELECT metric, value, verdict, reason FROM window_metrics_latest WHERE model_id = '${model}' AND family = 'performance' AND ${where} ORDER BY metric`,
  )

const modelOf = (modelId: string, more: string) =>
  parseModel(
    `{ model_id: ${modelId}, windows: { size: 1h, min_count: 10, lateness: 1m }, ${more} }`,
  )

test('R² of large targets that hardly differ; what cannot be known says why', async () => {
  const truth = Array.from({ length: 200 }, (_, i) => 1e9 + [-1, 0, 1, 2][i % 4]!)
  await predict(
    'large',
    truth.map((y, i) => ({ prediction: y + (i % 2 === 0 ? 0.3 : -0.3) })),
  )
  await tell('large', truth)
  await evaluate(modelOf('large', 'task: regression'))
  const [r2] = await found('large', `metric = 'r2'`)
  expect(r2!.value).toBeCloseTo(1 - 0.09 / 1.25, 4)

  await predict(
    'flat',
    truth.map(() => ({ prediction: 0.5 })),
  )
  await tell(
    'flat',
    truth.map(() => 0),
  )
  await evaluate(modelOf('flat', 'task: regression'))
  expect(await found('flat', `metric IN ('mape', 'r2', 'wape')`)).toMatchObject([
    { metric: 'mape', value: null, verdict: 'incomplete', reason: 'every label is 0' },
    { metric: 'r2', value: null, verdict: 'incomplete', reason: 'all labels are equal' },
    { metric: 'wape', value: null, verdict: 'incomplete', reason: 'every label is 0' },
  ])
})

test('a calibration line of small scores is that of the scores themselves, not of a hundred bins', async () => {
  const logits = Array.from({ length: 3000 }, (_, i) => -5.5 + 3 * Math.sin(i * 1.7))
  const score = logits.map((x) => 1 / (1 + Math.exp(-x)))
  const truth = logits.map((x, i) =>
    (i * 0.618034) % 1 < 1 / (1 + Math.exp(-(0.5 + 1.1 * x))) ? 1 : 0,
  )
  await predict(
    'small',
    score.map((s) => ({ score: s })),
  )
  await tell('small', truth)
  await evaluate(modelOf('small', 'task: binary'))
  const exact = calibrationLine(
    score.map((s, i) => ({ bin: 0, asPositive: false, n: 1, positives: truth[i]!, scores: s })),
  )!
  const [intercept, slope] = await found('small', `metric LIKE 'calibration_%' AND subject = ''`)
  expect(Math.abs(slope!.value - exact.slope) / exact.slopeError).toBeLessThan(0.05)
  expect(Math.abs(intercept!.value - exact.intercept) / exact.interceptError).toBeLessThan(0.05)
})

test('scores outside [0, 1] are not taken for probabilities; a few of them are left out', async () => {
  const { truth, score } = golden.scores
  await predict(
    'logits',
    score.map((s) => ({ score: 10 * s - 5 })),
  )
  await tell('logits', truth)
  await evaluate(modelOf('logits', 'task: binary'))
  const reason = expect.stringContaining(
    'of the scores lie outside [0, 1]: they are no probabilities',
  ) as string
  const names = ['brier', 'calibration_intercept', 'calibration_slope', 'ece', 'log_loss']
  expect(
    await found('logits', `metric IN (${names.map((name) => `'${name}'`).join(', ')})`),
  ).toMatchObject(names.map((metric) => ({ metric, value: null, verdict: 'incomplete', reason })))
  const [auc] = await found('logits', `metric = 'roc_auc'`)
  expect(auc!.value).toBeCloseTo(golden.scores.values['roc_auc']!, 9)

  await predict(
    'one',
    [...score, 1.5].map((s) => ({ score: s })),
  )
  await tell('one', [...truth, 0])
  await evaluate(modelOf('one', 'task: binary'))
  const [loss] = await stream.db.query<{ value: number; n: string }>(
    `SELECT value, toString(n_current) AS n FROM window_metrics_latest WHERE model_id = 'one' AND metric = 'log_loss'`,
  )
  expect(loss!.value).toBeCloseTo(golden.scores.values['log_loss']!, 9)
  expect(loss!.n).toBe('400')
})

test('n is what a metric divides by: predicted positives, rankings', async () => {
  const { truth, score } = golden.scores
  const of = (model: string, metric: string) =>
    stream.db.query<{ n: string }>(
      `SELECT toString(n_current) AS n FROM window_metrics_latest WHERE model_id = '${model}' AND metric = '${metric}' AND method = 'observed'`,
    )
  await predict(
    'classes',
    score.map((s) => ({ score: s })),
  )
  await tell('classes', truth)
  await evaluate(modelOf('classes', 'task: binary'))
  const predicted = score.filter((s) => s >= 0.5).length
  expect(await of('classes', 'precision')).toEqual([{ n: String(predicted) }])

  const items = [0, 0, 0, 1, 1, 1, 2, 2, 2].map((group, i) => ({
    group_id: `g${group}`,
    position: i % 3,
  }))
  await predict('ranks', items)
  await tell('ranks', [1, 0, 0, 0, 1, 0, 0, 0, 0])
  await evaluate(modelOf('ranks', 'task: ranking'))
  expect(await of('ranks', 'mrr')).toEqual([{ n: '2' }])
})
