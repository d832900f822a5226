/**
 * A table as a baseline: what production was trained on (skew) and what it was like before (drift)
 * are two questions.
 */
import { NO_PRIVACY } from '../../../lib/events/privacy/redactor.ts'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bareHttp } from '../../bare-http.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { normals } from '../../../bench/streams.ts'
import { createSpool } from '../../../lib/clickhouse/spool.ts'
import type { Http } from '../../../lib/http/server.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import { pastBudgets } from '../../../services/drift/http/past-budgets.ts'
import { modelRoutes } from '../../../services/drift/http/model-routes.ts'
import { referenceRoutes } from '../../../services/drift/http/references/reference-routes.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const EVENTS = 400
/** Amounts move; the countries are not those of the table from the first day on. */
const [MOVED, DAYS] = [10, 12]
const DAILY = 'windows: { size: 1d, lateness: 1h, min_count: 100 }\n'
const iso = (ms: number) => new Date(ms).toISOString()

const folder = mkdtempSync(join(tmpdir(), 'plumbline-models-'))
const model = parseModel(
  `
model_id: m
task: binary
windows: { size: 1d, lateness: 1h, min_count: 100 }
fairness: { attributes: { sex: {} } }
slices: [region]
references:
  training:
    kind: table
    file: data/training.parquet
    columns: { label: defaulted, amount: AMT }
  elsewhere: { kind: table, file: out.csv }
  nowhere: { kind: table, file: nowhere.csv }
  broken: { kind: table, file: broken.parquet }
`,
  folder,
)
const uniform = uniforms(3)
const normal = normals(uniform)
const http = bareHttp()
http.addSchema(ProblemDocument)
let on: Pipeline
let evaluate: () => Promise<unknown>

interface Row {
  subject: string
  value: number | null
  bound_low: number | null
  bound_high: number | null
  verdict: string
  reason: string
  reference: string
  reference_kind: string
  n_reference: string
  baseline_value: number | null
}
const rows = (day: number, metric: string, more = "slice_key = ''") =>
  on.db.query<Row>(
    `SELECT subject, value, bound_low, bound_high, verdict, reason, reference, reference_kind, n_reference, baseline_value FROM window_metrics_latest
     WHERE model_id = 'm' AND metric = {metric:String} AND convention = 'plumbline' AND model_version = '' AND window_start = {start:DateTime64(3, 'UTC')} AND ${more}
     ORDER BY subject, reference`,
    { metric, start: iso(START + day * DAY).slice(0, 23) },
  )
const row = async (day: number, metric: string, subject: string, more?: string) =>
  (await rows(day, metric, more)).find((one) => one.subject === subject && one.value !== null)

async function emit(day: number, modelId = 'm') {
  const events = Array.from({ length: EVENTS }, (_, i) => ({
    prediction_id: `${modelId}-${day}-${i}`,
    model_id: modelId,
    model_version: '1',
    predicted_at: iso(START + day * DAY + (i * DAY) / EVENTS),
    prediction: i % 2 === 0 ? '1' : '0',
    score: uniform(),
    attributes: { sex: i % 3 === 0 ? 'f' : 'm' },
    features: {
      amount: 100 + 10 * (normal() + (day >= MOVED ? 1 : 0)),
      country: uniform() < 0.7 ? 'DE' : 'FR',
      region: i % 2 === 0 ? 'north' : 'south',
      gap: uniform() < 0.5 ? null : 1,
    },
  }))
  await on.predictions(events)
  if (modelId !== 'm') return
  await on.labels(
    events.map(({ prediction_id, prediction, predicted_at }) => ({
      label_id: prediction_id,
      model_id: 'm',
      prediction_id,
      // Right in 9 of 10; the table says 8 of 10.
      label: (prediction === '1') === uniform() < 0.9 ? '1' : '0',
      labelled_at: predicted_at,
      source: 'ground_truth',
    })),
  )
}

/** A Parquet file, as ClickHouse writes it. */
async function parquet(sql: string): Promise<Buffer> {
  const session = on.engine.rawSession('plumbline_owner', [])
  return (await session.run(sql, {}, 'Parquet')).bytes
}

