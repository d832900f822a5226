/**
 * Cohorts by features, by two names together, by predicates, and what is left beside the most
 * frequent values: each holds what a model holds that has its events alone.
 */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import { ALL, type Cohort } from '../../../services/drift/data/cohort.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { truthReader } from '../../../services/drift/queries/outcomes/read-once.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const HOUR = 3_600_000
const WINDOW = { start: START, end: START + HOUR }
let on: Pipeline
let runs = 0

beforeAll(async () => {
  on = await pipeline()
})

const event = fc.record(
  {
    at: fc.nat(HOUR - 1),
    region: fc.constantFrom('north', "o'hara", 'south', '(other)'),
    /** A number, a text or a flag. */
    amount: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('2', 'much', true)),
    country: fc.constantFrom('DE', 'FR'),
    guess: fc.nat(1),
    label: fc.nat(1),
    score: fc.constantFrom(0.1, 0.5, 0.9),
    producer: fc.constantFrom('pod-1', 'pod-2'),
  },
  { requiredKeys: ['at', 'guess', 'score'] },
)
type Generated = typeof event extends fc.Arbitrary<infer T> ? T : never

async function emit(model: string, events: readonly Generated[]) {
  await on.predictions(
    events.map((e, i) => ({
      prediction_id: `${model}-${i}`,
      model_id: model,
      model_version: '1',
      predicted_at: new Date(START + e.at).toISOString(),
      prediction: String(e.guess),
      score: e.score,
      attributes: e.country === undefined ? {} : { country: e.country },
      features: {
        ...(e.region !== undefined && { region: e.region }),
        ...(e.amount !== undefined && { amount: e.amount }),
      },
      ...(e.producer !== undefined && { producer: { id: e.producer, sequence: i } }),
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
              label: String(label),
              labelled_at: new Date(START + HOUR).toISOString(),
              source: 'ground_truth',
            },
          ],
    ),
  )
}

/** Which events belong to a cohort, by its key and value. */
const MEMBERS: Record<string, (e: Generated) => boolean> = {
  'region:north': ({ region }) => region === 'north',
  "region:o'hara": ({ region }) => region === "o'hara",
  'region&country:region=north&country=DE': ({ region, country }) =>
    region === 'north' && country === 'DE',
  'large:true': ({ amount }) => typeof amount === 'number' && amount > 1,
  'german:true': ({ country, amount, region }) =>
    country === 'DE' && !(typeof amount === 'number' && amount >= 3) && region !== undefined,
  'listed:true': ({ amount, region }) =>
    (typeof amount === 'number' && [0, 2].includes(amount)) ||
    (region !== undefined && ['north', "o'hara"].includes(region)),
  'own:true': ({ score, producer, guess }) => score >= 0.5 && producer === 'pod-1' && guess === 1,
  'flag:true': ({ amount }) => amount === true,
}

const modelOf = (id: string): Model =>
  parseModel(`
model_id: ${id}
task: binary
slices: [region]
cohorts:
  values: 1
  pairs: [[region, country]]
  where:
    large: amount > 1
    german: country = 'DE' and not (amount >= 3) and not region is missing
    listed: amount in (0, 2) or region in ('north', 'o''hara')
    own: "@score >= 0.5 and @producer = 'pod-1' and @prediction = '1'"
    flag: amount = true
`)

const seen = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, one: unknown) =>
      key === 'delayP50Seconds'
        ? undefined
        : typeof one === 'number'
          ? Number(one.toPrecision(9))
          : one,
    ),
  )

test('each cohort has the counts and the truth of its events alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), async (events) => {
      const run = `cohorts-${runs++}`
      await emit(run, events)
      const queries = driftQueries(on.db)
      const model = modelOf(run)
      const spans = [WINDOW]
      const cohorts: Cohort[] = Object.keys(MEMBERS).map((name) => {
        const [key, ...value] = name.split(':')
        const slice = model.slices.find((one) => one.key === key)!
        return { ...ALL, slice: { ...slice, value: value.join(':') } }
      })
      const truthOf = truthReader(queries, model, cohorts)
      for (const [i, [name, isMember]] of Object.entries(MEMBERS).entries()) {
        const alone = `${run}-${i}`
        await emit(alone, events.filter(isMember))
        const of = { predictions: 7, completeUntil: 0 }
        expect(seen(await truthOf(spans, cohorts[i]!, of)), name).toEqual(
          seen(await queries.outcomes(modelOf(alone), spans, ALL, of)),
        )
        const { events: n } = await queries.counts(run, spans, cohorts[i]!)
        expect(n, name).toBe(events.filter(isMember).length)
      }
    }),
    { numRuns: 3 },
  )
})

test('what is left beside the most frequent values is one cohort, and is told', async () => {
  const of = (region: NonNullable<Generated['region']>, n: number): Generated[] =>
    Array.from({ length: n }, (_, i) => ({ at: i, region, guess: i % 2, label: 1, score: 0.5 }))
  await emit('rest', [
    ...of('north', 5),
    ...of('(other)', 9),
    ...of('south', 3),
    ...of("o'hara", 2),
  ])
  const queries = driftQueries(on.db)
  const model = modelOf('rest')
  const cohorts = await queries.cohorts([], {
    modelId: 'rest',
    window: WINDOW,
    slices: [model.slices[0]!],
    most: 1,
  })
  const other = cohorts.at(-1)!
  expect(cohorts.map(({ slice }) => slice?.value)).toEqual([undefined, 'north', '(other)'])
  expect(other.slice?.rest).toEqual({ except: ['north'], values: 4, events: 19, ofOwn: 5 })
  expect((await queries.counts('rest', [WINDOW], other)).events).toBe(14)
  const truth = await truthReader(queries, model, cohorts)([WINDOW], other, {
    predictions: 14,
    completeUntil: 0,
  })
  expect(truth.labelled).toBe(14)
})
