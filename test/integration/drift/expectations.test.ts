/** Declared expectations: counted from stored rows when a window is evaluated, with examples. */
import { beforeAll, expect, test } from 'vitest'
import { refusals } from '../../../lib/models/expectations/refusal.ts'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { RECEIVED_AT, rangeOf, sinkOn } from '../../harness.ts'
import { predictionMappings } from '../../../services/ingest/data/prediction-rows.ts'
import { windowExamples } from '../../../services/drift/queries/window-examples.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const HOUR = 3_600_000

const modelOf = (modelId: string, expectations: object[]) =>
  parseModel(
    JSON.stringify({
      model_id: modelId,
      task: 'binary',
      windows: { size: '1h', min_count: 20, lateness: '1m' },
      expectations,
    }),
  )

/** One hour of 100 events, ten of each kind of fault. */
const eventsOf = (modelId: string, hour = 0) =>
  Array.from({ length: 100 }, (_, i) => ({
    prediction_id: `${hour}-${i}`,
    model_id: modelId,
    model_version: i % 2 === 0 ? '1' : '2',
    predicted_at: new Date(START + hour * HOUR + i * 1000).toISOString(),
    features: {
      amount: i < 10 ? -5 : i < 20 ? 'ten' : i < 30 ? null : 50,
      paid: i < 40 ? 70 : 40,
      country: i < 5 ? 'XX' : 'DE',
      // One number of each customer falls.
      odometer: i === 50 ? 3 : i,
      customer: `c${i % 2}`,
    },
    ...(i === 99 && { shadow: true }),
  }))

const REFUSING = modelOf('refused', [
  { feature: 'amount', type: 'number', min: 0, on_violation: 'reject' },
  { name: 'country', feature: 'country', one_of: ['DE'], on_violation: 'reject' },
])

let on: Pipeline
beforeAll(async () => {
  on = await pipeline({ refusalOf: refusals([REFUSING]) })
})

const evaluate = (model: Model, at = START + 50 * HOUR) =>
  evaluateOn(on.connect(`drift-${model.modelId}-${at}`), { now: () => at })(model)

interface Result {
  subject: string
  value: number | null
  verdict: string
  reason: string
  n: string
}
const resultsOf = async (modelId: string, version = '', hour = 0) => {
  const rows = await on.db.query<Result>(
    `SELECT subject, value, verdict, reason, n_current AS n FROM window_metrics_latest
     WHERE model_id = {model:String} AND model_version = {version:String} AND metric = 'expectation_violation_ratio' AND window_start = {at:DateTime64(3, 'UTC')}`,
    { model: modelId, version, at: new Date(START + hour * HOUR).toISOString().slice(0, 19) },
  )
  return new Map(rows.map((row) => [row.subject, row]))
}

const RULES = [
  { feature: 'amount', type: 'number', min: 0 },
  { name: 'amount is there', feature: 'amount', required: true },
  { expression: 'paid <= amount', severity: 'warning' },
  { feature: 'country', one_of: ['DE', 'FR'], tolerance: 0.1 },
  { name: 'code', feature: 'country', pattern: '^[A-Z]{2}$', max_length: 2 },
  { freshness: '1d' },
  { feature: 'odometer', monotone: 'strictly_increasing', per: 'customer' },
  { feature: 'vat_id', min_length: 1 },
]

test('each rule counts the events that it could be asked of', async () => {
  const model = modelOf('rules', RULES)
  await on.predictions(eventsOf('rules'))
  await evaluate(model)
  const found = await resultsOf('rules')
  // 99 events: a shadow counts under its own version alone.
  expect(found.get('amount')).toMatchObject({ value: 20 / 89, verdict: 'alarm', n: '89' })
  expect(found.get('amount')!.reason).toBe('20 of 89 violate: amount is a number, is at least 0')
  expect(found.get('amount is there')).toMatchObject({ value: 10 / 99, verdict: 'alarm' })
  // From the 30th on, 50 may be paid; ten have paid 70. Text has no order with a number.
  expect(found.get('paid <= amount')).toMatchObject({ value: 30 / 89, verdict: 'warning' })
  expect(found.get('country')).toMatchObject({ value: 5 / 99, verdict: 'ok' })
  expect(found.get('code')).toMatchObject({ value: 0, verdict: 'ok' })
  expect(found.get('odometer strictly_increasing')).toMatchObject({ value: 1 / 97, n: '97' })
  expect(found.get('vat_id')).toMatchObject({
    value: null,
    verdict: 'incomplete',
    reason: 'no event could be asked: none has vat_id',
  })
  expect((await resultsOf('rules', '2')).get('amount')).toMatchObject({ n: '45', value: 10 / 45 })
})

