/**
 * Counts that are kept of slices say what the raw rows say, however the rows and the questions for
 * them come.
 */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { binOf } from '../../../lib/sink/counts/log-histogram.ts'
import { mergedSample, type BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ensureCounted } from '../../../services/drift/queries/slice-counts.ts'
import type { Cohort } from '../../../services/drift/data/cohort.ts'
import type { WindowCounts } from '../../../services/drift/data/window-data.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const STEP = 900_000
const START = Date.UTC(2026, 0, 5)
const WINDOW = { start: START, end: START + 4 * STEP }
let on: Pipeline
let models = 0

beforeAll(async () => {
  on = await pipeline()
})

const event = fc.record(
  {
    at: fc.integer({ min: 0, max: 4 * STEP - 1 }),
    region: fc.constantFrom<string>('north', 'south', 'a\tb', ''),
    color: fc.constantFrom('red', 'blue', 7, true),
    amount: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    version: fc.constantFrom('1', '2'),
    shadow: fc.boolean(),
    failed: fc.boolean(),
    sampling_fraction: fc.constantFrom(1, 0.5, 0.1),
  },
  { requiredKeys: ['at', 'region', 'version'] },
)
type Generated = typeof event extends fc.Arbitrary<infer T> ? T : never

const asEvent = (model: string, id: number, e: Generated) => ({
  prediction_id: `${model}-${id}`,
  model_id: model,
  model_version: e.version,
  predicted_at: new Date(START + e.at).toISOString(),
  prediction: e.at % 3 === 0 ? 'yes' : 'no',
  ...(e.score !== undefined && { score: e.score }),
  ...(e.shadow !== undefined && { shadow: e.shadow }),
  ...(e.failed && { status: 'error' }),
  ...(e.sampling_fraction !== undefined && { sampling_fraction: e.sampling_fraction }),
  attributes: e.region === '' ? {} : { region: e.region },
  features: {
    ...(e.color !== undefined && { color: e.color }),
    ...(e.amount !== undefined && { amount: e.amount }),
  },
})

/** As far as both ways of counting must agree; sums of doubles depend on their order. */
function told({ numeric, categories, ...counts }: WindowCounts) {
  return {
    ...counts,
    effective: near(counts.effective!),
    weight: near(counts.weight!),
    numeric: Object.fromEntries([...numeric].map(([name, sample]) => [name, binsOf(sample)])),
    categories: Object.fromEntries(
      [...categories].map(([name, own]) => [
        name,
        Object.fromEntries([...own].map(([category, n]) => [category, near(n)])),
      ]),
    ),
  }
}

const near = (n: number) => Number(n.toPrecision(9))
const binsOf = ({ bins, counts, lows, highs }: BinnedSample) =>
  bins.map((bin, i) => [bin, near(counts[i]!), lows[i], highs[i]])

/** Raw rows, each value by itself, in the bins that some counts have. */
const inBinsOf = (counts: WindowCounts, exact: WindowCounts): WindowCounts => ({
  ...exact,
  numeric: new Map(
    [...exact.numeric].map(([name, values]) => {
      const grid = counts.numeric.get(name)?.resolution ?? 1
      const own = values.bins.map((value, i) => ({
        resolution: grid,
        bins: [binOf(value, grid)],
        counts: [values.counts[i]!],
        totals: [values.totals[i]!],
        lows: [value],
        highs: [value],
      }))
      return [name, mergedSample(own)]
    }),
  ),
})

const slice = (key: string, value: string, modelVersion = ''): Cohort => ({
  modelVersion,
  variant: '',
  slice: { key, value },
})
const SLICES = [
  slice('region', 'north'),
  slice('region', 'a\tb'),
  slice('region', 'south', '2'),
  slice('color', 'red'),
  slice('color', 'true'),
]

async function expectRaw(model: string, spans = [WINDOW]) {
  const queries = driftQueries(on.db)
  for (const c of SLICES) {
    const raw = await queries.rawCounts(model, spans, c, { exact: true, unweighted: false })
    const counts = await queries.counts(model, spans, c)
    expect(told(counts)).toEqual(told(inBinsOf(counts, raw)))
  }
}

test('after every batch of events, in whatever order they come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(event, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 3 }),
      async (batches) => {
        const model = `sliced-${models++}`
        let id = 0
        for (const batch of batches) {
          await on.predictions(batch.map((e) => asEvent(model, id++, e)))
          await expectRaw(model)
        }
        await expectRaw(model, [
          { start: START, end: START + STEP },
          { start: START + 2 * STEP, end: START + 3 * STEP },
        ])
      },
    ),
    { numRuns: 3 },
  )
})

const many = (model: string, count: number, region: (i: number) => string) =>
  on.predictions(
    Array.from({ length: count }, (_, i) =>
      asEvent(model, i, { at: i, region: region(i), version: '1', amount: i }),
    ),
  )
const countings = async (model: string) =>
  Number(
    (
      await on.db.query<{ n: string }>(
        `SELECT count() AS n FROM slice_steps WHERE model_id = {model:String}`,
        { model },
      )
    )[0]!.n,
  )

test('each step is counted once, and again only when more of it has come', async () => {
  await many('once', 30, () => 'north')
  await expectRaw('once')
  const counted = await countings('once')
  await expectRaw('once')
  expect(await countings('once')).toBe(counted)
  await on.predictions([asEvent('once', 99, { at: 5, region: 'north', version: '1' })])
  await expectRaw('once')
  expect(await countings('once')).toBeGreaterThan(counted)
})

test('two that count at the same time leave the counts of one', async () => {
  await many('twice', 30, (i) => (i % 2 === 0 ? 'north' : 'south'))
  const others = [on.connect('other-1'), on.connect('other-2')]
  await Promise.all(
    others.map((db) =>
      ensureCounted(db, { modelId: 'twice', spans: [WINDOW], slice: { key: 'region' } }),
    ),
  )
  await expectRaw('twice')
})

test('a counting that is cut off anywhere counts for nothing', async () => {
  await many('cut', 30, () => 'north')
  for (const after of [0, 1, 2, 3]) {
    let left = after
    const failing: ClickHouse = {
      ...on.db,
      command: (sql, params) => {
        if (sql.startsWith('INSERT') && left-- === 0) throw new Error('cut off')
        return on.db.command(sql, params)
      },
      insertRows: () => Promise.reject(new Error('cut off')),
    }
    await expect(
      ensureCounted(failing, { modelId: 'cut', spans: [WINDOW], slice: { key: 'region' } }),
    ).rejects.toThrow('cut off')
  }
  expect(await countings('cut')).toBe(0)
  await expectRaw('cut')
})

test('of a slice with a value for every event no counts are kept; it is read from raw rows', async () => {
  await many('ids', 1500, (i) => `id-${i % 1001}`)
  expect(
    await ensureCounted(on.db, { modelId: 'ids', spans: [WINDOW], slice: { key: 'region' } }),
  ).toBe(false)
  const queries = driftQueries(on.db)
  const counts = await queries.counts('ids', [WINDOW], slice('region', 'id-7'))
  expect(counts.events).toBe(2)
  const [kept] = await on.db.query<{ n: string }>(
    `SELECT count() AS n FROM slice_event_counts WHERE model_id = 'ids'`,
  )
  expect(kept).toEqual({ n: '0' })
})
