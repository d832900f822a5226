/** What goes wrong upstream is told and evaluated, each fault by a metric that names it. */
import { beforeAll, expect, test } from 'vitest'
import { normals } from '../../../bench/streams.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const normal = normals(uniforms(32))
let stream: Pipeline
beforeAll(async () => {
  stream = await pipeline()
})
test('text for numbers, other units, nothing at all', async () => {
  const { connect, db, predictions } = stream
  const model = parseModel(`
model_id: faults
task: binary
windows: { size: 1h, lateness: 1m, min_count: 100 }
references: { training: { kind: first, windows: 8, baseline: true } }
`)
  const emit = (n: number, faulty: boolean) =>
    predictions(
      Array.from({ length: 1000 }, (_, i) => ({
        prediction_id: `${n}-${i}`,
        model_id: 'faults',
        model_version: '1',
        predicted_at: new Date(START + n * HOUR + i * 1000).toISOString(),
        features: {
          texted: faulty ? String(50 + 10 * normal()) : 50 + 10 * normal(),
          scaled: (50 + 10 * normal()) * (faulty && i % 100 === 0 ? 1000 : 1),
          allscaled: (50 + 10 * normal()) * (faulty ? 1000 : 1),
          shrunk: (50 + 10 * normal()) * (faulty ? 0.001 : 1),
          gone: faulty ? null : normal(),
          numbered: faulty ? i % 3 : 'abc'[i % 3],
          spread: normal() * (faulty ? 100 : 1),
        },
      })),
    )
  for (let n = 0; n < 9; n++) await emit(n, false)
  await emit(9, true)
  await evaluateOn(connect('drift'), { now: () => START + 5000 * HOUR })(model)
  const rows = await db.query<{ fault: string; reason: string }>(
    `SELECT concat(subject, ' ', metric) AS fault, reason FROM window_metrics_latest
     WHERE model_id = 'faults' AND window_start = {start:DateTime64(3, 'UTC')} AND family IN ('drift', 'quality') AND verdict = {verdict:String}
     ORDER BY fault`,
    { start: '2026-01-05 09:00:00.000', verdict: 'alarm' },
  )
  const reasons = Object.fromEntries(rows.map(({ fault, reason }) => [fault, reason]))
  expect(Object.keys(reasons)).toEqual([
    'allscaled psi',
    'gone missing_ratio',
    'numbered type_mismatch_ratio',
    'scaled out_of_range_ratio',
    'shrunk psi',
    'spread psi',
    'texted type_mismatch_ratio',
  ])
  expect(reasons).toMatchObject({
    'allscaled psi': expect.stringMatching(
      /^values lie \d\.\d\d standard deviations higher: the median is \d{5} after [\d.]+ \(× (1\d{3}|9\d\d)\)/,
    ) as string,
    'shrunk psi': expect.stringMatching(/\(× 0\.001\)/) as string,
    'spread psi': expect.stringMatching(
      /^values spread (9\d|1[01]\d) times as wide: the middle half spans/,
    ) as string,
    'texted type_mismatch_ratio': expect.stringMatching(
      /^text where numbers were 100\.0 % after 0\.0 %/,
    ) as string,
    'scaled out_of_range_ratio': expect.stringMatching(
      /^the window reaches from [\d.]+ to \d{5}[\d.]*: far out of range 1\.0 % after 0\.0 %/,
    ) as string,
  })
  // The windows before them are calm.
  const calm = await db.query(
    `SELECT subject, metric, reason FROM window_metrics_latest WHERE model_id = 'faults' AND window_start < '2026-01-05 09:00:00' AND family IN ('drift', 'quality') AND verdict IN ('alarm', 'warning')`,
  )
  expect(calm).toEqual([])
})