test('freshness is the time from the prediction to its arrival', async () => {
  const model = modelOf('fresh', [{ freshness: '1d' }])
  // The log gives message i the time RECEIVED_AT + i ms.
  const first = RECEIVED_AT - HOUR * 24 - 50_000
  await on.predictions(
    eventsOf('fresh').map((event, i) => ({
      ...event,
      predicted_at: new Date(first + i * 1000).toISOString(),
      shadow: false,
    })),
  )
  await evaluate(model)
  const [found] = await on.db.query<{ violated: number; asked: number }>(
    `SELECT sum(value * n_current) AS violated, sum(n_current) AS asked FROM window_metrics_latest
     WHERE model_id = 'fresh' AND model_version = '' AND subject = 'freshness'`,
  )
  // 51 of them are a day old, give or take the milliseconds that their messages lie apart.
  expect(found).toEqual({ violated: 51, asked: '100' })
})

test('examples are five a rule at most, the same for the same window', async () => {
  const model = modelOf('kept', RULES.slice(0, 4))
  await on.predictions(eventsOf('kept'))
  await evaluate(model)
  const kept = await on.db.query<Record<string, string>>(
    `SELECT kind, subject, rank, prediction_id, detail FROM window_examples WHERE model_id = 'kept' ORDER BY subject, rank`,
  )
  const of = (subject: string) => kept.filter((row) => row['subject'] === subject)
  expect(of('amount').map((row) => row['rank'])).toEqual([1, 2, 3, 4, 5])
  for (const { detail } of of('amount'))
    expect(['{"amount":-5}', '{"amount":"ten"}']).toContain(detail)
  expect(JSON.parse(of('paid <= amount')[0]!['detail']!)).toMatchObject({ paid: 70 })
  expect(of('country').map(({ detail }) => detail)).toEqual(
    Array.from({ length: 5 }, () => '{"country":"XX"}'),
  )
})

test('a window that no longer violates anything says that it keeps nothing', async () => {
  const model = modelOf('again', [{ feature: 'amount', max: 100, tolerance: 0 }])
  await on.predictions(eventsOf('again').map((event) => ({ ...event, features: { amount: 101 } })))
  await evaluate(model)
  // A correction of the file, and an event that comes late.
  await on.predictions([
    { ...eventsOf('again')[1]!, prediction_id: 'late', features: { amount: 100 } },
  ])
  await evaluate(modelOf('again', [{ feature: 'amount', max: 101 }]), START + 51 * HOUR)
  const kept = await on.db.query(
    `SELECT revision, kind, count() AS n FROM window_examples WHERE model_id = 'again' GROUP BY revision, kind ORDER BY revision`,
  )
  expect(kept).toEqual([
    { revision: 1, kind: 'expectation', n: '5' },
    { revision: 2, kind: '', n: '1' },
  ])
  expect((await resultsOf('again')).get('amount')).toMatchObject({ value: 0, verdict: 'ok' })
})

test('a rule that is declared later holds for the rows that were stored before it', async () => {
  await on.predictions(eventsOf('later'))
  await evaluate(modelOf('later', [{ feature: 'amount', min: 0 }]))
  await on.predictions([{ ...eventsOf('later')[1]!, prediction_id: 'late' }])
  await evaluate(modelOf('later', RULES), START + 51 * HOUR)
  expect((await resultsOf('later')).get('country')).toMatchObject({ value: 6 / 100 })
})

test('sampled events weigh what they stand for', async () => {
  const model = modelOf('sampled', [{ feature: 'amount', min: 0 }])
  await on.predictions(
    eventsOf('sampled').map((event, i) => ({
      ...event,
      features: { amount: i < 50 ? -1 : 1 },
      shadow: false,
      sampling_fraction: i < 50 ? 1 : 0.25,
    })),
  )
  await evaluate(model)
  expect((await resultsOf('sampled')).get('amount')).toMatchObject({ value: 50 / 250, n: '100' })
})

