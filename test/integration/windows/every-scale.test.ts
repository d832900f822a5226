/**
 * A shift is seen at every scale of numbers and at every rate of events: no feature reads ok by bins
 * that could not have shown it. Fewer than 8 values of a quarter of an hour have bins that are too coarse
 * for some scales; raw rows decide there.
 */
import { beforeAll, expect, test } from 'vitest'
import { normals } from '../../../bench/streams.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const normal = normals(uniforms(31))
let stream: Pipeline

beforeAll(async () => {
  stream = await pipeline()
})

/** A value with the location moved by so many of its standard deviations. */
const SCALES: Record<string, (shift: number) => number> = {
  'near one': (s) => 1 + 0.1 * (normal() + s),
  'counts of ten to the fifteen': (s) => Math.round(1e15 + 1000 * (normal() + s)),
  'epoch milliseconds of some seconds': (s) =>
    Math.round(Date.UTC(2026, 0, 5) + 5000 * (normal() + s)),
  'epoch seconds': (s) => Math.round(Date.UTC(2026, 0, 5) / 1000 + 300 * (normal() + s)),
  'ten to the three hundred': (s) => 1e300 * (1 + 0.1 * (normal() + s)),
  'ten to the minus three hundred': (s) => 1e-300 * (1 + 0.1 * (normal() + s)),
  'both signs': (s) => normal() + s,
  'negative and far': (s) => -1e12 + 10 * (normal() + s),
}

test.each([
  ['busy', 400],
  ['quiet', 20],
])('%s', async (pace, perHour) => {
  const { connect, db, predictions } = stream
  const size = pace === 'busy' ? 1 : 24
  const model = parseModel(`
model_id: ${pace}
task: binary
windows: { size: ${size}h, lateness: 1m, min_count: 100 }
references: { training: { kind: first, windows: 8, baseline: true } }
`)
  const emit = (n: number, shift: number) =>
    predictions(
      Array.from({ length: perHour * size }, (_, i) => ({
        prediction_id: `${n}-${i}`,
        model_id: pace,
        model_version: '1',
        predicted_at: new Date(
          START + n * size * HOUR + Math.floor((i * HOUR) / perHour),
        ).toISOString(),
        features: Object.fromEntries(Object.entries(SCALES).map(([name, of]) => [name, of(shift)])),
      })),
    )
  for (let n = 0; n < 9; n++) await emit(n, 0)
  await emit(9, 1)
  await emit(10, 3)
  await evaluateOn(connect('drift'), { now: () => START + 5000 * HOUR })(model)
  const rows = await db.query<{
    subject: string
    verdicts: string[]
    reasons: string[]
    widths: number[]
  }>(
    `SELECT subject, groupArrayIf(verdict, metric = 'psi') AS verdicts, groupArrayIf(reason, metric = 'psi') AS reasons,
       groupArrayIf(bound_high - bound_low, metric = 'ks') AS widths
     FROM (SELECT * FROM window_metrics_latest ORDER BY window_start)
     WHERE model_id = {model:String} AND convention = 'plumbline' AND subject IN {subjects:Array(String)} AND window_start >= fromUnixTimestamp64Milli({from:Int64})
     GROUP BY subject`,
    { model: pace, subjects: Object.keys(SCALES), from: START + 8 * size * HOUR },
  )
  expect(rows.map(({ subject }) => subject).toSorted()).toEqual(Object.keys(SCALES).toSorted())
  for (const { subject, verdicts, reasons, widths } of rows) {
    expect([subject, ...verdicts]).toEqual([subject, 'ok', 'alarm', 'alarm'])
    expect(widths.every((width) => width < 0.1)).toBe(true)
    // By the windows of the reference, not by a fixed line over raw rows.
    if (pace === 'busy')
      expect(reasons[1]).toMatch(/^values lie [01]\.\d\d standard deviations higher/)
  }
})
