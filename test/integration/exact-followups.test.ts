/** What counts leave open, settled from rows. */
import { expect, test } from 'vitest'
import { parseModel } from '../../lib/models/model-files.ts'
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../evaluating.ts'
import { pipeline } from '../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const uniform = uniforms(12)

test('D on either side of its line is settled; a drifted feature says what it does to the score', async () => {
  const { connect, db, predictions } = await pipeline()
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
  const [, alone, all] = /alone it would move the score by \+([\d.]+) of \+([\d.]+)$/.exec(
    moved!.reason,
  )!
  expect(Number(all)).toBeCloseTo(0.1, 1)
  // The half that lies beyond the reference is taken to score as its uppermost tenth.
  expect(Number(alone)).toBeGreaterThan(0.06)
})
