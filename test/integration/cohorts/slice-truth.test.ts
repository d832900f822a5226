/**
 * Truth of a slice, read for all its values at once, is that of a model which has the events of one
 * value alone.
 */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ALL, type Cohort } from '../../../services/drift/data/cohort.ts'
import { truthReader } from '../../../services/drift/queries/outcomes/read-once.ts'
import type { OutcomeCounts } from '../../../services/drift/data/window-data.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const HOUR = 3_600_000
const SPANS = [{ start: START, end: START + HOUR }]
const REGIONS = ['north', 'a\tb', "o'hara", 'nobody']
let on: Pipeline
let runs = 0

beforeAll(async () => {
  on = await pipeline()
})

const TASKS = {
  binary: '',
  multiclass: '',
  regression: '',
  ranking: '',
  'binary, no label means no': 'labels: { horizon: 1h, absent_means: "0" }',
  'binary, a metric of its own': 'custom_metrics: { share: avg(positive) }',
}

const event = fc.record(
  {
    at: fc.nat(HOUR - 1),
    region: fc.constantFrom(...REGIONS.slice(0, 3)),
    /** Attributes that come apart from their prediction. */
    late: fc.boolean(),
    score: fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
    guess: fc.nat(3),
    label: fc.nat(3),
    fraction: fc.constantFrom(1, 0.5, 0.1),
    ranking: fc.nat(2),
  },
  {
    requiredKeys: ['at', 'region', 'late', 'score', 'guess', 'ranking'],
  },
)
type Generated = typeof event extends fc.Arbitrary<infer T> ? T : never

type Emitted = Generated & { id: string; model: string }

/** Events of several models, which are stored and joined together. */
async function emit(task: string, events: readonly Emitted[]) {
  const isSampled = task !== 'ranking'
  await on.predictions(
    events.map((e) => ({
      prediction_id: e.id,
      model_id: e.model,
      model_version: '1',
      predicted_at: new Date(START + e.at).toISOString(),
      ...(task !== 'regression' && { score: e.score }),
      ...(task === 'ranking'
        ? { group_id: `${e.region}-${e.ranking}` }
        : {
            prediction:
              task === 'regression' ? e.guess : String(e.guess % (task === 'multiclass' ? 4 : 2)),
          }),
      ...(isSampled && e.fraction !== undefined && { sampling_fraction: e.fraction }),
      attributes: e.late ? {} : { region: e.region },
    })),
  )
  const late = events.filter((e) => e.late)
  await on.attributes(
    late.map((e) => ({
      prediction_id: e.id,
      attributes: { region: e.region },
      observed_at: new Date(START).toISOString(),
    })),
  )
  await on.labels(
    events.flatMap(({ id, model, label }) =>
      label === undefined
        ? []
        : [
            {
              label_id: `${model}/${id}`,
              model_id: model,
              prediction_id: id,
              label:
                task === 'regression' || task === 'ranking'
                  ? label
                  : String(label % (task === 'multiclass' ? 4 : 2)),
              labelled_at: new Date(START + HOUR).toISOString(),
              source: 'ground_truth',
            },
          ],
    ),
  )
}

/** Labels come to both at times of their own; sums of doubles depend on their order. */
const told = ({ delayP50Seconds, ...outcomes }: OutcomeCounts): unknown =>
  JSON.parse(
    JSON.stringify({ ...outcomes, isDelayKnown: delayP50Seconds !== null }, (_, value: unknown) =>
      typeof value === 'number' ? Number(value.toPrecision(9)) : value,
    ),
  )

test.each(Object.entries(TASKS))('%s', async (name, more) => {
  const task = name.split(',')[0]!
  const modelOf = (id: string) => parseModel(`model_id: ${id}\ntask: ${task}\n${more}`)
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 30 }), async (generated) => {
      const run = `run-${runs++}`
      const events = generated.map((e, i) => ({ ...e, id: `${run}-${i}` }))
      const aloneOf = (i: number) => `${run}-${i}`
      // Models of one value have the same ids: ties are broken by them.
      const alone = REGIONS.flatMap((region, i) =>
        events
          .filter((e) => e.region === region)
          .map((e) => ({ ...e, model: aloneOf(i), late: false })),
      )
      await emit(task, [...events.map((e) => ({ ...e, model: run })), ...alone])
      const cohorts: Cohort[] = REGIONS.map((value) => ({
        ...ALL,
        slice: { key: 'region', value },
      }))
      const queries = driftQueries(on.db)
      const of = { predictions: 7, completeUntil: START + 9 * HOUR }
      const outcomesOf = truthReader(queries, modelOf(run), cohorts)
      for (const [i, region] of REGIONS.entries()) {
        expect(told(await outcomesOf(SPANS, cohorts[i]!, of)), region).toEqual(
          told(await queries.outcomes(modelOf(aloneOf(i)), SPANS, ALL, of)),
        )
      }
    }),
    { numRuns: 3 },
  )
})
