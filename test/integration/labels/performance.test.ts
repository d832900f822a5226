/**
 * Performance of every task, from events to results, beside scikit-learn; and truth that is
 * implied, early, or of margins.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

type Values = Record<string, number>
const golden = JSON.parse(
  readFileSync(new URL('../../golden/performance.json', import.meta.url), 'utf8'),
) as {
  classes: {
    truth: string[]
    guess: string[]
    values: Values
    by_class: Record<string, Values>
  }
  scores: { truth: number[]; score: number[]; values: Values }
  forecasts: { truth: number[]; levels: number[]; quantiles: number[][]; values: Values }
  rankings: { rankings: { relevance: number[]; score: number[] }[]; values: Values }
}

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
let stream: Pipeline
let evaluate: ReturnType<typeof evaluateOn>
let now = START + 50 * HOUR

beforeAll(async () => {
  stream = await pipeline()
  evaluate = evaluateOn(stream.connect('drift'), { now: () => now })
})

/** Sends one set of events in each of some hours. */
const predict = (model: string, events: readonly object[], ...hours: number[]) =>
  stream.predictions(
    (hours.length > 0 ? hours : [0]).flatMap((hour) =>
      events.map((event, i) => ({
        prediction_id: `${hour}-${i}`,
        model_id: model,
        model_version: '1',
        predicted_at: new Date(START + hour * HOUR + i * 1000).toISOString(),
        ...event,
      })),
    ),
  )

/** @param truth of the predictions of each hour in their order; null where there is none */
const tell = (model: string, truth: readonly unknown[], ...hours: number[]) =>
  stream.labels(
    (hours.length > 0 ? hours : [0]).flatMap((hour) =>
      truth.flatMap((label, i) => {
        const id = `${hour}-${i}`
        const labelled_at = new Date(START).toISOString()
        const source = 'ground_truth'
        return label === null
          ? []
          : [{ label_id: id, model_id: model, prediction_id: id, label, labelled_at, source }]
      }),
    ),
  )

interface Found {
  subject: string
  metric: string
  value: number
  ci_low: number
  ci_high: number
  n_labelled: string
  label_maturity: number
  verdict: string
  reason: string
}

const found = (model: string, where = '1') =>
  stream.db.query<Found>(
    `SELECT * FROM window_metrics_latest WHERE model_id = '${model}' AND family = 'performance' AND method = 'observed' AND ${where} ORDER BY window_start, subject, metric`,
  )

async function expectValues(model: string, values: Values, subject = '') {
  const results = await found(model, `subject = '${subject}'`)
  for (const [metric, value] of Object.entries(values)) {
    const own = results.find((result) => result.metric === metric)
    expect(own?.value, `${metric} of ${model}`).toBeCloseTo(value, 9)
    expect(own!.ci_low, metric).toBeLessThanOrEqual(value)
    expect(own!.ci_high, metric).toBeGreaterThanOrEqual(value)
  }
}

const modelOf = (modelId: string, more: string): Model =>
  parseModel(
    `{ model_id: ${modelId}, windows: { size: 1h, min_count: 10, lateness: 1m }, ${more} }`,
  )

test('classes: averages, and each class by itself', async () => {
  const { truth, guess, values, by_class } = golden.classes
  await predict(
    'classes',
    guess.map((prediction) => ({ prediction })),
  )
  await tell('classes', truth)
  await evaluate(modelOf('classes', 'task: multiclass'))
  await expectValues('classes', values)
  for (const [name, own] of Object.entries(by_class))
    await expectValues('classes', own, `class=${name}`)
})

test('scores, with ties: curves, losses, lift', async () => {
  const { truth, score, values } = golden.scores
  await predict(
    'scores',
    score.map((s) => ({ score: s })),
  )
  await tell('scores', truth)
  await evaluate(modelOf('scores', 'task: binary'))
  await expectValues('scores', values)
  // Positive from 0.5 on.
  const right = score.filter((s, i) => s >= 0.5 === (truth[i] === 1)).length
  await expectValues('scores', { accuracy: right / score.length })
  const [lift] = await found('scores', `metric = 'lift'`)
  // The 40 highest scores count; those that are tied at the edge share what is left.
  const order = score.map((s, i) => ({ s, y: truth[i]! })).toSorted((a, b) => b.s - a.s)
  const edge = order[39]!.s
  const rightOf = (some: typeof order) => some.reduce((sum, { y }) => sum + y, 0)
  const above = order.filter(({ s }) => s > edge)
  const tied = order.filter(({ s }) => s === edge)
  const among = rightOf(above) + ((40 - above.length) * rightOf(tied)) / tied.length
  expect(lift!.value).toBeCloseTo(among / 40 / (rightOf(order) / order.length), 9)
})

