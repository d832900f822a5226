/** A producer that answers unlike all others of the same window is found, named and explained. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const HOUR = 3_600_000
const WINDOWS = 10
const PODS = ['pod-1', 'pod-2', 'pod-3']
let on: Pipeline

beforeAll(async () => {
  on = await pipeline()
})

interface Setting {
  /** In the last window pod-3 answers with the model before. */
  old?: boolean
  /** In the last window pod-2 leaves a feature out of half of its events. */
  broken?: boolean
}

async function run(modelId: string, { old, broken }: Setting) {
  const uniform = uniforms(7)
  const model = parseModel(`
model_id: ${modelId}
task: binary
windows: { size: 1d, min_count: 100, lateness: 0s, idle: 0s }
`)
  for (let w = 0; w < WINDOWS; w++)
    await on.predictions(
      Array.from({ length: 600 }, (_, i) => {
        const pod = PODS[i % 3]!
        const isLast = w === WINDOWS - 1
        const isOld = old === true && isLast && pod === 'pod-3'
        const amount = uniform()
        return {
          prediction_id: `${modelId}-${w}-${i}`,
          model_id: modelId,
          model_version: isOld ? '1' : '2',
          predicted_at: new Date(START + w * 24 * HOUR + i * 100_000).toISOString(),
          score: Math.min(1, (isOld ? 0.8 : 0.5) * amount + 0.2 * uniform()),
          features: isLast && broken && pod === 'pod-2' && i % 2 ? {} : { amount },
          producer: { id: pod, sequence: w * 200 + Math.floor(i / 3) },
        }
      }),
    )
  await evaluateOn(on.db, { now: () => START + 30 * 24 * HOUR })(model)
  return on.db.query<{
    w: number
    subject: string
    value: number | null
    verdict: string
    reason: string
  }>(
    `SELECT toUInt32((toUnixTimestamp(window_start) - {start:UInt32}) / 86400) AS w, subject, value, verdict, reason
     FROM window_metrics_latest WHERE model_id = {model:String} AND metric = 'odd_one_out' AND model_version = ''
     ORDER BY w, subject`,
    { model: modelId, start: START / 1000 },
  )
}

test('the pod with the old model is named', async () => {
  const rows = await run('old-pod', { old: true })
  const last = rows.filter(({ w, subject }) => w === WINDOWS - 1 && subject === 'producer')
  expect(last).toMatchObject([{ value: 1, verdict: 'alarm' }])
  expect(last[0]!.reason).toMatch(
    /^producer pod-3 is unlike the other 2: its @score is the higher in \d+ of 100 comparisons \(mean 0\.\d+, theirs 0\.\d+\); it sends version 1, most others 2$/,
  )
  expect(rows.find(({ subject }) => subject === 'producer=pod-3')?.verdict).toBe('none')
  // How much versions differ by nature nobody knows: the baseline had one.
  expect(rows.find(({ subject }) => subject === 'version')).toMatchObject({
    verdict: 'none',
    value: null,
  })
})

test('the pod that leaves a feature out is named', async () => {
  const rows = await run('broken-pod', { broken: true })
  const last = rows.filter(({ w, subject }) => w === WINDOWS - 1 && subject === 'producer')
  expect(last).toMatchObject([{ value: 1, verdict: 'alarm' }])
  expect(last[0]!.reason).toContain(
    'producer pod-2 is unlike the other 2: 50.0 % of its events have feature amount, 100 % of theirs',
  )
})

test('pods that answer alike are told to, and the baseline has no verdict', async () => {
  const rows = await run('alike-pods', {})
  expect(rows.filter(({ w }) => w < 8).every(({ verdict }) => verdict === 'none')).toBe(true)
  expect(rows.filter(({ w }) => w >= 8)).toMatchObject([
    { subject: 'producer', value: 0, verdict: 'ok' },
    { subject: 'producer', value: 0, verdict: 'ok' },
  ])
})
