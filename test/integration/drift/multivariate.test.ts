/**
 * What no feature shows: those that hang together as never before, and embeddings that lie
 * elsewhere.
 */
import { beforeAll, expect, test } from 'vitest'
import { normals } from '../../../bench/streams.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { windowExamples } from '../../../services/drift/queries/window-examples.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const iso = (day: number) => new Date(START + day * DAY).toISOString()
const modelOf = (id: string, more: string) =>
  parseModel(`
model_id: ${id}
task: binary
windows: { size: 1d, lateness: 1h, min_count: 100 }
references: { training: { kind: fixed, from: ${iso(0)}, to: ${iso(10)}, baseline: true } }
${more}
`)
const normal = normals(uniforms(5))

let stream: Pipeline
beforeAll(async () => {
  stream = await pipeline()
})

const emit = (model: string, day: number, correlation: number) =>
  stream.predictions(
    Array.from({ length: 400 }, (_, i) => {
      const [x, y] = [normal(), normal()]
      return {
        prediction_id: `${day}-${i}`,
        model_id: model,
        model_version: '1',
        predicted_at: new Date(START + day * DAY + i * 60_000).toISOString(),
        features: {
          x,
          y: correlation * x + Math.sqrt(1 - correlation ** 2) * y,
          color: normal() > 0 ? 'red' : 'green',
          ...(i % 3 > 0 && { seldom: normal() }),
        },
      }
    }),
  )

const found = (model: string) =>
  stream.db.query<{
    day: number
    subject: string
    metric: string
    verdict: string
    value: number
    reason: string
  }>(
    `SELECT dateDiff('day', toDateTime64('2026-01-01', 3, 'UTC'), window_start) AS day, subject, metric, verdict, value, reason FROM window_metrics_latest
     WHERE model_id = '${model}' AND window_start >= '2026-01-11' AND (metric IN ('domain_auc', 'mmd') OR verdict = 'alarm') ORDER BY window_start, metric`,
  )

test('a classifier finds it, within the budget, and says what told it', async () => {
  const model = modelOf('hanging', 'multivariate: { rows: 300 }')
  for (let day = 0; day < 12; day++) await emit('hanging', day, day === 11 ? 0.9 : 0)
  await evaluateOn(stream.connect('drift'), { now: () => START + 100 * DAY })(model)
  const [calm, moved, ...others] = await found('hanging')
  expect(calm).toMatchObject({ day: '10', metric: 'domain_auc', verdict: 'ok' })
  expect(moved).toMatchObject({ day: '11', metric: 'domain_auc', verdict: 'alarm' })
  expect(moved!.value).toBeGreaterThan(0.6)
  expect(moved!.reason).toMatch(/^rows of then and now are told apart by [xy] \d+ %, [xy] \d+ %/)
  // No feature by itself says anything.
  expect(others).toEqual([])
})

test('nobody is asked where the model file does not say so', async () => {
  const model = modelOf('plain', '')
  for (let day = 9; day < 12; day++) await emit('plain', day, day === 11 ? 0.9 : 0)
  await evaluateOn(stream.connect('drift-plain'), { now: () => START + 100 * DAY })(model)
  expect(await found('plain')).toEqual([])
})

test('embeddings that lie elsewhere alarm, by kernel and by classifier; others do not', async () => {
  const model = modelOf('embedded', 'multivariate: { rows: 150 }')
  for (let day = 0; day < 13; day++)
    await stream.predictions(
      Array.from({ length: 150 }, (_, i) => ({
        prediction_id: `${day}-${i}`,
        model_id: 'embedded',
        model_version: '1',
        predicted_at: new Date(START + day * DAY + i * 60_000).toISOString(),
        // On the last day in spaces of two lengths: those of another one are left out.
        embedding: Array.from(
          { length: day === 12 && i % 3 === 1 ? 4 : 8 },
          (__, k) => normal() + (day === 11 && k < 3 ? 0.8 : 0),
        ),
      })),
    )
  await evaluateOn(stream.connect('drift-embedded'), { now: () => START + 100 * DAY })(model)
  const told = (await found('embedded')).map(
    ({ day, subject, metric, verdict }) => `${day} ${subject} ${metric} ${verdict}`,
  )
  expect(told).toEqual([
    '10 @embedding domain_auc ok',
    '10 @embedding mmd ok',
    '11 @embedding domain_auc alarm',
    '11 @embedding mmd alarm',
    '12 @embedding domain_auc ok',
    '12 @embedding mmd ok',
  ])
})

test('embeddings where the baseline has none are counted, alarm, and are kept by their ids', async () => {
  const model = modelOf('novel', 'multivariate: { rows: 200 }')
  const rows = 200
  // Each fifth event of the last day is about something else.
  const isNew = (day: number, i: number) => day === 11 && i % 5 === 0
  for (let day = 0; day < 12; day++)
    await stream.predictions(
      Array.from({ length: rows }, (_, i) => ({
        prediction_id: `${isNew(day, i) ? 'new' : 'known'}-${day}-${i}`,
        model_id: 'novel',
        model_version: '1',
        predicted_at: new Date(START + day * DAY + i * 60_000).toISOString(),
        embedding: Array.from(
          { length: 6 },
          (__, k) => normal() + (isNew(day, i) && k === 0 ? 9 : 0),
        ),
      })),
    )
  await evaluateOn(stream.connect('drift-novel'), { now: () => START + 100 * DAY })(model)
  const [calm, moved] = await stream.db.query<{
    verdict: string
    value: number
    ci_low: number
    ci_high: number
    n_current: string
    reason: string
  }>(
    `SELECT verdict, value, ci_low, ci_high, n_current, reason FROM window_metrics_latest
     WHERE model_id = 'novel' AND metric = 'novelty' AND window_start >= '2026-01-11' ORDER BY window_start`,
  )
  expect(calm).toMatchObject({ verdict: 'ok', n_current: String(rows) })
  expect(calm!.value).toBeLessThan(0.06)
  expect(moved).toMatchObject({ verdict: 'alarm' })
  expect(moved!.value).toBeGreaterThan(0.2 - 1e-9)
  expect([moved!.ci_low < moved!.value, moved!.ci_high > moved!.value]).toEqual([true, true])
  expect(moved!.reason).toMatch(
    /^\d+ of 200 lie farther from the nearest of 200 embeddings of the baseline than 99 % of these lie from one another, \d/,
  )
  const kept = await windowExamples(stream.db, {
    ...{ modelId: 'novel', kind: 'novel', subject: '', most: 100 },
    ...{ from: iso(11), to: iso(12) },
  })
  expect(kept).toHaveLength(5)
  // The first stands for most of them; one that is far away by chance may follow.
  const areNew = kept.map(({ prediction_id: id }) => id.startsWith('new-11-'))
  expect(areNew[0]).toBe(true)
  expect(areNew.filter(Boolean).length).toBeGreaterThan(2)
  for (const { subject, score } of kept) {
    expect(subject).toBe('@embedding')
    expect(score! > 0 && score! < 1).toBe(true)
  }
  expect(new Set(kept.map(({ prediction_id: id }) => id)).size).toBe(5)
})
