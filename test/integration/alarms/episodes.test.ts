/** Alert episodes on a real engine: what one is about, what was done, what accepting it would do. */
import type { FastifyInstance } from 'fastify'
import { bareHttp } from '../../bare-http.ts'
import { beforeAll, expect, test } from 'vitest'
import type { Static } from 'typebox'
import type { ClickHouse, Row } from '../../../lib/clickhouse/port.ts'
import type { Http } from '../../../lib/http/server.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { ProblemDocument } from '../../../schemas/http/errors.ts'
import type { EpisodeAnswer, EpisodesAnswer } from '../../../schemas/http/episodes.ts'
import type { WindowsAnswer } from '../../../schemas/http/metric-results.ts'
import { episodeFeedbackRoutes } from '../../../services/drift/http/episode-feedback-routes.ts'
import { cardRoutes } from '../../../services/drift/http/card-routes.ts'
import { episodeRoutes } from '../../../services/drift/http/episode-routes.ts'
import { reportRoutes } from '../../../services/drift/http/report-routes.ts'
import { windowRoutes } from '../../../services/drift/http/window-routes.ts'
import type { ReportData } from '../../../services/drift/report/report-data.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { migratedClickHouse } from '../../harness.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const NOW = Date.UTC(2026, 5, 1)
/** The end of the n-th day. */
const iso = (day: number) => new Date(START + day * DAY).toISOString()
const MODEL = 'team/m'
const model = parseModel(
  `{ model_id: ${MODEL}, task: binary, windows: { size: 1d, min_count: 10 }, references: { baseline: { kind: fixed, from: '2026-01-01T00:00:00Z', to: '2026-01-09T00:00:00Z', baseline: true } } }`,
)

/** Columns of `window_metrics` alone. */
const NOT_OF_VERDICTS = new Set(
  'n_current n_labelled method label_maturity completeness ci_low ci_high'.split(' '),
)

let db: ClickHouse
let http: FastifyInstance
let inserts = 0
const insert = (table: string, rows: Row[]) => db.insertRows(table, rows, `insert ${inserts++}`)

const base = (day: number, more: Row = {}): Row => ({
  model_id: MODEL,
  window_start: iso(day - 1),
  window_end: iso(day),
  revision: 1,
  computed_at: iso(day),
  ...more,
})
const episodeId = (day: number) => `${MODEL}/${iso(day)}`

/** A window of a whole model and one of its results. */
async function evaluated(day: number, worst: string, episode: string, more: Row = {}) {
  await insert('window_revisions', [
    base(day, { worst, episode_id: episode, events: 100, maturity: 0.5 }),
  ])
  await said(day, { verdict: worst, episode_id: episode, ...more })
}

async function said(day: number, more: Row = {}) {
  const row = base(day, {
    ...{ family: 'drift', metric: 'psi', subject: 'x', convention: 'plumbline' },
    ...{ reference: 'baseline', value: 0.5, threshold: 0.25, n_current: 100 },
    ...more,
  })
  await insert('window_metrics', [row])
  const ofVerdict = Object.entries(row).filter(([column]) => !NOT_OF_VERDICTS.has(column))
  await insert('verdicts', [{ verdict_id: `v${inserts}`, ...Object.fromEntries(ofVerdict) }])
}

const get = async <T>(path: string) => {
  const answer = await http.inject(`/v1/models/${encodeURIComponent(MODEL)}/${path}`)
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json<T>()
}
const episode = (day: number) => get<EpisodeAnswer>(`episodes/${iso(day)}`)
const act = (day: number, name: string, body: Row) =>
  http.inject({
    method: 'POST',
    url: `/v1/models/${encodeURIComponent(MODEL)}/episodes/${iso(day)}/${name}`,
    body,
  })

