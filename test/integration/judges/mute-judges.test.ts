/**
 * A judge that agrees with people less than its floor is muted: it asks nothing until a person
 * unmutes it or it has another version; both are told over HTTP and in the audit log.
 */
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { beforeAll, expect, test } from 'vitest'
import { openAccess } from '../../../lib/http/api-keys.ts'
import { createHttp, type Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { readAudit } from '../../../lib/postgres/audit-log.ts'
import { judgeRoutes } from '../../../services/feedback/http/judge-routes.ts'
import { labelRoutes } from '../../../services/feedback/http/label-routes.ts'
import { judgeMetrics } from '../../../services/feedback/loop/judges/judge-metrics.ts'
import { muteJudges } from '../../../services/feedback/loop/judges/mute-judges.ts'
import { promptFiles } from '../../../services/feedback/queries/judges/prompt-files.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'
import { dataOf, judgeDouble, labels, type JudgeDouble } from '../../servers/judge-double.ts'
import { DAY, judgingOf, modelWithJudge, predictionsOf } from './asked.ts'

const HOUR_MS = 3_600_000
let stream: Pipeline
let postgres: Postgres
let double: JudgeDouble
const directory = temporaryDirectory()
const ITEMS = 60

const judge = (version: string) =>
  `{ name: grounded, version: '${version}', prompt: prompts/g.yaml, sample: 1, concurrency: 16, answer: { classes: [yes, no] }, endpoint: { url: "${double.url}", model: small }, mute_below: { agreement: 0.5, items: 30 } }`
const modelOf = (version: string) =>
  modelWithJudge(directory, { modelId: 'chat', url: double.url, judge: judge(version) })

beforeAll(async () => {
  stream = await pipeline()
  postgres = await migratedPostgres(temporaryDirectory())
  // It says what its version tells it to: the first one says yes to all that people say no to.
  double = await judgeDouble(
    labels((request) => {
      const i = Number(String(dataOf(request)['output_text']).slice(5))
      return i % 3 === 0 ? 'yes' : 'no'
    }),
  )
  await stream.predictions(
    predictionsOf(
      'chat',
      Array.from({ length: ITEMS }, (_, i) => `text ${i}`),
    ),
  )
})

/** What people say of the first `n` predictions: half of them otherwise than the judge. */
const ofPeople = (n: number, from = 0) =>
  Array.from({ length: n - from }, (_, k) => k + from).map((i) => ({
    label_id: `h-${i}`,
    model_id: 'chat',
    prediction_id: `p-${i}`,
    label: i % 2 === 0 ? 'yes' : 'no',
    labelled_at: new Date(DAY + 2 * HOUR_MS).toISOString(),
    source: 'human_review',
    name: 'grounded',
    labeler: 'ann',
  }))

/** A process with the model at a version, its routes and its metrics. */
async function running(model: Model) {
  const asked = judgingOf(stream, postgres, [model])
  const { judging, clock } = asked
  const models = { declared: [model] }
  const now = () => clock.now
  const registry = new Registry()
  const http: Http = await createHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1 << 20,
    maxPendingBytes: 1 << 22,
    log: pino({ level: 'silent' }),
    registry,
    readiness: { started: true, stopping: false },
    checks: new Map(),
    authenticate: openAccess,
  })
  const of = (id: string) =>
    id === 'chat' ? model : ({ ...model, modelId: id, judges: [] } as Model)
  judgeRoutes(http, {
    postgres,
    now,
    modelOf: of,
    readPrompt: promptFiles(),
    allowsCommands: false,
    prices: judging.prices,
  })
  labelRoutes(http, { db: stream.db, postgres, now, modelOf: of })
  const metrics = judgeMetrics(registry, postgres, models, now)
  return {
    ...asked,
    mute: () => muteJudges({ ...judging, models }),
    metrics: async () => {
      await metrics.refresh()
      return registry.metrics()
    },
    http,
  }
}