const TRAINING = `SELECT 100 + 10 * randNormal(0, 1) AS AMT, if(rand(1) % 10 < 4, 'DE', 'FR') AS country,
    if(number % 2 = 0, 'north', 'south') AS region, if(number % 3 = 0, 'f', 'm') AS sex, toInt32(1) AS gap,
    toString(number % 2) AS prediction, if(number % 10 < 8, number % 2, 1 - number % 2) AS defaulted,
    rand(2) / 4294967295 AS score, [number] AS nested, toFloat64(number) AS internal_id
  FROM numbers(5000)`

beforeAll(async () => {
  on = await pipeline()
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data', 'training.parquet'), await parquet(TRAINING))
  writeFileSync(join(folder, 'broken.parquet'), 'PAR1, or is it')
  const outside = join(mkdtempSync(join(tmpdir(), 'plumbline-outside-')), 'out.csv')
  writeFileSync(outside, 'a,b\n1,2\n')
  symlinkSync(outside, join(folder, 'out.csv'))
  for (let day = 0; day < DAYS; day++) await emit(day)
  const evaluateModel = evaluateOn(on.connect('drift'), { now: () => START + 400 * DAY })
  evaluate = () => evaluateModel(model)
  await evaluate()
  for (const day of [0, 1, MOVED]) await emit(day, 'fixed')
  await evaluateModel(parseModel(`model_id: fixed\ntask: binary\n${DAILY}alarms: fixed\n`))
  const queries = driftQueries(on.connect('http'))
  const models = { declared: [model], get: (id: string) => ({ ...model, modelId: id }) }
  const parts = { db: on.connect('http'), queries, models, now: () => START + 400 * DAY }
  referenceRoutes(http as unknown as Http, {
    ...parts,
    privacy: NO_PRIVACY,
    spool: createSpool(join(on.directory, 'tables'), 'process'),
  })
  modelRoutes(http as unknown as Http, parts)
  await http.ready()
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true }))

test('a window like the table is told so while the windows of production are learned', async () => {
  const amount = await row(2, 'skew', 'amount')
  expect(amount).toMatchObject({
    verdict: 'ok',
    reference: 'training',
    reference_kind: 'table',
    n_reference: '5000',
  })
  expect(amount!.reason).toContain('how production varies is not known yet')
  expect(await row(2, 'psi', 'amount', "reference = 'baseline'")).toMatchObject({
    verdict: 'none',
    reason: 'learning, window 3 of 8',
    reference_kind: 'first',
  })
})

test('countries that are not those of the table are skew from the first day on, and no drift', async () => {
  for (const day of [0, 2, 9])
    expect(await row(day, 'skew', 'country')).toMatchObject({ verdict: 'alarm' })
  const drift = await row(9, 'psi', 'country', "reference = 'baseline'")
  expect(drift).toMatchObject({ verdict: 'ok' })
})

test('values that are missing more often than in the table are skew', async () => {
  const gap = await row(9, 'missing_skew', 'gap')
  expect(gap).toMatchObject({ verdict: 'alarm' })
  expect(gap!.reason).toMatch(/missing in (4|5)\d\.\d %, in training in 0\.0 %/)
})

test('amounts that move are skew and drift', async () => {
  expect(await row(9, 'skew', 'amount')).toMatchObject({ verdict: 'ok' })
  const moved = await row(MOVED, 'skew', 'amount')
  expect(moved).toMatchObject({ verdict: 'alarm' })
  expect(moved!.value).toBeGreaterThan(0.3)
  expect(moved!.bound_low).toBeLessThanOrEqual(moved!.bound_high!)
  expect(moved!.reason).toContain('times as much as independent rows')
  expect(await row(MOVED, 'psi', 'amount', "reference = 'baseline'")).toMatchObject({
    verdict: 'alarm',
  })
})

test('what production never sends is told once and never alarmed', async () => {
  const told = (await rows(9, 'skew')).find(({ reason }) => reason.includes('internal_id'))
  expect(told).toMatchObject({ verdict: 'incomplete', value: null })
  expect(told!.reason).toBe('production sends no internal_id, which training has')
})