beforeAll(async () => {
  db = (await migratedClickHouse()).db
  http = bareHttp()
  http.addSchema(ProblemDocument)
  const models = { declared: [model], get: () => model }
  episodeRoutes(http as unknown as Http, { db, queries: driftQueries(db), models })
  episodeFeedbackRoutes(http as unknown as Http, db, () => NOW)
  windowRoutes(http as unknown as Http, { db })
  const parts = { db, queries: driftQueries(db), models, now: () => NOW }
  reportRoutes(http as unknown as Http, parts)
  cardRoutes(http as unknown as Http, parts)
  await insert(
    'event_counts',
    Array.from({ length: 40 }, (_, day) => ({
      model_id: MODEL,
      model_version: '1',
      step: iso(day),
      events: 100,
    })),
  )
  // The first episode was of x and y and was dismissed; the second of z alone ended by itself.
  await evaluated(11, 'alarm', episodeId(11))
  await said(11, { subject: 'y', verdict: 'alarm', episode_id: episodeId(11) })
  await insert('verdict_decisions', [
    {
      ...{ model_id: MODEL, window_start: iso(10), window_end: iso(11), decided_at: iso(12) },
      ...{ episode_id: episodeId(11), decision: 'dismiss', actor: 'ann', comment: 'a test' },
      ...{ family: 'drift', metric: 'psi', subject: 'x' },
    },
  ])
  for (const day of [12, 13]) await evaluated(day, 'ok', '')
  await said(12, { subject: 'y', verdict: 'ok' })
  await evaluated(14, 'alarm', episodeId(14), { subject: 'z' })
  for (const day of [15, 16]) await evaluated(day, 'ok', '', { subject: 'z' })
  // The third is active: x, then a slice of it, then a fall of accuracy.
  await evaluated(21, 'warning', '', {})
  await evaluated(22, 'alarm', episodeId(22))
  await evaluated(23, 'alarm', episodeId(22), {
    value: 0.9,
    reason:
      'values lie 3 standard deviations higher; alone it moves the score by +0.2 of +0.25; more',
  })
  const slice = { slice_key: 'region', slice_value: 'north' }
  await said(23, { ...slice, verdict: 'alarm', episode_id: episodeId(22), value: 1.5 })
  await said(23, {
    ...{ family: 'performance', metric: 'accuracy', subject: '', reference: 'baseline' },
    ...{
      method: 'observed',
      verdict: 'alarm',
      value: 0.6,
      baseline_value: 0.8,
      ci_low: 0.55,
      ci_high: 0.65,
    },
    ...{ n_labelled: 80, label_maturity: 0.5, completeness: 0.99, episode_id: episodeId(22) },
  })
})

test('the list has each episode with what alarmed, newest first, and how it ended', async () => {
  const { episodes } = await get<Static<typeof EpisodesAnswer>>('episodes')
  expect(
    episodes.map(({ episode: name, windows, ended, alarms }) => ({
      name,
      windows,
      ended,
      of: alarms.map(({ subject }) => subject),
    })),
  ).toEqual([
    { name: iso(22), windows: 2, ended: 'active', of: ['x', ''] },
    { name: iso(14), windows: 1, ended: 'by itself', of: ['z'] },
    { name: iso(11), windows: 1, ended: 'dismissed', of: ['x', 'y'] },
  ])
  expect((await get<Static<typeof EpisodesAnswer>>('episodes?limit=1')).episodes).toHaveLength(1)
})

test('an episode says what it rests on, what moved where, and what performance did', async () => {
  const { headline, evidence, results, performance, severity, since, until } = await episode(22)
  expect({ severity, since, until }).toEqual({ severity: 'alarm', since: iso(22), until: iso(23) })
  expect(headline).toBe(
    'accuracy is down from 0.8 to 0.6; x has drifted in region=north: its values lie 3 standard deviations higher, which alone moves the score by +0.2 of +0.25',
  )
  expect(evidence).toEqual([
    expect.objectContaining({ window_end: iso(22), events: '100', labelled: '0' }),
    {
      ...{ window_start: iso(22), window_end: iso(23), worst: 'alarm', events: '100' },
      ...{ labelled: '80', label_maturity: 0.5, completeness: 0.99 },
    },
  ])
  expect(
    results.map((one) => [one.subject, one.slice_value, one.value, one.windows, one.since]),
  ).toEqual([
    ['', '', 0.6, '1', iso(23)],
    ['x', '', 0.9, '2', iso(22)],
    ['x', 'north', 1.5, '1', iso(23)],
  ])
  expect(results[1]).toMatchObject({ score_moved_alone: 0.2, score_moved: 0.25 })
  expect(performance).toEqual([
    expect.objectContaining({ metric: 'accuracy', value: 0.6, ci_low: 0.55, n_labelled: '80' }),
  ])
})