test('muted below the floor once enough is shared, told, and unmuted by a person', async () => {
  const one = await running(modelOf('1'))
  await one.all()
  await one.emit()
  await stream.labels(one.sent)
  expect(one.sent).toHaveLength(ITEMS)
  await stream.labels(ofPeople(29))
  await one.mute()
  expect((await one.metrics()).match(/plumbline_judge_muted\{.*\} (\d)/)![1]).toBe('0')
  await stream.labels(ofPeople(ITEMS, 29))
  await one.mute()
  expect((await one.metrics()).match(/plumbline_judge_muted\{.*\} (\d)/)![1]).toBe('1')

  const told = async () => {
    const answer = await one.http.inject({ url: '/v1/models/chat/judges' })
    expect(answer.statusCode).toBe(200)
    return answer.json<{ judges: Record<string, unknown>[] }>().judges[0]!
  }
  expect(await told()).toMatchObject({
    standing: 'muted',
    reason: expect.stringMatching(
      /^its agreement with people \(kappa\) is .*over 60 predictions/,
    ) as string,
    muted_at: '2025-06-05T06:00:00.000Z',
    spent_usd: 0.0084,
    questions: { answered: ITEMS, open: 0 },
  })
  const agreement = await one.http.inject({ url: '/v1/models/chat/agreement?days=365' })
  expect(agreement.json<{ judges: object[] }>().judges).toMatchObject([
    { judge: 'grounded@1', label: 'grounded', items: ITEMS, statistic: 'kappa' },
  ])

  // Nothing more is drawn or asked.
  const before = double.requests.length
  await stream.predictions(
    predictionsOf('chat', ['text 900', 'text 901']).map((event, i) => ({
      ...event,
      prediction_id: `new-${i}`,
    })),
  )
  await one.all()
  expect(double.requests).toHaveLength(before)

  const unmute = (payload: object, name = 'grounded') =>
    one.http.inject({ method: 'POST', url: `/v1/models/chat/judges/${name}/unmute`, payload })
  const said = { actor: 'ann', version: '1', reason: 'the rubric was wrong' }
  expect((await unmute(said, 'nobody')).statusCode).toBe(404)
  expect((await unmute({ ...said, version: '2' })).statusCode).toBe(409)
  expect((await unmute({ ...said, reason: '' })).statusCode).toBe(400)
  one.clock.now += 1000
  const unmuted = await unmute(said)
  expect(unmuted.json()).toEqual({
    model_id: 'chat',
    judge: 'grounded',
    version: '1',
    agreement_from: '2025-06-05T06:00:01.000Z',
  })
  expect((await unmute(said)).statusCode).toBe(409)
  // What it said before does not mute it again.
  await one.mute()
  expect(await told()).toMatchObject({ standing: 'ready', reason: '', muted_at: null })
  await one.all()
  expect(double.requests.length).toBeGreaterThan(before)
  const acts = (await readAudit(postgres, 0, 10)).map(({ action, actor }) => [action, actor])
  expect(acts).toEqual([
    ['judge.muted', 'agreement with people'],
    ['judge.unmuted', 'claimed:ann'],
  ])
  await one.http.close()
})

test('another version of a muted judge is asked', async () => {
  await postgres.query(
    `update judge_versions set muted_at = now(), muted_reason = 'so' where model_id = 'chat' and version = '1'`,
  )
  const next = await running(modelOf('2'))
  const before = double.requests.length
  await next.all()
  expect(double.requests.length).toBeGreaterThan(before)
  const answer = await next.http.inject({ url: '/v1/models/chat/judges' })
  expect(answer.json<{ judges: object[] }>().judges).toMatchObject([
    { version: '2', standing: 'ready' },
  ])
  const none = await next.http.inject({ url: '/v1/models/other/judges' })
  expect(none.json()).toMatchObject({ judges: [] })
  await next.http.close()
})