test('performance is held against that of the table while it is learned', async () => {
  const accuracyOf = async (day: number) =>
    (await rows(day, 'accuracy')).find(({ reference }) => reference !== '')
  const accuracy = await accuracyOf(1)
  expect(accuracy).toMatchObject({ baseline_value: 0.8, verdict: 'ok', reference: 'training' })
  expect(accuracy!.reason).toContain('learning, window 2 of 8')
  expect(await accuracyOf(9)).toMatchObject({ reference: 'baseline' })
})

test('a slice of production is held against the same slice of the table', async () => {
  const north = await row(9, 'skew', 'country', "slice_key = 'region' AND slice_value = 'north'")
  expect(north).toMatchObject({ verdict: 'alarm', n_reference: '2500' })
})

test('a table that cannot be read is a sentence, and the model is evaluated all the same', async () => {
  const failed = (await rows(9, 'skew')).filter(({ reference }) => reference !== 'training')
  expect(failed.map(({ reference, verdict, reason }) => [reference, verdict, reason])).toEqual([
    ['broken', 'incomplete', expect.stringMatching(/^references\.broken: broken\.parquet cannot/)],
    [
      'elsewhere',
      'incomplete',
      'references.elsewhere: out.csv leads out of the folder of the model file',
    ],
    [
      'nowhere',
      'incomplete',
      'references.nowhere: there is no file nowhere.csv below the folder of the model file',
    ],
  ])
  expect(failed.every(({ reason }) => !reason.includes(folder))).toBe(true)
})

test('fixed lines decide from the second window on, for those who ask for them', async () => {
  const found = await on.db.query(
    `SELECT verdict, reason LIKE '%alarms: fixed in the model file%' AS is_told FROM window_metrics_latest
     WHERE model_id = 'fixed' AND metric = 'psi' AND subject = 'amount' AND reference = 'baseline' ORDER BY window_start`,
  )
  expect(found).toEqual([
    { verdict: 'ok', is_told: 1 },
    { verdict: 'alarm', is_told: 1 },
  ])
})

test('the view of Databricks tells kinds of references and granularity in its words', async () => {
  const found = await on.db.query(
    `SELECT DISTINCT baseline_name, drift_type, granularity FROM drift_metrics_databricks WHERE model_id = 'm' AND slice_key IS NULL ORDER BY baseline_name`,
  )
  expect(found).toEqual([
    { baseline_name: 'baseline', drift_type: 'BASELINE', granularity: '1 day' },
    { baseline_name: 'recent', drift_type: 'CONSECUTIVE', granularity: '1 day' },
    { baseline_name: 'training', drift_type: 'BASELINE', granularity: '1 day' },
  ])
})

test('the model says in words what it is compared with, and what other budgets would have done', async () => {
  const answer = await http.inject('/v1/models/m')
  expect(answer.statusCode).toBe(200)
  const { baseline, references } = answer.json<{
    baseline: { compared_with: string; set_to: string; last_90_days: { windows: number }[] }
    references: { name: string; note?: string }[]
  }>()
  expect(baseline.compared_with).toBe(
    'Windows are compared with its first 8 complete windows (2026-01-01 to 2026-01-09). Besides, production is held against the table training (5000 rows with 5 features, predictions, scores and labels; left out, being neither number nor text: nested)',
  )
  expect(baseline.set_to).toBe(
    'All metrics together may cost one false alarm in 4 weeks: a window alarms by chance with a probability of at most 0.036',
  )
  // Countries are skew in every one of the days; a calmer budget has no more alarms.
  const windows = baseline.last_90_days.map((one) => one.windows)
  expect(windows).toEqual(windows.toSorted((a, b) => a - b))
  expect(windows[1]).toBe(DAYS)
  expect(references.find(({ name }) => name === 'training')?.note).toContain('5000 rows')
})

