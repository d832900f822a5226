/**
 * A model whose reference has windows enough to tell noise from drift: alarms, episodes, and what
 * people say of them.
 */
import { verdictFeedbackQueries } from '../../../services/drift/queries/verdict-feedback.ts'
import { beforeAll, expect, test } from 'vitest'
import { bareHttp } from '../../bare-http.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import type { Http } from '../../../lib/http/server.ts'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { atOneResolution, type BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import type { Sink } from '../../../lib/sink/sink.ts'
import { normals } from '../../../bench/streams.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { createSpool } from '../../../lib/clickhouse/spool.ts'
import { decisionRoutes } from '../../../services/drift/http/verdict-feedback-routes.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import { referenceRoutes } from '../../../services/drift/http/references/reference-routes.ts'
import { compareRoutes } from '../../../services/drift/http/compare-routes.ts'
import { modelRoutes } from '../../../services/drift/http/model-routes.ts'
import { windowRoutes } from '../../../services/drift/http/window-routes.ts'
import { NO_PRIVACY } from '../../../lib/events/privacy/redactor.ts'
import { PREDICTION_MAPPINGS } from '../../../services/ingest/data/prediction-rows.ts'
import { migratedClickHouse, rangeOf, sinkOn } from '../../harness.ts'
import { evaluateOn } from '../../evaluating.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const iso = (day: number) => new Date(START + day * DAY).toISOString()
const model = parseModel(`
model_id: m
task: binary
windows: { size: 1d, lateness: 1h, min_count: 100 }
slices: [region, color]
references:
  training: { kind: fixed, from: ${iso(0)}, to: ${iso(10)}, baseline: true }
`)
const uniform = uniforms(5)
const normal = normals(uniform)
const metrics = createMetrics()
const http = bareHttp()
http.addSchema(ProblemDocument)
let db: ClickHouse
let sink: Sink
let offset = 0
let evaluate: () => Promise<unknown>
beforeAll(async () => {
  const opened = await migratedClickHouse()
  db = opened.db
  sink = sinkOn(db, opened.directory, 'ingest', PREDICTION_MAPPINGS[0])
  const evaluateModel = evaluateOn(opened.engine.connect('drift'), {
    now: () => START + 400 * DAY,
    metrics,
  })
  evaluate = () => evaluateModel(model)
  decisionRoutes(http as unknown as Http, db, () => START + 400 * DAY)
  const asked = {
    db,
    queries: driftQueries(db),
    models: { declared: [model], get: () => model },
    now: () => START + 400 * DAY,
  }
  for (const routes of [modelRoutes, windowRoutes, compareRoutes])
    routes(http as unknown as Http, asked)
  referenceRoutes(http as unknown as Http, {
    ...asked,
    privacy: NO_PRIVACY,
    spool: createSpool(`${opened.directory}/references`, 'process'),
  })
  for (let day = 0; day < 13; day++) await emit(day, {})
})

/** Days differ: a real stream is no draw from one urn. */
async function emit(day: number, moved: { shift?: number; fresh?: boolean; gaps?: boolean }) {
  const noise = 0.1 * normal()
  const events = Array.from({ length: 300 }, (_, i) => ({
    prediction_id: `${day}-${i}`,
    model_id: 'm',
    model_version: '1',
    predicted_at: new Date(START + day * DAY + (i * DAY) / 300).toISOString(),
    prediction: uniform() < 0.4 ? '1' : '0',
    attributes: { region: i % 3 === 0 ? 'north' : 'south' },
    features: {
      amount: Math.exp(normal() + noise) * (moved.shift ?? 1),
      year: Math.round(2015 + 4 * normal()),
      color: moved.fresh && uniform() < 0.1 ? 'violet' : uniform() < 0.5 ? 'red' : 'green',
      income: moved.gaps && uniform() < 0.3 ? null : 1000 * uniform(),
    },
  }))
  await sink.store(
    rangeOf(
      'plumbline.predictions.v1',
      sink.mapping,
      events.map((e) => JSON.stringify(e)),
      offset,
    ),
  )
  offset += events.length
}

const verdicts = (day: number, verdict: string, slice = '') =>
  db.query<{
    subject: string
    metric: string
    reason: string
    p_adjusted: number
    episode_id: string
  }>(
    `SELECT subject, metric, reason, p_adjusted, episode_id FROM window_metrics_latest
     WHERE window_start = {start:DateTime64(3, 'UTC')} AND verdict = {verdict:String} AND slice_key = {slice:String} AND metric NOT IN ('new_atom_share', 'out_of_range_ratio', 'type_mismatch_ratio') ORDER BY family, subject`,
    { start: iso(day).slice(0, 23), verdict, slice },
  )