test('what is refused is a dead letter with the sentence of its rule, and counted once', async () => {
  await on.predictions(eventsOf('refused'))
  await evaluate(REFUSING)
  const letters = await on.db.query(
    `SELECT reason, message, count() AS n FROM dead_letters GROUP BY reason, message ORDER BY n`,
  )
  expect(letters).toEqual([
    {
      reason: 'expectation_violated',
      message: 'the event violates the expectation amount: amount is a number, is at least 0',
      n: '20',
    },
  ])
  const [stored] = await on.db.query<{ n: string }>(
    `SELECT count() AS n FROM predictions WHERE model_id = 'refused'`,
  )
  expect(stored).toEqual({ n: '80' })
  const [found] = await on.db.query(
    `SELECT value, n_current AS n, verdict, reason FROM window_metrics_latest WHERE model_id = 'refused' AND subject = 'amount' AND metric = 'expectation_violation_ratio' AND model_version = ''`,
  )
  expect(found).toEqual({
    value: 20 / 89,
    n: '89',
    verdict: 'alarm',
    reason: '20 of 89 violate: amount is a number, is at least 0; 20 of them were refused',
  })
})

test('the most unusual events of a window are kept, with what makes them so', async () => {
  const model = parseModel(
    JSON.stringify({
      model_id: 'unusual',
      task: 'binary',
      windows: { size: '1h', min_count: 20, lateness: '1m' },
      references: { first: { kind: 'first', windows: 2, baseline: true } },
      unusual_events: { keep: 3, rows: 1000 },
    }),
  )
  const usual = (hour: number, i: number) => ({
    prediction_id: `${hour}-${i}`,
    model_id: 'unusual',
    model_version: '1',
    predicted_at: new Date(START + hour * HOUR + i * 1000).toISOString(),
    features: { amount: 100 + ((i * 37) % 50), age: 20 + ((i * 13) % 40), country: 'DE' },
  })
  const hours = [0, 1, 2].flatMap((hour) => Array.from({ length: 200 }, (_, i) => usual(hour, i)))
  const odd = [
    { ...usual(2, 300), features: { amount: 90_000, age: 30, country: 'DE' } },
    { ...usual(2, 301), features: { amount: 120, age: 700, country: 'XX' } },
  ]
  await on.predictions([...hours, ...odd])
  await evaluate(model)
  const question = { modelId: 'unusual', from: '', to: '', subject: '', most: 100 }
  const kept = await windowExamples(on.db, { ...question, kind: 'unusual' })
  const newest = kept.filter(({ window_start: at }) => at.startsWith('2026-01-05T02'))
  expect(newest).toHaveLength(3)
  expect(
    newest
      .slice(0, 2)
      .map((one) => one.prediction_id)
      .toSorted(),
  ).toEqual(['2-300', '2-301'])
  const of = (id: string) => newest.find((one) => one.prediction_id === id)!
  const detail = JSON.parse(of('2-300').detail) as { because: string[] }
  expect(detail).toMatchObject({ beyond: 1, features: { amount: 90_000 } })
  expect(detail.because[0]).toBe('amount')
  expect((JSON.parse(of('2-301').detail) as { because: string[] }).because.slice(0, 2)).toEqual(
    expect.arrayContaining(['age', 'country']),
  )
  expect(of('2-300').score).toBeGreaterThan(newest[2]!.score!)
  // Only the highest revision of a window is read.
  expect(await windowExamples(on.db, { ...question, modelId: 'again', kind: '' })).toEqual([])
})

test('a range that comes again after a crash counts its refusals once', async () => {
  const mapping = predictionMappings({ refusalOf: refusals([REFUSING]) })[0]
  const sink = sinkOn(on.db, `${on.directory}/again`, 'ingest', mapping)
  const lines = eventsOf('refused', 5).map((event) => JSON.stringify(event))
  const range = { ...rangeOf('plumbline.predictions.v1', sink.mapping, lines), partition: '7' }
  await sink.store(range)
  await sink.store({ ...range, replayed: true })
  const counted = await on.db.query(
    `SELECT rule, sum(expectation_refusals.refused) AS refused FROM expectation_refusals
     WHERE model_id = 'refused' AND step >= '2026-01-05 05:00:00' GROUP BY rule`,
  )
  expect(counted).toEqual([{ rule: 'amount', refused: '20' }])
})