test('forecasts: pinball loss and coverage beside what it should be', async () => {
  const { truth, levels, quantiles, values } = golden.forecasts
  await predict(
    'forecasts',
    quantiles.map((own) => ({
      prediction: own[1],
      quantiles: Object.fromEntries(levels.map((level, i) => [level, own[i]])),
    })),
  )
  await tell('forecasts', truth)
  await evaluate(modelOf('forecasts', 'task: regression'))
  await expectValues('forecasts', values)
  expect((await found('forecasts', `metric = 'interval_coverage'`))[0]!.reason).toBe('nominal 0.8')
})

test('rankings: the unit is the ranking; without a position items lie in the order of the score', async () => {
  const { rankings, values } = golden.rankings
  const items = rankings.flatMap(({ relevance, score }, group) =>
    relevance.map((label, i) => ({
      label,
      score: score[i]!,
      group_id: `g${group}`,
      position: score.filter((s) => s > score[i]!).length,
    })),
  )
  for (const [model, keys] of [
    ['by-score', ['score', 'group_id']],
    ['by-position', ['position', 'group_id']],
  ] as const) {
    await predict(
      model,
      items.map((item) => Object.fromEntries(keys.map((key) => [key, item[key as 'score']]))),
    )
    await tell(
      model,
      items.map(({ label }) => label),
    )
    await evaluate(modelOf(model, 'task: ranking'))
    await expectValues(model, values)
  }
})

test('rankings: clicks are corrected by the propensity with which an item was seen', async () => {
  // Two rankings, clicked at the second place, which half of the people saw.
  await predict(
    'seen',
    [0, 1].flatMap((group) =>
      [0, 1, 2].map((position) => ({
        group_id: `g${group}`,
        position,
        exposure_propensity: 1 / (position + 1),
      })),
    ),
  )
  await tell('seen', [1, 1, 0, 1, 1, 0])
  await evaluate(modelOf('seen', 'task: ranking'))
  const [ndcg] = await found('seen', `metric = 'ndcg_at_k'`)
  const dcg = 1 + 2 / Math.log2(3)
  expect(ndcg!.value).toBeCloseTo(dcg / (2 + 1 / Math.log2(3)), 9)
})

test('absent_means: what has no label when the horizon has passed is known all the same', async () => {
  const model = modelOf(
    'fraud',
    `task: binary, labels: { horizon: 10h, absent_means: '0' }, fairness: { attributes: { sex: {} } }`,
  )
  const guess = Array.from({ length: 100 }, (_, i) => ({
    prediction: i < 30 ? '1' : '0',
    attributes: { sex: String(i % 2) },
  }))
  await predict('fraud', guess)
  await tell(
    'fraud',
    guess.map((_, i) => (i < 20 ? '1' : null)),
  )
  now = START + 2 * HOUR
  await evaluate(model)
  expect(await found('fraud', `metric = 'accuracy'`)).toMatchObject([
    { value: 1, n_labelled: '20', label_maturity: 0 },
  ])
  now = START + 12 * HOUR
  await evaluate(model)
  expect(await found('fraud', `metric IN ('accuracy', 'recall', 'precision')`)).toMatchObject([
    { metric: 'accuracy', value: 0.9, n_labelled: '100', label_maturity: 1 },
    { metric: 'precision', value: 2 / 3 },
    { metric: 'recall', value: 1 },
  ])
  expect(
    await stream.db.query(
      `SELECT subject, value FROM window_metrics_latest WHERE model_id = 'fraud' AND metric = 'false_positive_rate' ORDER BY subject`,
    ),
  ).toEqual([
    { subject: 'sex=0', value: 0.125 },
    { subject: 'sex=1', value: 0.125 },
  ])
  now = START + 50 * HOUR
})

