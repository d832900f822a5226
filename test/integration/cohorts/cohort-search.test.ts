/** The cohort in which a model became worse is found among all values of all features, and named. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const DAY = 86_400_000
const WINDOWS = 9
let on: Pipeline

beforeAll(async () => {
  on = await pipeline()
})

interface Generated {
  region: string
  amount: number
}

/** @param wrong chance of a wrong answer in the last window */
async function run(
  modelId: string,
  task: 'binary' | 'regression',
  wrong: (e: Generated) => number,
) {
  const uniform = uniforms(7)
  const model = parseModel(`
model_id: ${modelId}
task: ${task}
windows: { size: 1d, min_count: 100, lateness: 0s, idle: 0s }
cohorts: { search: { min: 60 } }
`)
  for (let w = 0; w < WINDOWS; w++) {
    const events = Array.from({ length: 1000 }, (_, i) => {
      const own = {
        region: ['north', 'south', 'east', 'west'][Math.floor(4 * uniform())]!,
        amount: Math.round(100 * uniform()),
      }
      const isWrong = uniform() < (w === WINDOWS - 1 ? wrong(own) : 0.1)
      const label = uniform() < 0.5 ? 1 : 0
      return {
        ...own,
        id: `${modelId}-${w}-${i}`,
        at: START + w * DAY + i * 60_000,
        label,
        isWrong,
      }
    })
    await on.predictions(
      events.map(({ id, at, region, amount, label, isWrong }) => ({
        prediction_id: id,
        model_id: modelId,
        model_version: '1',
        predicted_at: new Date(at).toISOString(),
        prediction:
          task === 'binary' ? String(isWrong ? 1 - label : label) : label + (isWrong ? 3 : 1),
        attributes: { region },
        features: { amount, color: region === 'north' ? 'red' : 'blue' },
      })),
    )
    await on.labels(
      events.map(({ id, at, label }) => ({
        label_id: id,
        model_id: modelId,
        prediction_id: id,
        label: task === 'binary' ? String(label) : label,
        labelled_at: new Date(at).toISOString(),
        source: 'ground_truth',
      })),
    )
  }
  await evaluateOn(on.db, { now: () => START + 30 * DAY })(model)
  return on.db.query<{
    metric: string
    subject: string
    value: number
    verdict: string
    reason: string
  }>(
    `SELECT metric, subject, value, verdict, reason FROM window_metrics_latest
     WHERE model_id = {model:String} AND metric LIKE '%cohort_gap' AND window_start = toDateTime64({at:UInt32}, 3, 'UTC')
     ORDER BY metric = 'cohort_gap', value DESC`,
    { model: modelId, at: (START + (WINDOWS - 1) * DAY) / 1000 },
  )
}

test('a region and a part of a number', async () => {
  const rows = await run('searched', 'binary', ({ region, amount }) =>
    region === 'south' && amount >= 50 ? 0.9 : 0.1,
  )
  expect(rows[0]).toMatchObject({ metric: 'worst_cohort_gap', subject: '', verdict: 'alarm' })
  expect(rows[0]!.reason).toMatch(
    /^region=south: accuracy 0\.\d+ of \d+ labelled, 0\.\d+ elsewhere; in the baseline accuracy 0\.\d+ of \d+ labelled, 0\.\d+ elsewhere; the surest of \d+ cohorts searched$/,
  )
  expect(rows.slice(1).map(({ subject }) => subject)).toContain('region=south')
  expect(rows.slice(1).every(({ verdict }) => verdict === 'none')).toBe(true)
})

test('errors of numbers, by a feature', async () => {
  const rows = await run('searched-numbers', 'regression', ({ amount }) =>
    amount < 25 ? 0.7 : 0.1,
  )
  expect(rows[0]).toMatchObject({ verdict: 'alarm' })
  expect(rows[0]!.reason).toMatch(/^amount<2\d(\.\d+)?: mean absolute error \d/)
})

test('where nothing fell behind it says what was searched', async () => {
  const rows = await run('searched-calm', 'binary', () => 0.1)
  expect(rows[0]).toMatchObject({ verdict: 'ok' })
  expect(rows[0]!.reason).toMatch(/^1\d cohorts searched, none fell behind/)
})