test('as of an earlier time, all is told as it was known then', async () => {
  const asOf = (day: number) => `as_of=${encodeURIComponent(iso(day))}`
  const before = await get<Static<typeof EpisodesAnswer>>(`episodes?${asOf(11.5)}`)
  expect(before.episodes.map((one) => [one.episode, one.ended, one.windows])).toEqual([
    [iso(11), 'active', 1],
  ])
  const then = await get<EpisodeAnswer>(`episodes/${iso(22)}?${asOf(22)}`)
  expect(then).toMatchObject({ windows: 1, until: iso(22), performance: [], ended: 'active' })
  // A window that is evaluated again is told as it was.
  await said(16, { subject: 'w', value: 0.1, verdict: 'ok' })
  await said(16, { subject: 'w', value: 0.7, verdict: 'ok', revision: 2, computed_at: iso(30) })
  const values = async (query: string) =>
    (await get<Static<typeof WindowsAnswer>>(`windows?subject=w&${query}`)).metrics.map(
      ({ value, revision }) => [value, revision],
    )
  expect(await values(asOf(29))).toEqual([[0.1, 1]])
  expect(await values('')).toEqual([[0.7, 2]])
  expect(await values(asOf(15))).toEqual([])
  const path = `/v1/models/${encodeURIComponent(MODEL)}`
  for (const room of ['windows', 'episodes', `episodes/${iso(22)}`, 'report'])
    expect((await http.inject(`${path}/${room}?as_of=then`)).statusCode, room).toBe(400)
})

/** The page of a report and the data in it. */
async function reported(query: string) {
  const answer = await http.inject(`/v1/models/${encodeURIComponent(MODEL)}/report?${query}`)
  expect(answer.statusCode, answer.body).toBe(200)
  const json = /id="report-data">(.*?)<\/script>/s.exec(answer.body)![1]!
  return { answer, data: JSON.parse(json) as ReportData }
}

test('a report tells the period with its windows, episodes and what people did', async () => {
  const { answer, data } = await reported('')
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
  expect(data).toMatchObject({ from: iso(10), to: iso(23), as_of: null, made_at: iso(151) })
  expect(data.windows.shown.at(-1)).toEqual({
    ...{ window_start: iso(22), window_end: iso(23), worst: 'alarm', events: 100, labelled: 80 },
    ...{ maturity: 0.5, completeness: 0.99, policy_revision: '', revision: 1 },
    computed_at: iso(23),
  })
  expect(data.performance[0]).toMatchObject([{ value: 0.6, ci_low: 0.55, ci_high: 0.65 }])
  expect(data.episodes.shown.map(({ episode: name, ended }) => [name, ended])).toEqual([
    [iso(22), 'active'],
    [iso(14), 'by itself'],
    [iso(11), 'dismissed'],
  ])
  expect(data.episodes.shown[2]!.feedback).toMatchObject([{ actor: 'ann', comment: 'a test' }])
  expect(data.features.shown[0]).toMatchObject({ subject: 'x', verdict: 'alarm' })
  expect(answer.body).toContain('ann')
})

test('a report of a past knowledge and of a part of the time leaves out what came later', async () => {
  const { data } = await reported(`as_of=${encodeURIComponent(iso(11.5))}`)
  expect(data.windows.shown.map((one) => one.window_end)).toEqual([iso(11)])
  expect(data.episodes.shown).toMatchObject([{ ended: 'active', feedback: [] }])
  const part = await reported(`from=${iso(12)}&to=${iso(15)}`)
  expect(part.data.windows.shown.map((one) => one.window_end)).toEqual([iso(13), iso(14), iso(15)])
  expect(part.data.episodes.shown.map((one) => one.episode)).toEqual([iso(14)])
  const path = `/v1/models/${encodeURIComponent(MODEL)}/report`
  expect((await http.inject(`${path}?to=2020-01-01T00:00:00Z`)).statusCode).toBe(404)
  expect((await http.inject(`${path}?from=${iso(3)}&to=${iso(2)}`)).statusCode).toBe(400)
})

test('a restated window leaves the episode that its newest revision is not part of', async () => {
  await insert('window_revisions', [
    base(14, { revision: 2, worst: 'ok', episode_id: '', events: 100 }),
  ])
  const answer = await http.inject(`/v1/models/${encodeURIComponent(MODEL)}/episodes/${iso(14)}`)
  expect(answer.statusCode).toBe(404)
  expect(answer.json()).toMatchObject({ code: 'unknown_episode' })
})

test('episodes before that share alarms are told with how they ended', async () => {
  const { similar } = await episode(22)
  expect(similar).toEqual([
    expect.objectContaining({ episode: iso(11), shared: 1, ended: 'dismissed' }),
  ])
})

