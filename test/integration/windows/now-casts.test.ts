/** Now-casts of cohorts: each is corrected by what late labels did to its own earlier windows. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
let stream: Pipeline
let evaluate: ReturnType<typeof evaluateOn>
let now = START

beforeAll(async () => {
  stream = await pipeline()
  evaluate = evaluateOn(stream.connect('drift'), { now: () => now })
})

const model = parseModel(
  '{ model_id: late, windows: { size: 1h, min_count: 10, lateness: 1m }, task: binary, labels: { horizon: 20h }, slices: [region] }',
)
/** Events of a region in an hour; labels are early where `labelled` says so. */
const REGIONS = ['north', 'south'] as const
const PER_REGION = 200
const EARLY = 80

const id = (hour: number, region: string, i: number) => `${hour}-${region}-${i}`

const predict = (...hours: number[]) =>
  stream.predictions(
    hours.flatMap((hour) =>
      REGIONS.flatMap((region) =>
        Array.from({ length: PER_REGION }, (_, i) => ({
          prediction_id: id(hour, region, i),
          model_id: 'late',
          model_version: '1',
          predicted_at: new Date(START + hour * HOUR + i * 1000).toISOString(),
          prediction: '1',
          attributes: { region },
        })),
      ),
    ),
  )

/** @param right how many labels of each region agree with the prediction, from index `from` on */
const tell = (
  right: Record<(typeof REGIONS)[number], number>,
  { from, to }: { from: number; to: number },
  ...hours: number[]
) =>
  stream.labels(
    hours.flatMap((hour) =>
      REGIONS.flatMap((region) =>
        Array.from({ length: to - from }, (_, i) => ({
          label_id: id(hour, region, from + i),
          model_id: 'late',
          prediction_id: id(hour, region, from + i),
          label: i < right[region] ? '1' : '0',
          labelled_at: new Date(START).toISOString(),
          source: 'ground_truth',
        })),
      ),
    ),
  )

const nowCasts = async (hour: number) => {
  const rows = await stream.db.query<{ slice_value: string; value: number | null; reason: string }>(
    `SELECT slice_value, value, reason FROM window_metrics_latest
     WHERE model_id = 'late' AND method = 'nowcast' AND metric = 'nowcast_accuracy' AND toUnixTimestamp64Milli(window_start) = ${START + hour * HOUR}
     ORDER BY slice_value`,
  )
  return new Map(rows.map((row) => [row.slice_value, row]))
}

test('a slice whose mistakes are told late is corrected, and one whose labels are alike is not', async () => {
  const hours = [0, 1, 2, 3, 4, 5, 6, 7]
  const early = { from: 0, to: EARLY }
  const late = { from: EARLY, to: PER_REGION }
  const at = async (hour: number) => {
    now = START + (hour + 0.5) * HOUR
    await evaluate(model)
  }
  await predict(...hours)
  await tell({ north: 76, south: 72 }, early, ...hours)
  await at(8)
  // The first windows were measured at this age by none before them.
  expect([...(await nowCasts(0)).keys()]).toEqual([''])
  await tell({ north: 90, south: 108 }, late, ...hours)
  await at(28)
  await predict(28)
  await tell({ north: 72, south: 72 }, early, 28)
  await at(29)
  const found = await nowCasts(28)
  expect([...found.keys()]).toEqual(['', 'north', 'south'])
  // In the north odds of 19 become 166 / 34, and here they begin at 9; in the south 9 stays 9.
  const odds = (9 * (166 / 34)) / 19
  expect(found.get('north')!.value).toBeCloseTo(odds / (1 + odds), 9)
  expect(found.get('south')!.value).toBeCloseTo(0.9, 9)
  expect(found.get('')!.value).toBeGreaterThan(odds / (1 + odds))
  expect(found.get('')!.value).toBeLessThan(0.9)
  expect(found.get('north')!.reason).toMatch(/^80 of about 200 labels are in; as in 8 earlier/)
})
