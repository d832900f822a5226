/** What was known at an earlier time of events that came in two parts: `as_of`. */
import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { Http } from '../../../lib/http/server.ts'
import { compareRoutes } from '../../../services/drift/http/compare-routes.ts'
import { distributionRoutes } from '../../../services/drift/http/distribution-routes.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import { bareHttp } from '../../bare-http.ts'
import { pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 5)
const iso = (day: number) => new Date(START + day * DAY).toISOString()

/** Events of the days 0 and 1: 100 early ones each with x 0 to 9, then 100 late ones of day 1 at 50. */
async function inTwoParts() {
  const on = await pipeline()
  const event = (day: number, i: number, x: number) => ({
    prediction_id: `${day}-${i}-${x}`,
    model_id: 'm',
    model_version: '1',
    predicted_at: new Date(START + day * DAY + i * 60_000).toISOString(),
    features: { x, city: x === 50 ? 'Oslo' : 'Bergen' },
  })
  const early = [0, 1].flatMap((day) =>
    Array.from({ length: 100 }, (_, i) => event(day, i, i % 10)),
  )
  // Messages of a range are received a millisecond apart.
  await on.predictions([...early, ...Array.from({ length: 100 }, (_, i) => event(1, i, 50))])
  const [{ received }] = (await on.db.query<{ received: string }>(
    `SELECT toUnixTimestamp64Milli(max(received_at)) AS received FROM predictions WHERE prediction_id NOT LIKE '1-%-50'`,
  )) as [{ received: string }]
  const http = bareHttp()
  http.addSchema(ProblemDocument)
  const model = parseModel(
    `{ model_id: m, task: binary, references: { training: { kind: fixed, from: '${iso(0)}', to: '${iso(1)}', baseline: true } } }`,
  )
  const options = {
    db: on.db,
    queries: driftQueries(on.db),
    models: { declared: [model], get: () => model },
    now: Date.now,
  }
  compareRoutes(http as unknown as Http, options)
  distributionRoutes(http as unknown as Http, options)
  const ask = async <T>(path: string, status = 200) => {
    const answer = await http.inject(`/v1/models/m/${path}`)
    expect(answer.statusCode, answer.body).toBe(status)
    return answer.json<T>()
  }
  return { ask, db: on.db, before: new Date(Number(received)).toISOString() }
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
  const { ask, db, before } = await inTwoParts()
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
  await db.command(
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
