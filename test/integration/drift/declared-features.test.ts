/** Codes that are numbers on the wire are evaluated as categories where the model file says so. */
import { beforeAll, expect, test } from 'vitest'
import { declaredCodes, parseModel, type Model } from '../../../lib/models/model-files.ts'
import { asDeclared } from '../../../services/drift/data/declared-features.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const HOUR = 3_600_000
const fileOf = (modelId: string, features: string) =>
  parseModel(`{ model_id: ${modelId}, task: binary, windows: { size: 1h, min_count: 20, lateness: 1m }, features: ${features},
    references: { first: { kind: first, windows: 1, baseline: true } } }`)

/** Two hours of shops: in the second one of them is another, whose number lies in between. */
const events = (modelId: string, codes: readonly number[], sampled = false) =>
  [0, 1].flatMap((hour) =>
    Array.from({ length: 120 }, (_, i) => ({
      prediction_id: `${hour}-${i}`,
      model_id: modelId,
      model_version: '1',
      predicted_at: new Date(START + hour * HOUR + i * 1000).toISOString(),
      prediction: '1',
      features: { shop: codes[hour === 1 && i % 3 === 0 ? 3 : i % 3], size: i % 5 },
      ...(sampled && { sampling_fraction: 0.5 }),
    })),
  )

let on: Pipeline
/** Models whose files ingest knows. */
const known = new Map<string, Model>()
beforeAll(async () => {
  on = await pipeline({
    codesOf: (modelId) => declaredCodes(known.get(modelId)?.features ?? {}),
  })
})

async function resultsOf(model: ReturnType<typeof fileOf>, subject = 'shop') {
  await evaluateOn(on.connect('drift'), { now: () => START + 50 * HOUR })(model)
  const results = await on.db.query<{
    metric: string
    value: number
    reason: string
    verdict: string
  }>(
    `SELECT metric, value, reason, verdict FROM window_metrics_latest WHERE model_id = '${model.modelId}' AND subject = '${subject}'
     AND window_start = '2026-01-05 01:00:00' AND convention = 'plumbline'`,
  )
  return (metric: string) => results.find((one) => one.metric === metric)
}

/** Codes this large share bins; `small` ones have a bin each. */
const LARGE = [5_000_101, 5_000_102, 5_000_104, 5_000_103]
const SMALL = [11, 12, 14, 13]

test.each([
  { name: 'large', codes: LARGE, sampled: false },
  { name: 'sampled', codes: LARGE, sampled: true },
])(
  '$name codes are counted as categories from the first event on',
  async ({ name, codes, sampled }) => {
    const model = fileOf(name, '{ shop: categorical, size: numeric }')
    known.set(name, model)
    await on.predictions(events(name, codes, sampled))
    const of = await resultsOf(model)
    expect(of('chi_squared')).toBeDefined()
    expect(of('ks')).toBeUndefined()
    expect(of('new_category_ratio')).toMatchObject({ value: 1 / 3, reason: 'new: 5000103' })
    expect(of('missing_ratio')).toMatchObject({ value: 0 })
    expect(of('psi')!.verdict).toBe('alarm')
    const [raw] = [
      await driftQueries(on.db).rawCounts(name, [{ start: START, end: START + HOUR }], ALL, {
        exact: true,
        unweighted: true,
      }),
    ]
    expect(
      [...asDeclared(raw, model).categories.get('shop')!.keys()].toSorted((a, b) =>
        a < b ? -1 : 1,
      ),
    ).toEqual(['5000101', '5000102', '5000104'])
  },
)

test('codes that were counted as numbers before are categories where each has a bin', async () => {
  const model = fileOf('small', '{ shop: categorical }')
  await on.predictions(events('small', SMALL))
  const of = await resultsOf(model)
  expect(of('new_category_ratio')).toMatchObject({ value: 1 / 3, reason: 'new: 13' })
  expect(of('ks')).toBeUndefined()
})

test('where several codes share a bin nothing is said, with the reason', async () => {
  const model = fileOf('shared', '{ shop: categorical }')
  // Wide apart, so that bins are coarse: and close together within them.
  await on.predictions(events('shared', [...LARGE.slice(0, 2), 7, LARGE[3]!]))
  const of = await resultsOf(model)
  expect(of('psi')).toMatchObject({ value: null, verdict: 'incomplete' })
  expect(of('psi')!.reason).toContain('several codes share a bin')
  expect(of('type_mismatch_ratio')).toBeUndefined()
})

test('a feature nobody declared that is null in every event is told, and one that has values is not', async () => {
  const model = fileOf('nulls', '{}')
  await on.predictions(
    events('nulls', SMALL).map((event, i) => ({
      ...event,
      features: { ...event.features, ghost: null, city: i < 60 ? 'a' : null },
    })),
  )
  const ghost = await resultsOf(model, 'ghost')
  expect(ghost('missing_ratio')).toMatchObject({ value: 1, verdict: 'warning' })
  expect(ghost('missing_ratio')!.reason).toBe(
    'null in every event that names it, in the window and in the reference alike',
  )
  expect(ghost('psi')).toBeUndefined()
  const city = await resultsOf(model, 'city')
  expect(city('missing_ratio')).toMatchObject({
    value: 1,
    reason: expect.not.stringContaining('null'),
  })
  expect(city('psi')).toMatchObject({ value: null, reason: 'no value in this window' })
})
