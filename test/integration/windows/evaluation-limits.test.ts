/** What one evaluation reads at most, whatever comes; and that its columns say what they are. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import { MAX_SUBJECTS } from '../../../services/drift/queries/count-queries.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const WINDOW = { start: START, end: START + HOUR }
let on: Pipeline

beforeAll(async () => {
  on = await pipeline()
})

/** The k-th of 60 values comes k + 1 times, so that the most frequent ones are known. */
const VALUES = Array.from({ length: 60 }, (_, k) => k).flatMap((k) =>
  Array.from({ length: k + 1 }, () => k),
)

async function store(modelId: string, labelOf?: (i: number) => unknown) {
  await on.predictions(
    VALUES.map((k, i) => ({
      prediction_id: `p-${i}`,
      model_id: modelId,
      model_version: '1',
      predicted_at: new Date(START + i * 1000).toISOString(),
      prediction: labelOf ? labelOf(i) : '1',
      attributes: { region: `r${k}` },
    })),
  )
  if (!labelOf) return
  await on.labels(
    VALUES.map((_, i) => ({
      label_id: `l-${i}`,
      model_id: modelId,
      prediction_id: `p-${i}`,
      label: labelOf(i),
      labelled_at: new Date(START + HOUR).toISOString(),
      source: 'ground_truth',
    })),
  )
}

test('of a slice the 50 most frequent values and the rest, of an attribute the 50 largest groups', async () => {
  await store('many')
  const queries = driftQueries(on.db)
  const present = await queries.present({ modelId: 'many', spans: [WINDOW] })
  const cohorts = await queries.cohorts(present, {
    modelId: 'many',
    window: WINDOW,
    slices: [{ key: 'region' }],
    most: 50,
  })
  const values = cohorts.flatMap(({ slice }) => (slice ? [slice.value] : []))
  const frequent = Array.from({ length: 50 }, (_, k) => `r${59 - k}`)
  expect(values).toEqual([...frequent, '(other)'])
  const model = parseModel(
    '{ model_id: many, task: binary, fairness: { attributes: { region: {} }, favorable: "1" } }',
  )
  const groups = await queries.groups(
    { model, spans: [WINDOW], c: ALL, completeUntil: 0 },
    'region',
  )
  expect(groups.map(({ group }) => group)).toEqual(frequent)
})

test('labels of more than 100 kinds are numbers where no model file says what they are', async () => {
  const queries = driftQueries(on.db)
  const ask = { predictions: VALUES.length, completeUntil: 0 }
  for (const [modelId, kinds] of [
    ['hundred', 100],
    ['more', 101],
  ] as const) {
    await store(modelId, (i) => i % kinds)
    const file = parseModel(`{ model_id: ${modelId}, task: binary }`)
    const found = await queries.outcomes({ ...file, task: undefined }, [WINDOW], ALL, ask)
    expect(found.confusion?.classes.length, modelId).toBe(kinds === 100 ? 100 : undefined)
    expect(found.errors !== undefined, modelId).toBe(kinds === 101)
  }
})

test('of 2 500 features the 2 000 with the most values are evaluated, and that is told', async () => {
  const step = START / 1000
  const of = { model_id: 'wide', step, model_version: '1', variant: '', shadow: false }
  await on.db.insertRows('event_counts', [{ ...of, events: 3000 }])
  const names = Array.from({ length: 2500 }, (_, k) => k)
  await on.db.insertRows(
    'numeric_counts',
    [...names.map((k) => [`f${k}`, 1 + k] as const), ['@score', 1] as const].map(
      ([subject, n]) => ({
        ...of,
        subject,
        grid: 2,
        bin: 1000,
        count: n,
        total: n,
        low: 1,
        high: 1,
      }),
    ),
  )
  await on.db.insertRows(
    'category_counts',
    names.map((k) => ({ ...of, subject: `c${k}`, category: 'x', count: 1 + k })),
  )
  const counts = await driftQueries(on.db).counts('wide', [WINDOW], ALL)
  expect(counts.numeric.size).toBe(MAX_SUBJECTS)
  expect(counts.categories.size).toBe(MAX_SUBJECTS)
  expect(['@score', 'f2499', 'f501'].every((name) => counts.numeric.has(name))).toBe(true)
  expect(counts.numeric.has('f500')).toBe(false)
  const model = parseModel('{ model_id: wide, task: binary, windows: { size: 1h, lateness: 1m } }')
  await evaluateOn(on.connect('drift'), { now: () => START + 50 * HOUR })(model)
  const told = await on.db.query<{ value: number; reason: string }>(
    "SELECT value, reason FROM window_metrics_latest WHERE model_id = 'wide' AND metric = 'features_evaluated'",
  )
  expect(told).toHaveLength(1)
  expect(told[0]!.value).toBe(2 * MAX_SUBJECTS - 1)
})

test('every column of window_metrics that may be misread says what it is', async () => {
  const columns = await on.db.query<{ name: string; comment: string }>(
    "SELECT name, comment FROM system.columns WHERE table = 'window_metrics' AND database = currentDatabase()",
  )
  const commented = new Map(columns.map(({ name, comment }) => [name, comment]))
  for (const name of [
    'value',
    'precision',
    'bound_low',
    'bound_high',
    'ci_low',
    'ci_high',
    'ci_level',
  ])
    expect(commented.get(name), name).not.toBe('')
})
