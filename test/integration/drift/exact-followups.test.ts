/** What counts leave open, settled from rows. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const uniform = uniforms(12)
let stream: Pipeline

beforeAll(async () => {
  stream = await pipeline()
})

test('D on either side of its line is settled; a drifted feature says what it does to the score', async () => {
  const { connect, db, predictions } = stream
  const hour = (n: number) => new Date(START + n * HOUR).toISOString()
  const model = parseModel(`
model_id: open
task: binary
windows: { size: 1h, lateness: 1m, min_count: 100 }
references: { training: { kind: fixed, from: ${hour(0)}, to: ${hour(1)}, baseline: true } }
`)
  // Three in ten lie in one bin of a grid that spans twenty octaves.
  const spread = (low: number, high: number) =>
    uniform() < 0.3 ? low + (high - low) * uniform() : 10 ** (10 * uniform() - 5)
  const emit = (n: number, low: number, high: number, shift: number) =>
    predictions(
      Array.from({ length: 1000 }, (_, i) => {
        const x = shift + uniform()
        return {
          prediction_id: `${n}-${i}`,
          model_id: 'open',
          model_version: '1',
          predicted_at: new Date(START + n * HOUR + i * 1000).toISOString(),
          score: 0.1 + 0.2 * x,
          features: { within: spread(low, high), x },
        }
      }),
    )
  await emit(0, 100.05, 100.2, 0)
  await emit(1, 100.05, 100.2, 0)
  await emit(2, 100.3, 100.45, 0)
  await emit(3, 100.05, 100.2, 0.5)
  await evaluateOn(connect('drift'), { now: () => START + 50 * HOUR })(model)
  const ks = await db.query<{
    value: number
    bound_low: number
    bound_high: number
    precision: string
    verdict: string
    reason: string
  }>(
    `SELECT value, bound_low, bound_high, precision, verdict, reason FROM window_metrics_latest
     WHERE subject = 'within' AND metric = 'ks' AND convention = 'plumbline' AND verdict != 'none' ORDER BY window_start`,
  )
  expect(ks.map(({ verdict, precision }) => `${verdict} ${precision}`)).toEqual([
    'ok exact',
    'alarm exact',
    'ok exact',
  ])
  for (const { value, bound_low, bound_high, reason } of ks) {
    expect([bound_low, bound_high]).toEqual([value, value])
    expect(reason).toContain('settled from raw rows')
  }
  expect(ks[1]!.value).toBeGreaterThan(0.25)
  expect(ks[1]!.value).toBeLessThan(0.35)

  const [moved] = await db.query<{ reason: string }>(
    `SELECT reason FROM window_metrics_latest WHERE subject = 'x' AND metric = 'psi' AND verdict = 'alarm'`,
  )
  const [, alone, all] = /alone it moves the score by \+([\d.]+) of \+([\d.]+)$/.exec(
    moved!.reason,
  )!
  expect(Number(all)).toBeCloseTo(0.1, 1)
  // The half that lies beyond the reference is taken to score as its uppermost tenth.
  expect(Number(alone)).toBeGreaterThan(0.06)
})

test('one new value in 5 % of 1 000 rows alarms and is named; values close together are no such value', async () => {
  const { connect, db, predictions } = stream
  const model = parseModel(`
model_id: spiked
task: binary
windows: { size: 1h, lateness: 1m, min_count: 100 }
references: { training: { kind: first, windows: 8, baseline: true } }
`)
  const within = (low: number, high: number) => low + (high - low) * uniform()
  const emit = (n: number, of: (i: number) => Record<string, number>) =>
    predictions(
      Array.from({ length: 1000 }, (_, i) => ({
        prediction_id: `${n}-${i}`,
        model_id: 'spiked',
        model_version: '1',
        predicted_at: new Date(START + n * HOUR + i * 1000).toISOString(),
        features: { amount: within(20, 80), near: within(20, 80), ...of(i) },
      })),
    )
  for (let n = 0; n < 8; n++) await emit(n, () => ({}))
  await emit(8, () => ({}))
  await emit(9, (i) => (i % 20 === 0 ? { amount: 42.42, near: within(42.4, 42.41) } : {}))
  await evaluateOn(connect('drift'), { now: () => START + 50 * HOUR })(model)
  const shares = await db.query<{
    subject: string
    hour: number
    value: number
    verdict: string
    precision: string
    reason: string
  }>(
    `SELECT subject, toHour(window_start) AS hour, value, verdict, precision, reason FROM window_metrics_latest
     WHERE metric = 'new_atom_share' AND window_start >= '2026-01-05 08:00:00' ORDER BY hour, subject`,
  )
  expect(shares.map(({ subject, hour, verdict }) => `${subject} ${hour} ${verdict}`)).toEqual([
    'amount 8 ok',
    'near 8 ok',
    'amount 9 alarm',
    'near 9 ok',
  ])
  expect(shares[2]!).toMatchObject({ value: 0.05, precision: 'exact' })
  expect(shares[2]!.reason).toMatch(
    /^the value 42\.42; 5\.\d % after 0\.\d %; more than the reference's own windows differ; settled from raw rows$/,
  )
  expect(shares[3]!.value).toBeLessThan(0.01)
})