test('windows of the reference are no news; the next ones are calm', async () => {
  await evaluate()
  expect(await verdicts(3, 'none')).toContainEqual(
    expect.objectContaining({ subject: 'amount', metric: 'psi', reason: 'part of the reference' }),
  )
  for (const day of [10, 11, 12]) {
    expect(await verdicts(day, 'alarm')).toEqual([])
    expect(
      (await verdicts(day, 'ok')).map(({ subject, metric }) => `${metric} ${subject}`),
    ).toEqual([
      'psi @prediction',
      'psi amount',
      'psi color',
      'psi income',
      'psi year',
      'error_ratio ',
      'throughput_per_s ',
      'missing_ratio amount',
      'missing_ratio color',
      'missing_ratio income',
      'missing_ratio year',
    ])
  }
})

test('what moves alarms, once a feature, and says what moved', async () => {
  await emit(13, { shift: 3 })
  await emit(14, { shift: 3, fresh: true, gaps: true })
  await evaluate()
  const [amount, ...others] = await verdicts(13, 'alarm')
  expect(others).toEqual([])
  expect(amount).toMatchObject({
    subject: 'amount',
    metric: 'psi',
    reason: expect.stringMatching(
      /^values lie 0\.[89]\d standard deviations higher; more than the reference's own windows differ$/,
    ) as string,
  })
  expect(amount!.p_adjusted).toBeLessThan(0.0125)
  expect(await verdicts(14, 'alarm')).toMatchObject([
    { subject: 'amount' },
    {
      subject: 'color',
      reason: expect.stringMatching(/^new categories \d+\.\d % after 0\.0 %/) as string,
    },
    {
      subject: 'income',
      metric: 'missing_ratio',
      reason: expect.stringMatching(/^missing \d+\.\d % after 0\.0 %/) as string,
    },
  ])
})

test('alarms that follow one another are one episode; after two calm windows another one begins', async () => {
  await emit(15, {})
  await emit(16, { shift: 3 })
  await emit(17, {})
  await emit(18, {})
  await emit(19, { shift: 3 })
  await evaluate()
  const episode = async (day: number) => (await verdicts(day, 'alarm'))[0]?.episode_id
  expect(await episode(13)).toBe(`m/${iso(14)}`)
  expect([await episode(14), await episode(15), await episode(16)]).toEqual([
    `m/${iso(14)}`,
    undefined,
    `m/${iso(14)}`,
  ])
  expect(await episode(19)).toBe(`m/${iso(20)}`)
})

test('a person says that this is normal: the window joins the reference, and the false alarm is counted', async () => {
  const before = await verdictFeedbackQueries(db).rate('m', 0.25)
  expect(before).toMatchObject({ episodes: 2, refuted: 0, budget_per_week: 0.25 })
  for (const day of [13, 14, 16, 19]) {
    const [row] = await db.query<{ verdict_id: string }>(
      `SELECT verdict_id FROM verdicts WHERE window_start = {start:DateTime64(3, 'UTC')} AND verdict = 'alarm' AND subject = 'amount' AND slice_key = ''`,
      { start: iso(day).slice(0, 23) },
    )
    const answer = await http.inject({
      method: 'POST',
      url: `/v1/verdicts/${row!.verdict_id}/accept`,
      payload: { actor: 'ada' },
    })
    expect(answer.statusCode).toBe(201)
  }
  expect((await verdictFeedbackQueries(db).rate('m', 0.25)).refuted).toBe(2)
  await emit(20, { shift: 3 })
  await evaluate()
  expect((await verdicts(20, 'alarm')).filter(({ subject }) => subject === 'amount')).toEqual([])
})

test('a snoozed metric pages no more; its verdict stands', async () => {
  await emit(21, { shift: 100 })
  await evaluate()
  const [row] = await db.query<{ verdict_id: string }>(
    `SELECT verdict_id FROM verdicts WHERE window_start = {start:DateTime64(3, 'UTC')} AND verdict = 'alarm' AND subject = 'amount' AND slice_key = ''`,
    { start: iso(21).slice(0, 23) },
  )
  const snooze = (until: string, id = row!.verdict_id) =>
    http.inject({
      method: 'POST',
      url: `/v1/verdicts/${id}/snooze`,
      payload: { actor: 'ada', until },
    })
  expect((await snooze(iso(1))).statusCode).toBe(400)
  expect((await snooze(iso(500), 'nothing')).statusCode).toBe(404)
  expect((await snooze(iso(500))).statusCode).toBe(201)
  const paged = async () =>
    (await metrics.registry.metrics()).match(
      /plumbline_verdict\{[^}]*subject="amount"[^}]*metric="psi"[^}]*\} 2/,
    )
  expect(await paged()).not.toBeNull()
  await emit(22, { shift: 100 })
  await evaluate()
  expect((await verdicts(22, 'alarm')).map(({ subject }) => subject)).toContain('amount')
  expect(await paged()).toBeNull()
})

