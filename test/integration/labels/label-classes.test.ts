/**
 * Labels that name classes otherwise than predictions do: nobody is told that the model is always
 * wrong.
 */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
let stream: Pipeline
let evaluate: ReturnType<typeof evaluateOn>

beforeAll(async () => {
  stream = await pipeline()
  evaluate = evaluateOn(stream.connect('drift'), { now: () => START + 50 * HOUR })
})

interface Case {
  name: string
  prediction: (yes: boolean) => unknown
  label: (yes: boolean) => unknown
  more?: (yes: boolean) => object
  settings?: string
}
const spelled = (yes: unknown, no: unknown) => (isYes: boolean) => (isYes ? yes : no)

/**
 * Two hours: in the first, the reference, labels read as predictions do; in the second as the case
 * says.
 */
async function resultsOf({ name, prediction, label, more = () => ({}), settings = '' }: Case) {
  const rows = [0, 1].flatMap((hour) =>
    Array.from({ length: 60 }, (_, i) => ({ hour, i, yes: i % 3 === 0 })),
  )
  await stream.predictions(
    rows.map(({ hour, i, yes }) => ({
      prediction_id: `${hour}-${i}`,
      model_id: name,
      model_version: '1',
      predicted_at: new Date(START + hour * HOUR + i * 1000).toISOString(),
      prediction: prediction(yes),
      attributes: { sex: String(i % 2) },
      ...more(yes),
    })),
  )
  await stream.labels(
    rows.map(({ hour, i, yes }) => ({
      label_id: `${hour}-${i}`,
      model_id: name,
      prediction_id: `${hour}-${i}`,
      label: hour === 0 ? (prediction(yes) ?? String(Number(yes))) : label(yes),
      labelled_at: new Date(START).toISOString(),
      source: 'ground_truth',
    })),
  )
  await evaluate(
    parseModel(`{ model_id: ${name}, task: binary, windows: { size: 1h, min_count: 20, lateness: 1m },
      references: { first: { kind: first, windows: 1, baseline: true } }, fairness: { attributes: { sex: { privileged: "0" } }, favorable: "1" } ${settings} }`),
  )
  return stream.db.query<{
    family: string
    subject: string
    metric: string
    method: string
    value: number | null
    ci_low: number | null
    verdict: string
    reason: string
  }>(
    `SELECT * FROM window_metrics_latest WHERE model_id = '${name}' AND window_start = '${new Date(START + HOUR).toISOString().slice(0, 19).replace('T', ' ')}' AND family IN ('performance', 'fairness')`,
  )
}

test.each<Case>([
  { name: 'floats', prediction: spelled(1, 0), label: spelled('1.0', '0.0') },
  { name: 'words', prediction: spelled(true, false), label: spelled('True', 'False') },
  { name: 'numbers-of-words', prediction: spelled('1', '0'), label: spelled(true, false) },
  {
    name: 'scores-alone',
    prediction: () => null,
    label: spelled('1.0', '0.0'),
    more: (yes) => ({ score: yes ? 0.9 : 0.1 }),
  },
])('$name: null with the reason, no alarm', async (one) => {
  const results = await resultsOf(one)
  const accuracy = results.find(
    ({ metric, method }) => metric === 'accuracy' && method === 'observed',
  )
  expect(accuracy).toMatchObject({ value: null, ci_low: null, verdict: 'incomplete' })
  expect(accuracy!.reason).toMatch(/labels are .*; predictions are /)
  expect(results.filter(({ verdict }) => verdict === 'alarm' || verdict === 'warning')).toEqual([])
  expect(
    results.find(
      ({ metric, subject }) => metric === 'equalized_odds_difference' && subject === 'sex',
    ),
  ).toMatchObject({ value: null, reason: accuracy!.reason })
  // What says how many labels came stays.
  expect(
    results.find(({ metric, family }) => metric === 'label_coverage' && family === 'performance')
      ?.value,
  ).toBe(1)
  for (const metric of ['log_loss', 'brier', 'precision', 'recall', 'f1'])
    expect(
      results.find((f) => f.metric === metric && f.subject === '')?.value ?? null,
      metric,
    ).toBeNull()
})

test('a model that is always wrong is told so', async () => {
  const results = await resultsOf({
    name: 'always-wrong',
    prediction: spelled('1', '0'),
    label: spelled('0', '1'),
  })
  expect(results.find(({ metric }) => metric === 'accuracy')).toMatchObject({
    value: 0,
    verdict: 'alarm',
  })
})