test('evaluate_at: looked at when half of the horizon has passed and at its end, and not in between', async () => {
  const model = modelOf(
    'looks',
    `task: binary, labels: { horizon: 10h, evaluate_at: [0.5, 1] }, references: { first: { kind: first, windows: 1, baseline: true } }`,
  )
  const accuracy = () =>
    found('looks', `metric = 'accuracy' AND window_start = '2026-01-05 01:00:00'`)
  const scoredRows = (right: number) =>
    Array.from({ length: 400 }, (_, i) => (i < right ? '1' : '0'))
  for (const hour of [0, 1]) {
    await predict(
      'looks',
      scoredRows(400).map((prediction) => ({ prediction })),
      hour,
    )
    await tell('looks', scoredRows(hour === 0 ? 400 : 200), hour)
  }
  now = START + 3 * HOUR
  await evaluate(model)
  expect(await accuracy()).toMatchObject([
    { verdict: 'incomplete', label_maturity: 0, reason: 'younger than the label horizon' },
  ])
  now = START + 8 * HOUR
  await evaluate(model)
  expect(await accuracy()).toMatchObject([{ verdict: 'alarm', value: 0.5, label_maturity: 0.5 }])
  // Corrections between the looks wait for the next one.
  await stream.labels(
    scoredRows(400).map((label, i) => ({
      label_id: `again-${i}`,
      model_id: 'looks',
      prediction_id: `1-${i}`,
      label,
      labelled_at: new Date(START + HOUR).toISOString(),
      source: 'ground_truth',
    })),
  )
  now = START + 9 * HOUR
  await evaluate(model)
  expect(await accuracy()).toMatchObject([{ value: 0.5, label_maturity: 0.5 }])
  now = START + 13 * HOUR
  await evaluate(model)
  expect(await accuracy()).toMatchObject([{ verdict: 'ok', value: 1, label_maturity: 1 }])
  now = START + 50 * HOUR
})

test('a window whose labels are still to come is now-cast from what they did to earlier ones', async () => {
  const model = modelOf('late', 'task: binary, labels: { horizon: 20h }')
  const known = (right: number, wrong: number) =>
    Array.from({ length: right + wrong }, (_, i) => (i < right ? '1' : '0'))
  const nowCast = (hour: number) =>
    stream.db.query<Found>(
      `SELECT * FROM window_metrics_latest WHERE model_id = 'late' AND method = 'nowcast' AND metric = 'nowcast_accuracy' AND toUnixTimestamp64Milli(window_start) = ${START + hour * HOUR}`,
    )
  const at = async (hour: number) => {
    now = START + (hour + 0.5) * HOUR
    await evaluate(model)
  }
  // Mistakes are told late: 4 of the first 80 labels are, and 30 of the other 120.
  const hours = [0, 1, 2, 3, 4, 5, 6, 7]
  const others = [...Array.from({ length: 80 }, () => null), ...known(90, 30)]
  const predicted = Array.from({ length: 200 }, () => ({ prediction: '1' }))
  await predict('late', predicted, ...hours)
  await tell('late', known(76, 4), ...hours)
  await at(8)
  expect(await nowCast(7)).toMatchObject([{ value: null, verdict: 'incomplete' }])
  await tell('late', others, ...hours)
  await at(28)
  await predict('late', predicted, 28)
  await tell('late', known(72, 8), 28)
  await at(29)
  const [now28] = await nowCast(28)
  // Odds of 19 become 166 / 34; here they begin at 9.
  const odds = (9 * (166 / 34)) / 19
  expect(now28).toMatchObject({ verdict: 'none', n_labelled: '80', label_maturity: 0 })
  expect(now28!.value).toBeCloseTo(odds / (1 + odds), 9)
  expect(now28!.ci_low).toBeLessThan(now28!.value)
  expect(now28!.ci_high).toBeGreaterThan(now28!.value)
  expect(now28!.reason).toMatch(/^80 of about 200 labels are in; as in 8 earlier windows/)
  await tell('late', others, 28)
  await at(49)
  expect(await nowCast(28)).toMatchObject([{ value: null, reason: 'no longer in the window' }])
  expect(
    await found('late', `metric = 'accuracy' AND window_start = '2026-01-06 04:00:00'`),
  ).toMatchObject([{ value: 162 / 200, label_maturity: 1 }])
  now = START + 50 * HOUR
})