test('slices by an attribute and by a feature are evaluated against themselves', async () => {
  const slices = await db.query<{ slice: string; psi: string; alarms: string }>(
    `SELECT concat(slice_key, ':', slice_value) AS slice, countIf(metric = 'psi' AND reference = 'training') AS psi, countIf(verdict = 'alarm' AND subject = 'amount') AS alarms
     FROM window_metrics_latest WHERE window_start = {start:DateTime64(3, 'UTC')} AND slice_key != '' GROUP BY slice ORDER BY slice`,
    { start: iso(21).slice(0, 23) },
  )
  expect(slices.map(({ slice }) => slice)).toEqual(
    expect.arrayContaining(['color:green', 'color:red', 'region:north', 'region:south']),
  )
  const south = slices.find(({ slice }) => slice === 'region:south')!
  expect(Number(south.psi)).toBeGreaterThan(3)
  expect(Number(south.alarms)).toBe(1)
})

test('counts and raw rows say the same', async () => {
  const queries = driftQueries(db)
  const span = [{ start: START, end: START + 3 * DAY }]
  const counted = await queries.counts('m', span, ALL)
  const raw = await queries.rawCounts('m', span, ALL, { exact: false, unweighted: false })
  expect({ ...raw, numeric: 0, categories: 0 }).toEqual({ ...counted, numeric: 0, categories: 0 })
  expect(raw.categories).toEqual(counted.categories)
  expect([...raw.numeric.keys()].toSorted()).toEqual([...counted.numeric.keys()].toSorted())
  for (const [name, sample] of counted.numeric) {
    const [a, b] = atOneResolution([sample, raw.numeric.get(name)!]) as [BinnedSample, BinnedSample]
    expect({ ...a, totals: 0 }).toEqual({ ...b, totals: 0 })
  }
})

interface Compared {
  metrics: {
    subject: string
    metric: string
    value: number
    precision: string
    bound_low: number
    bound_high: number
  }[]
}
const compare = async (more: string): Promise<Compared['metrics']> => {
  const answer = await http.inject(
    `/v1/models/m/compare?a=${iso(0)}/${iso(3)}&b=${iso(19)}/${iso(20)}${more}`,
  )
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json<Compared>().metrics
}

test('two spans, from counts and exactly: what is bounded lies within its bounds', async () => {
  const [bounded, exact] = [await compare(''), await compare('&exact=true')]
  let narrower = 0
  // Nothing bounds what some values say that were counted coarsely: the reason tells how many.
  const isBounded = (result: (typeof bounded)[number]) =>
    result.precision === 'bounded' && result.bound_low !== null && result.bound_high !== null
  for (const result of bounded.filter(isBounded)) {
    const own = exact.find(
      ({ subject, metric }) => subject === result.subject && metric === result.metric,
    )!
    expect(own.precision).toBe('exact')
    expect(own.value).toBeGreaterThanOrEqual(result.bound_low - 1e-9)
    expect(own.value).toBeLessThanOrEqual(result.bound_high + 1e-9)
    narrower++
  }
  expect(narrower).toBeGreaterThan(3)
})

test('exact numbers are made of no more than 200 000 events a span', async () => {
  await db.command(
    "INSERT INTO event_counts (model_id, step, model_version, events) VALUES ('m', '2019-01-01 00:00:00', '1', 200001)",
  )
  const span = '2019-01-01T00:00:00Z/2019-01-02T00:00:00Z'
  const { body } = await http.inject(`/v1/models/m/compare?a=${span}&b=${span}&exact=true`)
  expect(body).toContain('too_many_events')
})

test('two spans as others number them', async () => {
  for (const convention of ['evidently', 'nannyml', 'azure', 'scouter', 'trustyai']) {
    const metrics = await compare(`&convention=${convention}`)
    expect(metrics.map(({ subject }) => subject)).toContain('amount')
    for (const { value } of metrics) expect(value).not.toBeNull()
  }
  expect((await http.inject('/v1/models/m/compare?a=1&b=2&convention=mine')).statusCode).toBe(400)
})

