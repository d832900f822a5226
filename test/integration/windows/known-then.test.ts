/** What was known at an earlier time of events that came in two parts: `as_of`. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { Http } from '../../../lib/http/server.ts'
import { cohortRoutes } from '../../../services/drift/http/cohort-routes.ts'
import { compareRoutes } from '../../../services/drift/http/compare-routes.ts'
import { distributionRoutes } from '../../../services/drift/http/distribution-routes.ts'
import { sideBySideRoutes } from '../../../services/drift/http/side-by-side-routes.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import { bareHttp } from '../../bare-http.ts'
import { evaluateOn } from '../../evaluating.ts'
import { RECEIVED_AT } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 5)
const iso = (day: number) => new Date(START + day * DAY).toISOString()

let on: Pipeline
beforeAll(async () => {
  on = await pipeline()
})

/** Events of the days 0 and 1: 100 early ones each with x 0 to 9, then 100 late ones of day 1 at 50. */
async function inTwoParts(modelId: string) {
  const event = (day: number, i: number, x: number) => ({
    prediction_id: `${day}-${i}-${x}`,
    model_id: modelId,
    model_version: '1',
    predicted_at: new Date(START + day * DAY + i * 60_000).toISOString(),
    prediction: '1',
    features: { x, city: x === 50 ? 'Oslo' : 'Bergen' },
  })
  const early = [0, 1].flatMap((day) =>
    Array.from({ length: 100 }, (_, i) => event(day, i, i % 10)),
  )
  // Messages of a range are received a millisecond apart.
  await on.predictions([...early, ...Array.from({ length: 100 }, (_, i) => event(1, i, 50))])
  const [{ received }] = (await on.db.query<{ received: string }>(
    `SELECT toUnixTimestamp64Milli(max(received_at)) AS received FROM predictions WHERE model_id = '${modelId}' AND prediction_id NOT LIKE '1-%-50'`,
  )) as [{ received: string }]
  const http = bareHttp()
  http.addSchema(ProblemDocument)
  const model = parseModel(
    `{ model_id: ${modelId}, task: binary, references: { training: { kind: fixed, from: '${iso(0)}', to: '${iso(1)}', baseline: true } }, slices: [city], windows: { size: 1d, min_count: 20 }, labels: { horizon: 1h } }`,
  )
  const options = {
    db: on.db,
    queries: driftQueries(on.db),
    models: { declared: [model], get: () => model },
    now: Date.now,
  }
  compareRoutes(http as unknown as Http, options)
  distributionRoutes(http as unknown as Http, options)
  sideBySideRoutes(http as unknown as Http, options)
  cohortRoutes(http as unknown as Http, options)
  const ask = async <T>(path: string, status = 200) => {
    const answer = await http.inject(`/v1/models/${modelId}/${path}`)
    expect(answer.statusCode, answer.body).toBe(status)
    return answer.json<T>()
  }
  return { ask, model, before: new Date(Number(received)).toISOString() }
}

interface Distribution {
  n_current: number
  n_reference: number
  bars: { category: string | null; current: number }[]
}
interface Compared {
  metrics: { subject: string; metric: string; value: number; n_current: number }[]
}

test('distributions and comparisons of an earlier time leave out what came since', async () => {
  const { ask, before } = await inTwoParts('m')
  const of = (subject: string, more = '') =>
    ask<Distribution>(
      `distributions?subject=${subject}&from=${iso(1)}&to=${iso(2)}&reference=training${more}`,
    )
  expect(await of('x')).toMatchObject({ n_current: 200, n_reference: 100 })
  expect(await of('x', `&as_of=${before}`)).toMatchObject({ n_current: 100, n_reference: 100 })
  const cities = async (more = '') => (await of('city', more)).bars.map(({ category }) => category)
  expect(new Set(await cities())).toEqual(new Set(['Bergen', 'Oslo']))
  expect(await cities(`&as_of=${before}`)).toEqual(['Bergen'])

  const ks = async (more: string) =>
    (await ask<Compared>(`compare?a_reference=training&b=${iso(1)}/${iso(2)}${more}`)).metrics.find(
      ({ subject, metric }) => subject === 'x' && metric === 'ks',
    )!
  expect(await ks('')).toMatchObject({ value: 0.5, n_current: 200 })
  expect(await ks(`&as_of=${before}`)).toMatchObject({ value: 0, n_current: 100 })
  expect(await ks(`&as_of=${before}&exact=true`)).toMatchObject({ value: 0, n_current: 100 })
  // At a time when all had come, the counts answer that are kept of any number of events.
  await on.db.command(
    `INSERT INTO event_counts (model_id, step, model_version, events) VALUES ('m', '${iso(1).slice(0, 10)} 00:00:00', '1', 200001)`,
  )
  expect(await ks('&as_of=2100-01-01T00:00:00Z')).toMatchObject({ value: 0.5 })
  expect(
    await ask<{ code: string }>(
      `compare?a_reference=training&b=${iso(1)}/${iso(2)}&as_of=${before}`,
      400,
    ),
  ).toMatchObject({ code: 'too_many_events' })
  await ask(`compare?a_reference=training&b=${iso(1)}/${iso(2)}&as_of=yesterday`, 400)
})

