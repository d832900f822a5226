/**
 * Counts and truth of versions and variants, read together, are what each of them has when it is
 * read alone.
 */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { keyOf } from '../../../services/drift/data/cohort.ts'
import { truthReader } from '../../../services/drift/queries/outcomes/read-once.ts'
import type { OutcomeCounts, WindowCounts } from '../../../services/drift/data/window-data.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const HOUR = 3_600_000
const WINDOW = { start: START, end: START + HOUR }
let on: Pipeline
let runs = 0

beforeAll(async () => {
  on = await pipeline()
})

const TASKS = {
  binary: '',
  multiclass: '',
  regression: '',
  'binary, no label means no': 'labels: { horizon: 1h, absent_means: "0" }',
  'binary, a metric of its own': 'custom_metrics: { share: avg(positive) }',
}

const event = fc.record(
  {
    at: fc.nat(HOUR - 1),
    version: fc.constantFrom('1', '2', "o'3"),
    variant: fc.constantFrom('', 'a', "b'"),
    shadow: fc.boolean(),
    score: fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
    guess: fc.nat(3),
    label: fc.nat(3),
    fraction: fc.constantFrom(1, 0.5, 0.1),
  },
  { requiredKeys: ['at', 'version', 'variant', 'shadow', 'score', 'guess'] },
)
type Generated = typeof event extends fc.Arbitrary<infer T> ? T : never

async function emit(model: string, task: string, events: readonly Generated[]) {
  const classes = task === 'multiclass' ? 4 : 2
  const valueOf = (n: number) => (task === 'regression' ? n : String(n % classes))
  await on.predictions(
    events.map((e, i) => ({
      prediction_id: `${model}-${i}`,
      model_id: model,
      model_version: e.version,
      ...(e.variant !== '' && { variant: e.variant }),
      shadow: e.shadow,
      predicted_at: new Date(START + e.at).toISOString(),
      prediction: valueOf(e.guess),
      ...(task !== 'regression' && { score: e.score }),
      features: { amount: e.score * 10, guess: `guess ${e.guess}` },
      ...(e.fraction !== undefined && { sampling_fraction: e.fraction }),
    })),
  )
  await on.labels(
    events.flatMap(({ label }, i) =>
      label === undefined
        ? []
        : [
            {
              label_id: `${model}-${i}`,
              model_id: model,
              prediction_id: `${model}-${i}`,
              label: valueOf(label),
              labelled_at: new Date(START + HOUR).toISOString(),
              source: 'ground_truth',
            },
          ],
    ),
  )
}

/** Sums of doubles depend on their order. */
const told = (read: OutcomeCounts | WindowCounts): unknown =>
  JSON.parse(
    JSON.stringify(read, (_, value: unknown) =>
      typeof value === 'number'
        ? Number(value.toPrecision(9))
        : value instanceof Map
          ? Object.fromEntries(value as Map<string, unknown>)
          : value,
    ),
  )

test.each(Object.entries(TASKS))('%s', async (name, more) => {
  const task = name.split(',')[0]!
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 2, maxLength: 30 }), async (events) => {
      const run = `each-${runs++}`
      const model = parseModel(`model_id: ${run}\ntask: ${task}\n${more}`)
      await emit(run, task, events)
      const queries = driftQueries(on.db)
      const present = await queries.present({ modelId: run, spans: [WINDOW] })
      const cohorts = await queries.cohorts(present, {
        modelId: run,
        window: WINDOW,
        slices: [],
        most: 50,
      })
      const of = { predictions: 7, completeUntil: START + 9 * HOUR }
      const outcomesOf = truthReader(queries, model, cohorts, WINDOW)
      const counts = await Promise.all(
        cohorts.map((c) => queries.counts(run, [WINDOW], c, present)),
      )
      for (const [i, c] of cohorts.entries()) {
        expect(told(counts[i]!), keyOf(c)).toEqual(
          told(await queries.counts(run, [WINDOW], c, present)),
        )
        expect(told(await outcomesOf([WINDOW], c, of)), keyOf(c)).toEqual(
          told(await queries.outcomes(model, [WINDOW], c, of)),
        )
      }
    }),
    { numRuns: 3 },
  )
})