test('two spans as SageMaker reports them', async () => {
  const ask = (a: number, b: number) =>
    http.inject(
      `/v1/models/m/constraint_violations.json?a=${iso(a)}/${iso(a + 3)}&b=${iso(b)}/${iso(b + 1)}`,
    )
  expect((await ask(0, 4)).json()).toEqual({ violations: [] })
  expect((await ask(0, 300)).statusCode).toBe(404)
  await emit(40, { shift: 8, fresh: true, gaps: true })
  const { violations } = (await ask(0, 40)).json<{
    violations: { feature_name: string; constraint_check_type: string; description: string }[]
  }>()
  expect(violations.map((v) => `${v.feature_name} ${v.constraint_check_type}`)).toEqual(
    expect.arrayContaining(['amount baseline_drift_check', 'income completeness_check']),
  )
  expect(violations.find((v) => v.feature_name === 'amount')!.description).toMatch(
    /^Baseline drift distance: 0\.\d+ exceeds threshold: 0\.1$/,
  )
})

test('a reference that is put informs from then on; one of the model file is not touched', async () => {
  const put = (name: string, payload: object) =>
    http.inject({ method: 'PUT', url: `/v1/models/m/references/${name}`, payload })
  expect((await put('spring', { from: iso(2), to: iso(5) })).statusCode).toBe(201)
  expect((await put('spring', { from: iso(2), to: iso(6) })).json()).toMatchObject({ revision: 2 })
  expect((await put('first-version', { model_version: '1' })).statusCode).toBe(201)
  expect((await put('training', { from: iso(2), to: iso(5) })).statusCode).toBe(409)
  expect((await put('both', { from: iso(2), to: iso(5), model_version: '1' })).statusCode).toBe(400)
  expect((await put('backwards', { from: iso(5), to: iso(2) })).statusCode).toBe(400)
  await emit(23, {})
  await evaluate()
  const rows = await db.query<{ reference: string; n: string; revision: number; verdict: string }>(
    `SELECT reference, n_reference AS n, reference_revision AS revision, verdict FROM window_metrics_latest
     WHERE window_start = {start:DateTime64(3, 'UTC')} AND metric = 'psi' AND subject = 'amount' AND slice_key = '' ORDER BY reference`,
    { start: iso(23).slice(0, 23) },
  )
  expect(rows).toMatchObject([
    { reference: 'first-version', n: String(23 * 300), revision: 1, verdict: 'none' },
    { reference: 'spring', n: String(4 * 300), revision: 2, verdict: 'none' },
    { reference: 'training', revision: 1 },
  ])
})

test('a reference of events that a caller brings is counted as predictions are, and is none of them', async () => {
  const upload = (name: string, lines: readonly object[]) =>
    http.inject({
      method: 'PUT',
      url: `/v1/models/m/references/${name}`,
      headers: { 'content-type': 'application/x-ndjson' },
      payload: lines.map((line) => JSON.stringify(line)).join('\n'),
    })
  const trained = Array.from({ length: 500 }, (_, i) => ({
    prediction_id: `t-${i}`,
    model_id: 'm',
    model_version: '1',
    predicted_at: new Date(START - 400 * DAY + i * 60_000).toISOString(),
    features: { amount: 1000 + i, color: 'red' },
  }))
  const [before] = await db.query('SELECT count() AS n FROM predictions')
  const answer = await upload('training-set', trained)
  expect(answer.statusCode).toBe(201)
  expect(answer.json()).toMatchObject({ kind: 'uploaded', events: 500, revision: 1 })
  expect((await upload('training-set', trained.slice(0, 400))).json()).toMatchObject({
    events: 400,
    revision: 2,
  })
  const refused = await upload('wrong', [trained[0]!, { ...trained[1], model_id: 'other' }])
  expect(refused.statusCode).toBe(400)
  expect(refused.body).toContain('line 2: model_id must be m, as in the path')
  expect((await upload('empty', [])).statusCode).toBe(400)
  expect(await db.query('SELECT count() AS n FROM predictions')).toEqual([before])
  await emit(24, {})
  await evaluate()
  const rows = await db.query<{ metric: string; value: number; n: string }>(
    `SELECT subject, metric, value, n_reference AS n FROM window_metrics_latest
     WHERE window_start = {start:DateTime64(3, 'UTC')} AND reference = 'training-set' AND slice_key = '' AND metric = 'ks' AND convention = 'plumbline'`,
    { start: iso(24).slice(0, 23) },
  )
  // Amounts of the training set are all above those of the stream.
  expect(rows).toMatchObject([{ subject: 'amount', value: 1, n: '400' }])
  const { references } = (await http.inject('/v1/models/m')).json<{
    references: Record<string, unknown>[]
  }>()
  expect(references.find(({ name }) => name === 'training-set')).toEqual({
    name: 'training-set',
    kind: 'uploaded',
    from: new Date(START - 400 * DAY).toISOString(),
    to: new Date(START - 400 * DAY + 399 * 60_000 + 1).toISOString(),
    revision: 2,
  })
  const listed = (await http.inject('/v1/models')).json<{ models: { model_id: string }[] }>()
  expect(listed.models.map(({ model_id }) => model_id)).toEqual(['m'])
})
