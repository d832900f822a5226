/**
 * Labels drawn for review with unlike probabilities say what all predictions would say, and their
 * results say that they are weighted.
 */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
/**
 * A busy half of the day of which few are drawn, and a quiet one, where the model is bad, of which
 * many are.
 */
const HALVES = [
  { events: 9000, accuracy: 0.97, pi: 0.04 },
  { events: 700, accuracy: 0.5, pi: 0.5 },
] as const
const modelOf = (id: string, more = '') =>
  parseModel(`
model_id: ${id}
task: binary
windows: { size: 1d, lateness: 1h, min_count: 100, min_labelled: 0.2 }
labels: { horizon: 1h${more} }
fairness: { attributes: { sex: { privileged: m } } }
custom_metrics: { plain: avg(predicted = label) }
`)
const MODELS = {
  reviewed: modelOf('reviewed'),
  partly: modelOf('partly'),
  implied: modelOf('implied', ', absent_means: "0"'),
}
const uniform = uniforms(18)
let on: Pipeline

const CASES = HALVES.flatMap(({ events, accuracy, pi }, half) =>
  Array.from({ length: events }, (_, i) => {
    const label = uniform() < 0.4 ? '1' : '0'
    const isRight = uniform() < accuracy
    const prediction = isRight ? label : label === '1' ? '0' : '1'
    const score = prediction === '1' ? 0.5 + uniform() / 2 : uniform() / 2
    return {
      id: `${half}-${i}`,
      at: START + (half / 2 + i / events / 2) * DAY,
      sex: uniform() < 0.5 ? 'm' : 'f',
      ...{ label, isRight, prediction, score, pi },
      isDrawn: uniform() < pi,
    }
  }),
)
const DRAWN = CASES.filter(({ isDrawn }) => isDrawn)
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const accuracyOf = (cases: typeof CASES) => mean(cases.map(({ isRight }) => Number(isRight)))

async function emit(model_id: string) {
  await on.predictions(
    CASES.map(({ id, at, sex, prediction, score }) => ({
      prediction_id: id,
      model_id,
      model_version: '1',
      predicted_at: new Date(at).toISOString(),
      prediction,
      score,
      attributes: { sex },
    })),
  )
  const label = ({ id, label }: (typeof CASES)[number]) => ({
    label_id: id,
    model_id,
    prediction_id: id,
    label,
    labelled_at: new Date(START + DAY).toISOString(),
  })
  await on.labels(
    DRAWN.map((one) => ({
      ...label(one),
      source: 'human_review',
      inclusion_probability: one.pi,
    })),
  )
  if (model_id === 'partly')
    await on.labels(
      CASES.filter(({ isDrawn }, i) => !isDrawn && i % 3 === 0).map((one) => ({
        ...label(one),
        source: 'ground_truth',
      })),
    )
}

beforeAll(async () => {
  on = await pipeline()
  for (const [id, model] of Object.entries(MODELS)) {
    await emit(id)
    await evaluateOn(on.connect('drift'), { now: () => START + 100 * DAY })(model)
  }
})

interface Row {
  family: string
  subject: string
  metric: string
  method: string
  value: number
  ci_low: number
  ci_high: number
  reason: string
  n_labelled: string
  n_effective: number | null
}
const resultsOf = (model: keyof typeof MODELS, metric: string) =>
  on.db.query<Row>(
    `SELECT family, subject, metric, method, value, ci_low, ci_high, reason, n_labelled, n_effective FROM window_metrics_latest
     WHERE model_id = {model:String} AND metric = {metric:String} AND isNotNull(value) AND model_version = ''`,
    { model, metric },
  )

test('the accuracy of all predictions, and Kish’s number of labels it is worth', async () => {
  const [accuracy, ...others] = (await resultsOf('reviewed', 'accuracy')).filter(
    ({ method }) => method !== 'poststratified',
  )
  expect(others).toEqual([])
  expect(accuracy).toMatchObject({
    method: 'weighted',
    n_labelled: String(DRAWN.length),
    reason: expect.stringContaining('weighted by inclusion probabilities'),
  })
  // Hájek: Σ wy / Σ w.
  const weights = DRAWN.map(({ pi }) => 1 / pi)
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  const right = sum(DRAWN.map(({ isRight, pi }) => (isRight ? 1 / pi : 0)))
  expect(accuracy!.value).toBeCloseTo(right / sum(weights), 9)
  expect(accuracy!.n_effective).toBeCloseTo(
    sum(weights) ** 2 / sum(weights.map((weight) => weight ** 2)),
    6,
  )
  const truth = accuracyOf(CASES)
  expect(Math.abs(accuracy!.value - truth)).toBeLessThan(0.02)
  expect([accuracy!.ci_low < truth, accuracy!.ci_high > truth]).toEqual([true, true])
  // Each label once is far off.
  expect(truth - accuracyOf(DRAWN)).toBeGreaterThan(0.15)
})

test('so are what rests on scores, and fairness; shares of labels stay those of the predictions', async () => {
  for (const metric of ['roc_auc', 'log_loss', 'ece', 'true_positive_rate'])
    expect({
      metric,
      methods: [...new Set((await resultsOf('reviewed', metric)).map(({ method }) => method))],
    }).toEqual({ metric, methods: ['weighted'] })
  const rates = await resultsOf('reviewed', 'true_positive_rate')
  for (const { subject, value } of rates) {
    const own = CASES.filter(({ sex, label }) => subject === `sex=${sex}` && label === '1')
    expect(Math.abs(value - accuracyOf(own))).toBeLessThan(0.06)
  }
  const coverage = await resultsOf('reviewed', 'label_coverage')
  expect(new Set(coverage.map(({ method }) => method))).toEqual(new Set(['observed']))
  for (const { value } of coverage)
    expect(Math.abs(value - DRAWN.length / CASES.length)).toBeLessThan(0.02)
})

test('an expression of the model file counts rows as they are, and says so', async () => {
  const [custom] = await resultsOf('reviewed', 'custom.plain')
  expect(custom).toMatchObject({
    method: 'observed',
    reason: 'rows as they are: the expression weighs them by the column weight, or not at all',
  })
  expect(custom!.value).toBeCloseTo(accuracyOf(DRAWN), 9)
})

test('labels without a probability stand for themselves, and are told', async () => {
  const [accuracy] = (await resultsOf('partly', 'accuracy')).filter(
    ({ method }) => method === 'weighted',
  )
  expect(accuracy!.reason).toMatch(/ of \d+ labels carry none and stand for themselves/)
})

test('where a missing label means something, every prediction has a truth and none stands for another', async () => {
  const [accuracy] = (await resultsOf('implied', 'accuracy')).filter(
    ({ method }) => method === 'observed',
  )
  expect(accuracy!.reason).not.toContain('inclusion')
  const told = CASES.map(({ isDrawn, isRight, prediction }) =>
    Number(isDrawn ? isRight : prediction === '0'),
  )
  expect(accuracy!.value).toBeCloseTo(mean(told), 9)
})
