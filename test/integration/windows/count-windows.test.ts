/** Windows of a number of events: as few quarters of an hour as hold so many. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const STEP = 15 * 60_000
const START = Date.UTC(2026, 0, 5)
const model = parseModel(`
model_id: busy
task: binary
windows: { size: 250 events, lateness: 15m, min_count: 100 }
references: { baseline: { kind: first, windows: 1, baseline: true } }
`)

let stream: Pipeline
let evaluate: ReturnType<typeof evaluateOn>
let now = START + 100 * STEP

beforeAll(async () => {
  stream = await pipeline()
  evaluate = evaluateOn(stream.connect('drift'), { now: () => now })
})

/** @param steps events of each quarter of an hour, from the first on */
async function emit(steps: readonly number[], id: string, shift = 0) {
  await stream.predictions(
    steps.flatMap((count, step) =>
      Array.from({ length: count }, (_, i) => ({
        prediction_id: `${id}-${step}-${i}`,
        model_id: 'busy',
        model_version: '1',
        predicted_at: new Date(START + step * STEP + Math.floor((i * STEP) / count)).toISOString(),
        features: { x: (i % 50) + (step >= 6 ? shift : 0) },
      })),
    ),
  )
}

const evaluated = () =>
  stream.db.query(
    `SELECT dateDiff('minute', toDateTime64('2026-01-05', 3, 'UTC'), window_start) / 15 AS from, dateDiff('minute', toDateTime64('2026-01-05', 3, 'UTC'), window_end) / 15 AS to,
       argMax(events, revision) AS events, max(revision) AS revision
     FROM window_revisions WHERE model_id = 'busy' GROUP BY window_start, window_end ORDER BY window_start`,
  )

test('each closes with the quarter of an hour that fills it, the last one waits', async () => {
  await emit([100, 100, 100, 0, 240, 20, 400, 10], 'a', 40)
  await evaluate(model)
  expect(await evaluated()).toEqual([
    { from: 0, to: 3, events: '300', revision: 1 },
    { from: 3, to: 6, events: '260', revision: 1 },
    { from: 6, to: 7, events: '400', revision: 1 },
  ])
  const [psi] = await stream.db.query(
    `SELECT verdict FROM window_metrics_latest WHERE model_id = 'busy' AND metric = 'psi' AND subject = 'x' AND reference = 'baseline' AND window_start = toDateTime64('2026-01-05 01:30:00', 3, 'UTC')`,
  )
  expect(psi).toEqual({ verdict: 'alarm' })
})

test('late events restate the window they fall into, and move no border', async () => {
  await emit([0, 0, 30, 30], 'late')
  now += 20_000
  await evaluate(model)
  expect(await evaluated()).toEqual([
    { from: 0, to: 3, events: '330', revision: 2 },
    { from: 3, to: 6, events: '290', revision: 2 },
    { from: 6, to: 7, events: '400', revision: 1 },
  ])
})
