/** Accuracy falls from 0.78 to 0.71 and stays there: no single window of 320 labels shows it. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const iso = (ms: number) => new Date(ms).toISOString()
const EVENTS = 320
/** Predictions that were right: eight days of the reference, two as usual, eight fallen. */
const RIGHT = [
  ...[250, 244, 255, 249, 246, 253, 252, 248],
  ...[247, 251],
  ...[230, 226, 228, 224, 231, 222, 227, 229],
]
const FALLEN_FROM = 10

const model = parseModel(`
model_id: m
task: binary
windows: { size: 1d, lateness: 1h, min_count: 100 }
references:
  training: { kind: fixed, from: ${iso(START)}, to: ${iso(START + 8 * DAY)}, baseline: true }
`)

let on: Pipeline
interface Row {
  day: number
  metric: string
  verdict: string
  p_adjusted: number | null
  reason: string
}
let rows: Row[]

beforeAll(async () => {
  on = await pipeline()
  for (const [day, right] of RIGHT.entries()) {
    const events = Array.from({ length: EVENTS }, (_, i) => ({
      prediction_id: `${day}-${i}`,
      model_id: 'm',
      model_version: '1',
      predicted_at: iso(START + day * DAY + (i * DAY) / EVENTS),
      prediction: i % 2 === 0 ? '1' : '0',
      score: i % 2 === 0 ? 0.78 : 0.22,
    }))
    await on.predictions(events)
    await on.labels(
      events.map(({ prediction_id, prediction, predicted_at }, i) => ({
        label_id: prediction_id,
        model_id: 'm',
        prediction_id,
        // Spread over the day: 7 and the number of events have no factor in common.
        label: (i * 7) % EVENTS < right ? prediction : prediction === '1' ? '0' : '1',
        labelled_at: predicted_at,
        source: 'ground_truth',
      })),
    )
  }
  await evaluateOn(on.connect('drift'), { now: () => START + 400 * DAY })(model)
  rows = await on.db.query<Row>(
    `SELECT toInt32(dateDiff('day', {start:DateTime64(3, 'UTC')}, window_start)) AS day, metric, verdict, p_adjusted, reason
     FROM window_metrics_latest WHERE model_id = 'm' AND family = 'performance' AND subject = '' AND convention = 'plumbline' AND method = 'observed' ORDER BY day`,
    { start: iso(START).slice(0, 23) },
  )
})

const accuracy = () => rows.filter(({ metric }) => metric === 'accuracy')

test('the fall alarms within three windows, and goes on', () => {
  const verdicts = accuracy().map(({ verdict }) => verdict)
  expect(verdicts.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => 'none'))
  expect(verdicts.slice(8, FALLEN_FROM)).toEqual(['ok', 'ok'])
  const fallen = verdicts.slice(FALLEN_FROM)
  expect(fallen[0]).not.toBe('alarm')
  const first = fallen.indexOf('alarm')
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThan(3)
  expect(new Set(fallen.slice(first))).toEqual(new Set(['alarm']))
})

test('the reason says over how many windows', () => {
  const { reason } = accuracy().at(-1)!
  expect(reason).toMatch(
    /^accuracy is 0\.71\d \[0\.\d+, 0\.\d+\] over the last \d+ windows where the baseline's was 0\.780/,
  )
})

test('what scores mean is a question of its own, and nothing alarms before the fall', () => {
  expect(rows.filter(({ day, verdict }) => day < FALLEN_FROM && verdict === 'alarm')).toEqual([])
  const metrics = new Set(rows.filter(({ p_adjusted }) => p_adjusted !== null).map((r) => r.metric))
  for (const metric of ['accuracy', 'f1', 'brier', 'log_loss', 'calibration_slope'])
    expect(metrics).toContain(metric)
})