test('runs decided on its windows, or asked for while it lasted, are told with who asked', async () => {
  const run = (run_id: string, day: number | null, asked: number) => [
    {
      ...{ run_id, model_id: MODEL, policy: 'p', state: 'succeeded', reason: 'r', revision: 1 },
      ...{ window_end: day === null ? null : iso(day), new_version: '2', at: iso(40) },
    },
    { sequence: ++inserts, at: iso(asked), actor: 'bob', action: 'run.requested', subject: run_id },
  ]
  for (const [row, entry] of [
    run('on it', 23, 24),
    run('by hand', null, 25),
    run('long before', null, 5),
    run('on another', 11, 24),
  ]) {
    await insert('retrain_runs_log', [row as Row])
    await insert('audit_log', [entry as Row])
  }
  const { runs } = await episode(22)
  expect(runs.map(({ run_id, actor }) => [run_id, actor])).toEqual([
    ['by hand', 'bob'],
    ['on it', 'bob'],
  ])
})

test('the card has the newest performance with its interval, the episodes and the runs', async () => {
  const { model_card, sections } = await get<{
    model_card: { quantitative_analysis: { performance_metrics: object[] } }
    sections: { title: string; table?: { rows: string[][] } }[]
  }>('card')
  expect(model_card.quantitative_analysis.performance_metrics).toContainEqual({
    ...{ type: 'accuracy', value: 0.6 },
    confidence_interval: { lower_bound: 0.55, upper_bound: 0.65 },
  })
  const rowsOf = (title: string) => sections.find((one) => one.title === title)!.table!.rows
  expect(rowsOf('Performance by cohort')[0]).toEqual([
    ...['all', 'accuracy', '0.6', '0.55 to 0.65', '80', 'alarm'],
  ])
  const { episodes } = await get<Static<typeof EpisodesAnswer>>('episodes')
  expect(rowsOf('Incidents').map(([since, , , ended]) => [since, ended])).toEqual(
    episodes.map(({ episode: name, ended }) => [name, ended]),
  )
  expect(rowsOf('Incidents')[0]![0]).toBe(iso(22))
  expect(rowsOf('Drift history')[0]!.slice(0, 3)).toEqual([
    new Date(Date.parse(iso(23))).toISOString().replace('.000Z', 'Z'),
    expect.any(String),
    'alarm',
  ])
  expect(rowsOf('Model')).toEqual([['1', '4000', expect.any(String), expect.any(String)]])
})

test('a name that is no time, and an episode that is not there, are refused', async () => {
  const path = `/v1/models/${encodeURIComponent(MODEL)}/episodes`
  expect((await http.inject(`${path}/yesterday`)).statusCode).toBe(400)
  expect((await http.inject(`${path}/2020-01-01T00:00:00Z`)).statusCode).toBe(404)
  expect((await http.inject(`${path}/2026-01-23T00:00:00Z`)).statusCode).toBe(200)
})

test('a report tells steps of runs by the audit log as it was then', async () => {
  const { data } = await reported('')
  expect(data.runs.shown.map(({ run_id, actor, action }) => [run_id, actor, action])).toEqual(
    expect.arrayContaining([['on it', 'bob', 'run.requested']]),
  )
  const { data: then } = await reported(`as_of=${encodeURIComponent(iso(23.5))}`)
  expect(then.runs.shown.map(({ run_id: id }) => id)).not.toContain('on it')
})

test('an act needs a reason, and a snooze a time to come', async () => {
  expect((await act(22, 'dismiss', { actor: 'ann' })).statusCode).toBe(400)
  expect((await act(22, 'dismiss', { actor: 'ann', comment: '  ' })).statusCode).toBe(400)
  const past = { actor: 'ann', comment: 'so', until: '2026-01-01T00:00:00Z' }
  expect((await act(22, 'snooze', past)).statusCode).toBe(400)
  expect((await act(1, 'dismiss', { actor: 'ann', comment: 'so' })).statusCode).toBe(404)
})

test('the preview is what accepting does: its windows join, and the episode ends', async () => {
  const { accept } = await episode(22)
  expect(accept).toEqual({
    ...{ windows: 2, events: 200, from: iso(21), to: iso(23) },
    ...{ baseline: 'baseline', baseline_spans: 1, baseline_events: 800 },
    says: '2 windows with 200 events join baseline, which has 800 events, 20 % of it from then on: values like these alarm no more',
  })
  const answer = await act(22, 'accept', { actor: 'ann', comment: 'a new market' })
  expect(answer.statusCode, answer.body).toBe(201)
  expect(answer.json()).toMatchObject({ actor: 'claimed:ann', verdicts: 4 })
  const after = await episode(22)
  expect(after.ended).toBe('accepted')
  expect(after.feedback).toEqual([
    {
      ...{ decision: 'accept', actor: 'claimed:ann', comment: 'a new market', until: null },
      ...{ verdicts: '4', decided_at: new Date(NOW).toISOString() },
    },
  ])
  expect(after.accept).toMatchObject({ windows: 0, baseline_spans: 3, baseline_events: 1000 })
})