interface Beside {
  b: { events: number; labelled: number | null }
  metrics: { metric: string; b: { value: number | null; n: number } }[]
  features: { subject: string }[]
}

/** Labels of events of day 1 by their x. */
const labelsOf = (modelId: string, xs: readonly number[], label: string) =>
  xs.flatMap((x) =>
    Array.from({ length: 100 }, (_, i) => i)
      .filter((i) => x === 50 || i % 10 === x)
      .map((i) => ({
        label_id: `l-1-${i}-${x}`,
        model_id: modelId,
        prediction_id: `1-${i}-${x}`,
        label,
        labelled_at: iso(1),
        source: 'ground_truth',
      })),
  )
/** Labels of nobody: each message is received a millisecond after the one before. */
const fillers = Array.from({ length: 200 }, (_, i) => ({
  ...labelsOf('nobody', [0], '1')[0]!,
  label_id: `filler-${i}`,
}))

test('two sides of an earlier time leave out events and labels that came since', async () => {
  const { ask, before } = await inTwoParts('sides')
  const right = labelsOf('sides', [0, 1], '1')
  await on.labels([...fillers, ...right, ...labelsOf('sides', [2, 3, 50], '0')])
  const then = new Date(RECEIVED_AT + fillers.length + right.length - 1).toISOString()
  const beside = (more = '') =>
    ask<Beside>(`side-by-side?a_reference=training&b=${iso(1)}/${iso(2)}${more}`)
  const accuracy = ({ metrics }: Beside) => metrics.find(({ metric }) => metric === 'accuracy')?.b
  const now = await beside()
  expect(now.b).toMatchObject({ events: 200, labelled: 140 })
  expect(accuracy(now)).toMatchObject({ value: expect.closeTo(20 / 140, 9), n: 140 })
  const known = await beside(`&as_of=${then}`)
  expect(known.b).toMatchObject({ events: 120, labelled: 20 })
  expect(accuracy(known)).toMatchObject({ value: 1, n: 20 })
  // Before the first label, and before the late events.
  const early = await beside(`&as_of=${before}`)
  expect(early.b).toMatchObject({ events: 100, labelled: 0 })
  // A version and a slice are asked for in the same way.
  const oslo = await beside(`&b_slice=city:Oslo&as_of=${then}`)
  expect(oslo.b).toMatchObject({ labelled: 0 })
  expect((await beside('&b_slice=city:Oslo')).b).toMatchObject({ events: 100, labelled: 100 })
  await ask(`side-by-side?a_reference=training&b=${iso(1)}/${iso(2)}&as_of=soon`, 400)
})

interface Cohorts {
  windows: string[]
  window_end: string | null
  cohorts: { slice_value: string; events: number; cells: ({ value: number | null } | null)[] }[]
}

test('cohorts of an earlier time are those that had been evaluated by then', async () => {
  const { ask, model } = await inTwoParts('cohorts')
  let now = START + 40 * DAY
  const evaluate = evaluateOn(on.connect('drift'), { now: () => now })
  const cohorts = (more = '') => ask<Cohorts>(`cohorts?metrics=accuracy${more}`)
  const nothing = await cohorts('&as_of=2026-01-01T00:00:00Z')
  expect(nothing).toMatchObject({ window_end: null, windows: [], cohorts: [] })
  await on.labels(labelsOf('cohorts', [0, 1, 2], '1'))
  await evaluate(model)
  const then = new Date(now).toISOString()
  now += 60_000
  const value = ({ cohorts: [whole] }: Cohorts) => whole?.cells[0]?.value
  expect(value(await cohorts(`&as_of=${then}`))).toBe(1)
  await on.labels(labelsOf('cohorts', [3, 4, 5, 50], '0'))
  await evaluate(model)
  expect(value(await cohorts())).toBeCloseTo(30 / 160, 9)
  const known = await cohorts(`&as_of=${then}`)
  expect(value(known)).toBe(1)
  expect(known.cohorts.map((own) => own.slice_value)).toContain('Oslo')
  expect(await cohorts('&as_of=2026-01-01T00:00:00Z')).toMatchObject({ cohorts: [] })
  await ask('cohorts?as_of=soon', 400)
})
