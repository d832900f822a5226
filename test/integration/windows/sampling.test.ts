/**
 * A stream of which part was drawn, with a probability that depends on the score: evaluated as the
 * whole stream would be.
 */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const EVENTS = 20_000
const model = parseModel(`
model_id: sampled
task: binary
windows: { size: 1d, lateness: 1h, min_count: 100 }
references:
  training: { kind: fixed, from: 2026-01-01T00:00:00Z, to: 2026-01-02T00:00:00Z, baseline: true }
`)
const uniform = uniforms(8)
let on: Pipeline

/**
 * The first day is whole; of the second the low scores are drawn one in twenty, as a costly model’s
 * might be.
 */
beforeAll(async () => {
  on = await pipeline()
  const whole = Array.from({ length: 2 * EVENTS }, (_, i) => {
    const score = uniform()
    return {
      prediction_id: `s-${i}`,
      model_id: 'sampled',
      model_version: '1',
      predicted_at: new Date(
        START + Math.floor(i / EVENTS) * DAY + ((i % EVENTS) / EVENTS) * DAY,
      ).toISOString(),
      prediction: score > 0.5 ? '1' : '0',
      score,
      cost_usd: 0.01,
      ...(score > 0.9 && { status: 'error' }),
      features: { amount: 100 * score, kind: score > 0.9 ? 'rare' : 'usual' },
    }
  })
  const kept = whole.flatMap((event, i) => {
    if (i < EVENTS) return [event]
    const sampling_fraction = event.score < 0.8 ? 0.05 : 1
    return uniform() < sampling_fraction ? [{ ...event, sampling_fraction }] : []
  })
  for (let i = 0; i < kept.length; i += 5000) await on.predictions(kept.slice(i, i + 5000))
  await evaluateOn(on.connect('drift'), { now: () => START + 100 * DAY })(model)
})

const told = async (metric: string, subject: string) => {
  const [row] = await on.db.query<{
    value: number
    n_current: string
    n_effective: number | null
    verdict: string
  }>(
    `SELECT value, n_current, n_effective, verdict FROM window_metrics_latest
     WHERE metric = {metric:String} AND subject = {subject:String} AND window_start = '2026-01-02' AND (reference = 'training' OR family = 'operations')`,
    { metric, subject },
  )
  return row!
}

test('nothing has moved, and nothing is said to have', async () => {
  for (const subject of ['amount', '@score', 'kind', '@prediction']) {
    const psi = await told('psi', subject)
    expect({ subject, verdict: psi.verdict }).toEqual({ subject, verdict: 'ok' })
    // Counted as they came it is above 0.4.
    expect(psi.value).toBeLessThan(0.02)
  }
  expect((await told('missing_ratio', 'amount')).value).toBeLessThan(1e-9)
})

test('how much that is worth is said: Kish’s effective number', async () => {
  const { n_current, n_effective } = await told('psi', 'amount')
  // 0.8 of the stream in steps of 20, the rest one by one.
  const [low, high] = [0.8 * EVENTS * 0.05, 0.2 * EVENTS]
  const kish = (20 * low + high) ** 2 / (400 * low + high)
  expect(n_effective! / kish).toBeGreaterThan(0.9)
  expect(n_effective! / kish).toBeLessThan(1.1)
  expect(Math.abs(Number(n_current) - n_effective!)).toBeLessThan(1)
})

test('throughput and cost are those of the stream', async () => {
  const throughput = await told('throughput_per_s', '')
  expect(throughput.value * (DAY / 1000)).toBeGreaterThan(0.9 * EVENTS)
  expect(throughput.value * (DAY / 1000)).toBeLessThan(1.1 * EVENTS)
  const cost = await told('cost_usd', '')
  // Four in ten of those that were drawn failed.
  const errors = await told('error_ratio', '')
  expect(errors.value).toBeGreaterThan(0.09)
  expect(errors.value).toBeLessThan(0.11)
  expect(cost.value / (0.01 * throughput.value * (DAY / 1000))).toBeCloseTo(1, 6)
})

test('raw rows, weighted, give the same as the counts', async () => {
  const queries = driftQueries(on.db)
  const span = [{ start: START + DAY, end: START + 2 * DAY }]
  const counted = await queries.counts('sampled', span, ALL)
  const raw = await queries.rawCounts('sampled', span, ALL, { exact: false, unweighted: false })
  expect(raw.effective).toBeCloseTo(counted.effective!, 6)
  expect(raw.errorWeight).toBeCloseTo(counted.errorWeight!, 6)
  const sums = (counts: typeof raw, name: string) => ({
    n: counts.numeric.get(name)!.counts.reduce((sum, n) => sum + n, 0),
    total: counts.numeric.get(name)!.totals.reduce((sum, n) => sum + n, 0),
  })
  for (const name of ['amount', '@score']) {
    expect(sums(raw, name).n).toBeCloseTo(sums(counted, name).n, 6)
    expect(sums(raw, name).total).toBeCloseTo(sums(counted, name).total, 4)
  }
  expect(raw.categories.get('kind')!.get('rare')).toBeCloseTo(
    counted.categories.get('kind')!.get('rare')!,
    6,
  )
  const unweighted = await queries.rawCounts('sampled', span, ALL, {
    exact: true,
    unweighted: true,
  })
  expect(sums(unweighted, 'amount').n).toBe(unweighted.events)
})