test('custom_metrics: any aggregate of joined outcomes, with an interval', async () => {
  const { truth, score } = golden.scores
  await predict(
    'custom',
    score.map((s) => ({ score: s })),
  )
  await tell('custom', truth)
  const model = modelOf(
    'custom',
    `task: binary, custom_metrics: { mean_score: avg(score), gap: 'avgIf(score, positive) - avgIf(score, NOT positive)' }`,
  )
  await evaluate(model)
  const mean = score.reduce((sum, s) => sum + s, 0) / score.length
  const deviation = Math.sqrt(
    score.reduce((sum, s) => sum + (s - mean) ** 2, 0) / (score.length - 1),
  )
  const [gap, average] = await found('custom', `metric LIKE 'custom.%'`)
  expect(average).toMatchObject({ metric: 'custom.mean_score', verdict: 'none' })
  expect(average!.value).toBeCloseTo(mean, 9)
  // The jackknife of a mean estimates its standard error, from 20 parts.
  const half = (average!.ci_high - average!.ci_low) / 2
  expect(half / ((1.96 * deviation) / Math.sqrt(score.length))).toBeGreaterThan(0.6)
  expect(half / ((1.96 * deviation) / Math.sqrt(score.length))).toBeLessThan(1.5)
  expect(gap!.value).toBeGreaterThan(0)
})

test('a custom metric that ClickHouse refuses says so, and everything else is evaluated', async () => {
  await predict('broken', [{ score: 0.5 }])
  await tell('broken', [1])
  await evaluate(modelOf('broken', 'task: binary, custom_metrics: { mine: avg(nowhere) }'))
  const [accuracy, mine] = await found('broken', `metric IN ('accuracy', 'custom.mine')`)
  expect(accuracy).toMatchObject({ value: 1 })
  expect(mine).toMatchObject({ value: null, ci_low: null, verdict: 'incomplete' })
  expect(mine!.reason).toContain('nowhere')
})

test('margins have curves, and neither losses nor estimates', async () => {
  const { truth, score } = golden.scores
  await predict(
    'margins',
    score.map((s) => ({ score: s - 0.4 })),
  )
  await tell('margins', truth)
  await evaluate(modelOf('margins', 'task: binary, score_kind: margin'))
  const metrics = (await found('margins')).map(({ metric }) => metric)
  expect(metrics).toEqual(expect.arrayContaining(['accuracy', 'roc_auc', 'pr_auc', 'lift']))
  for (const metric of ['log_loss', 'brier', 'ece']) expect(metrics).not.toContain(metric)
  // Positive from 0 on.
  const right = score.filter((s, i) => s - 0.4 >= 0 === (truth[i] === 1)).length
  await expectValues('margins', { accuracy: right / score.length })
})

test('a regression before its truth has come: the error is estimated, then replaced by what came true', async () => {
  const regression = parseModel(`
model_id: guessed
task: regression
windows: { size: 1h, lateness: 1m, min_count: 10, min_labelled: 0.1 }
references: { training: { kind: fixed, from: ${new Date(START).toISOString()}, to: ${new Date(START + HOUR).toISOString()}, baseline: true } }
`)
  const sizes = (hour: number) => Array.from({ length: 300 }, (_, i) => (i % 30) + 30 * hour)
  const wrong = (size: number, i: number) => (size + 1) * (i % 2 === 0 ? 1 : -1)
  const events = (hour: number) =>
    sizes(hour).map((size) => ({ prediction: 10 * size, features: { size, color: 'red' } }))
  const truth = (hour: number) => sizes(hour).map((size, i) => 10 * size + wrong(size, i))
  await predict('guessed', events(0), 0)
  await tell('guessed', truth(0), 0)
  // Half of the inputs are where errors are largest.
  const second = events(0).filter(({ features }) => features.size >= 15)
  await predict('guessed', second, 1)
  await evaluate(regression)
  const estimated = async () =>
    Object.fromEntries(
      (
        await stream.db.query<{ metric: string; value: number; method: string }>(
          `SELECT metric, value, method FROM window_metrics_latest WHERE model_id = 'guessed' AND window_start = '2026-01-05 01:00:00' AND metric IN ('estimated_mae', 'estimate_error', 'mae')`,
        )
      ).map(({ metric, value }) => [metric, value]),
    )
  const before = await estimated()
  expect(Object.keys(before)).toEqual(['estimated_mae'])
  // Sizes of 15 to 29, each wrong by one more than itself.
  expect(before['estimated_mae']! / 23).toBeGreaterThan(0.85)
  expect(before['estimated_mae']! / 23).toBeLessThan(1.15)
  await tell(
    'guessed',
    second.map(({ features, prediction }, i) => prediction + wrong(features.size, i)),
    1,
  )
  now += HOUR
  await evaluate(regression)
  const after = await estimated()
  expect(after['mae']).toBeCloseTo(23, 9)
  expect(after['estimate_error']).toBeCloseTo(after['estimated_mae']! - 23, 9)
})