test('90 days are read once for each revision of a model and of its file', async () => {
  let readings = 0
  const counted: Pipeline['db'] = Object.create(on.db, {
    query: {
      value: (sql: string, params?: Record<string, unknown>) => {
        if (sql.includes('p_adjusted')) readings++
        return on.db.query(sql, params)
      },
    },
  })
  const past = pastBudgets(counted)
  const first = await Promise.all([past(model), past(model)])
  expect(first[0].windows).toBe(DAYS)
  expect([await past(model), ...first]).toEqual([first[0], first[0], first[0]])
  expect(readings).toBe(1)
  await on.db.command(
    `INSERT INTO window_revisions (model_id, window_start, window_end, revision, computed_at)
     SELECT model_id, window_start, window_end, revision, now64(3) + 1 FROM window_revisions WHERE model_id = 'm' LIMIT 1`,
  )
  expect(await past(model)).toEqual(first[0])
  expect(readings).toBe(2)
  await past({ ...model, revision: 'another' })
  expect(readings).toBe(3)
})

test('rows of a table are none of the predictions, and a second pass reads nothing again', async () => {
  expect(
    await on.db.query(`SELECT count() AS n FROM predictions WHERE model_id LIKE '%m%'`),
  ).toEqual([{ n: String(DAYS * EVENTS) }])
  await evaluate()
  expect(
    await on.db.query("SELECT revision FROM `references` FINAL WHERE name = 'training'"),
  ).toEqual([{ revision: 1 }])
})

const put = (name: string, type: string, payload: string | Buffer, query = '') =>
  http.inject({
    method: 'PUT',
    url: `/v1/models/other/references/${name}${query}`,
    headers: { 'content-type': type },
    payload,
  })

test('a table is uploaded as CSV, Parquet or NDJSON', async () => {
  const csv = 'amount,country,ok\n1.5,DE,yes\n2.5,"F,R",no\n,DE,no\n'
  const first = await put('upload', 'text/csv', csv, '?label=ok')
  expect([first.statusCode, first.json()]).toEqual([
    201,
    {
      name: 'upload',
      kind: 'table',
      rows: 3,
      note: '3 rows with 2 features and labels',
      revision: 1,
    },
  ])
  expect((await put('upload', 'text/csv', csv)).json()).toMatchObject({ revision: 2 })
  const stored = await on.db.query<{ features: unknown }>(
    `SELECT features, label FROM reference_rows WHERE model_id = {id:String} ORDER BY row`,
    { id: 'other\nreference\nupload\n1' },
  )
  expect(stored).toEqual([
    { features: { amount: 1.5, country: 'DE' }, label: 'yes' },
    { features: { amount: 2.5, country: 'F,R' }, label: 'no' },
    { features: { country: 'DE' }, label: 'no' },
  ])
  const lines = '{"amount":1,"deep":{"a":1}}\n{"amount":2}\n'
  expect((await put('lines', 'application/x-ndjson', lines, '?kind=table')).json()).toMatchObject({
    rows: 2,
    note: expect.stringContaining('left out, being neither number nor text: deep'),
  })
  const bytes = await parquet('SELECT number AS n FROM numbers(10)')
  expect((await put('columns', 'application/vnd.apache.parquet', bytes)).json()).toMatchObject({
    rows: 10,
    kind: 'table',
  })
})

test.each([
  [
    'text/csv',
    'amount\nx"\n',
    '?score=proba',
    'columns.score names the column proba, which it has not',
  ],
  ['text/csv', '', '', 'the table cannot be read'],
  ['text/csv', 'a,b\n', '', 'Cannot read rows'],
  ['text/csv', 'score\nhigh\n', '', 'its column of scores holds no numbers'],
  ['application/vnd.apache.parquet', 'not Parquet', '', 'the table cannot be read'],
  ['application/x-ndjson', '{"a":1}\n{', '?kind=table', 'the table cannot be read'],
  ['application/x-ndjson', '{"a":1}\n', '?label=a', 'are of tables'],
])('%s %j is refused', async (type, body, query, sentence) => {
  const answer = await put('wrong', type, body, query)
  expect([answer.statusCode, answer.json<{ detail?: string; message?: string }>()]).toMatchObject([
    400,
    {},
  ])
  expect(answer.body).toContain(sentence)
  expect(answer.body).not.toContain(on.directory)
})
