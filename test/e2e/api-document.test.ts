/** The OpenAPI document is valid and whole, and what the service answers is what it says. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import SwaggerParser from '@apidevtools/swagger-parser'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../deploy/local/kafka.ts'
import { temporaryDirectory } from '../harness.ts'
import { alertsSettings, walkAlertsOut } from '../alerts-walk.ts'
import { steppedPolicy, walkRollout } from '../rollout-walk.ts'
import { walkSides } from '../planted/compared-sides.ts'
import { walkDatasets } from '../dataset-walk.ts'
import { untilDrawn, walkFairPlay } from '../fair-play-walk.ts'
import { SEEN_ELSEWHERE } from '../seen-elsewhere.ts'
import { ask, prediction, startTarget, until, type Running } from '../servers/processes.ts'
import { feedbackKeyIn, walkRatings } from '../rating-walk.ts'

interface Media {
  schema: object
  example?: unknown
  examples?: object
}
interface Parameter {
  name: string
  in: string
  required: boolean
  example?: unknown
  schema: object
}
interface Operation {
  summary: string
  tags: string[]
  security: object[]
  parameters?: Parameter[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description: string; content?: Record<string, Media> }>
}
interface Document {
  openapi: string
  tags: { name: string }[]
  components: { securitySchemes: object }
  paths: Record<string, Record<string, Operation>>
}

const directory = temporaryDirectory()
let plumbline: Running
let hook: Server
let document: Document
const jobs: { run_id: string; status_url: string }[] = []

beforeAll(async () => {
  const port = await freePort()
  hook = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      jobs.push((JSON.parse(body) as { data: (typeof jobs)[number] }).data)
      response.writeHead(204).end()
    })
  }).listen(port, '127.0.0.1')
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/m.yaml'),
    `model_id: m
task: binary
windows: { size: 1h, lateness: 15m, min_count: 50 }
references: { baseline: { kind: first, windows: 1, baseline: true } }
review: { budget_per_day: 2400, reviewers: 2, adjudicate: { people: [eva] } }
retrain:
  - name: now
    when: schedule("0 0 1 1 *")
    launch: { kind: webhook, url: "http://127.0.0.1:${port}/" }
  - { name: held, when: schedule("0 0 1 1 *"), approval: two, launch: { kind: webhook, url: "http://127.0.0.1:${port}/" } }
  - ${steppedPolicy(port)}
`,
  )
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
    ...alertsSettings(directory, port),
    PLUMBLINE_FEEDBACK_KEY_FILE: feedbackKeyIn(directory),
  })
  document = (await (await fetch(`${plumbline.url}/docs/json`)).json()) as Document
})
afterAll(async () => {
  await plumbline?.stop()
  hook?.close()
})

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  )

const ajv = new Ajv2020({ strict: false, allErrors: true })
for (const format of ['date-time', 'event-time'])
  ajv.addFormat(format, (text: string) => !Number.isNaN(Date.parse(text)))

/** Why a value is not what a schema of the document says; '' where it is. */
function difference(schema: object, value: unknown): string {
  const validate = ajv.compile({ ...schema, components: document.components })
  return validate(value) ? '' : ajv.errorsText(validate.errors)
}

test('the document is valid OpenAPI 3.1', async () => {
  expect(document.openapi).toBe('3.1.0')
  await SwaggerParser.validate(structuredClone(document) as never)
})

test('every operation has a summary, a tag, who may ask, and an answer for success and for failure', () => {
  const tags = new Set(document.tags.map(({ name }) => name))
  const schemes = new Set(Object.keys(document.components.securitySchemes))
  for (const { name, operation } of operations()) {
    expect(operation.summary, name).toMatch(/^\S.{4,}/)
    expect(operation.tags.length === 1 && tags.has(operation.tags[0]!), name).toBe(true)
    expect(
      operation.security.flatMap(Object.keys).every((one) => schemes.has(one)),
      name,
    ).toBe(true)
    const statuses = Object.keys(operation.responses)
    const successes = statuses.filter((status) => status.startsWith('2'))
    expect(successes.length, name).toBeGreaterThan(0)
    for (const status of successes) {
      const { description, content } = operation.responses[status]!
      expect(description, `${name} ${status}`).not.toBe('Default Response')
      if (status !== '204') expect(Object.values(content!)[0]!.schema, name).toBeTypeOf('object')
    }
    const isOtlp = /\/v1\/(traces|logs)$/.test(name)
    for (const status of statuses.filter((one) => !one.startsWith('2')))
      expect(operation.responses[status]!.content, `${name} ${status}`).toEqual(
        isOtlp
          ? { 'application/json': { schema: { $ref: '#/components/schemas/RpcStatus' } } }
          : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      )
  }
})

test('every body, required parameter and answer has an example, and it is what its schema says', () => {
  for (const { name, operation } of operations()) {
    const contents = [
      operation.requestBody?.content ?? {},
      ...Object.entries(operation.responses).flatMap(([status, { content }]) =>
        status.startsWith('2') && content ? [content] : [],
      ),
    ]
    for (const content of contents)
      for (const [type, { schema, example }] of Object.entries(content)) {
        expect(example, `${name} ${type}`).toBeDefined()
        expect(difference(schema, example), `${name} ${type}`).toBe('')
      }
    for (const { name: parameter, required, example, schema } of operation.parameters ?? []) {
      if (required) expect(example, `${name} ${parameter}`).toBeDefined()
      if (example !== undefined)
        expect(difference(schema, example), `${name} ${parameter}`).toBe('')
    }
  }
})

interface Request {
  params?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: unknown
}

const reached = new Set<string>()

/** Sends a request, and holds its answer against what the document declares for its status. */
async function walk(operation: string, request: Request = {}): Promise<unknown> {
  const [method = '', path = ''] = operation.split(' ')
  const { params = {}, query = {}, headers = {}, body } = request
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name]!),
  )
  const isText = typeof body === 'string'
  const response = await fetch(`${plumbline.url}${address}?${new URLSearchParams(query)}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const said = `${operation}: ${response.status} ${text.slice(0, 500)}`
  const declared = document.paths[path]?.[method.toLowerCase()]?.responses[response.status]
  expect(declared, said).toBeDefined()
  if (response.ok) reached.add(operation)
  if (response.status === 204) return undefined
  const type = response.headers.get('content-type')!.split(';')[0]!
  const media = declared!.content?.[type]
  expect(media, `${said} (${type})`).toBeDefined()
  const answer: unknown = type.startsWith('text/') ? text : JSON.parse(text)
  expect(difference(media!.schema, answer), said).toBe('')
  return answer
}

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 1)
const SPANS = {
  a: '2026-01-01T00:00:00Z/2026-01-01T01:00:00Z',
  b: '2026-01-01T02:00:00Z/2026-01-01T03:00:00Z',
}
const events = (hour: number, shift: number) =>
  Array.from({ length: 120 }, (_, i) =>
    prediction(hour * 1000 + i, {
      model_id: 'm',
      model_version: i % 2 === 0 ? '7' : '8',
      predicted_at: new Date(START + hour * HOUR + i * 25_000).toISOString(),
      prediction: String(i % 2),
      score: (i % 10) / 10,
      features: { x: (i % 50) / 50 + shift, flag: i % 3 === 0, country: i % 2 ? 'DE' : null },
      attributes: { sex: String(i % 2) },
    }),
  )

test('what is sent is answered as declared, and what cannot be read too', async () => {
  const sent = [...events(0, 0), ...events(1, 0), ...events(2, 1), ...events(5, 1)]
  for (const body of [sent, [events(7, 0)[0], { model_id: 'm' }], [{ model_id: 'm' }], '{'])
    await walk('POST /v1/predictions', { body })
  await walk('POST /v1/predictions', { body: 'x', headers: { 'content-type': 'text/plain' } })
  for (const path of ['labels', 'attributes', 'cloudevents', 'traces', 'logs']) {
    const { requestBody } = document.paths[`/v1/${path}`]!['post']!
    for (const [type, { example }] of Object.entries(requestBody!.content)) {
      if (path === 'cloudevents' && type === 'application/json') continue
      const headers = { 'content-type': type }
      await walk(`POST /v1/${path}`, { body: example, headers })
    }
    await walk(`POST /v1/${path}`, { body: '[', headers: { 'content-type': 'application/json' } })
  }
  await walkRatings(walk)
})

test('models, windows, comparisons and canaries are answered as declared', async () => {
  const alarmed = () =>
    ask(plumbline.clickhouseUrl, `SELECT 1 FROM verdicts WHERE verdict = 'alarm'`)
  await until('a window alarms', async () => (await alarmed()).length > 0)
  await walk('GET /v1/models')
  const params = { id: 'm' }
  const windows = (await walk('GET /v1/models/{id}/windows', { params })) as { metrics: object[] }
  expect(windows.metrics.length).toBeGreaterThan(10)
  const newest = (await walk('GET /v1/models/{id}/windows', {
    params,
    query: { newest: 'true', family: 'drift' },
  })) as { metrics: Record<'metric' | 'subject' | 'reference' | 'convention', string>[] }
  const names = newest.metrics.map((row) =>
    JSON.stringify([row.metric, row.subject, row.reference, row.convention]),
  )
  expect(new Set(names).size).toBe(names.length)
  const { alarms } = (await walk('GET /v1/alarms', { query: { model_id: 'm' } })) as {
    alarms: object[]
  }
  expect(alarms.length).toBeGreaterThan(0)
  const { features } = (await walk('GET /v1/models/{id}/features', { params })) as {
    features: { history: unknown[] }[]
  }
  expect(features.length).toBeGreaterThan(0)
  const [from = '', to = ''] = SPANS.b.split('/')
  const distribution = (more: Record<string, string>) =>
    walk('GET /v1/models/{id}/distributions', {
      params,
      query: { subject: 'x', from, to, ...more },
    })
  await distribution({})
  await distribution({ reference: 'unheard of' })
  await walk('GET /v1/models/{id}/examples', { params, query: { from, to } })
  for (const told of ['labels', 'agreement', 'judges'])
    await walk(`GET /v1/models/{id}/${told}`, { params })
  for (const convention of ['plumbline', 'evidently', 'nannyml', 'azure', 'scouter', 'trustyai']) {
    const query = { ...SPANS, convention }
    const compared = (await walk('GET /v1/models/{id}/compare', { params, query })) as {
      metrics: object[]
    }
    expect(compared.metrics.length, convention).toBeGreaterThan(0)
  }
  await walk('GET /v1/models/{id}/compare', { params, query: { ...SPANS, exact: 'true' } })
  await walk('GET /v1/models/{id}/compare', { params, query: { a: 'x' } })
  await walkSides(walk, SPANS)
  await walk('GET /v1/models/{id}/constraint_violations.json', { params, query: SPANS })
  for (const candidate of ['8', '9'])
    await walk('GET /v1/models/{id}/canary', { params, query: { champion: '7', candidate } })
})

test('references and verdict feedback are answered as declared', async () => {
  const put = (name: string, request: Request) =>
    walk('PUT /v1/models/{id}/references/{name}', { params: { id: 'm', name }, ...request })
  const [from, to] = SPANS.a.split('/')
  await put('spring', { body: { from, to } })
  await put('spring', { body: { from, to } })
  await put('seven', { body: { model_version: '7' } })
  await put('both', { body: { from, to, model_version: '7' } })
  const lines = events(0, 0).map((event) => JSON.stringify(event))
  const headers = { 'content-type': 'application/x-ndjson' }
  await put('brought', { body: lines.join('\n'), headers })
  await put('trained', {
    body: 'amount,label\n1.5,0\n2.5,1\n',
    headers: { 'content-type': 'text/csv' },
  })
  await walk('GET /v1/models/{id}', { params: { id: 'm' } })
  await walk('GET /v1/models/{id}', { params: { id: 'nobody' } })
  for (const id of ['m', 'nobody']) await walk('GET /v1/models/{id}/settings', { params: { id } })
  const [verdict] = await ask<{ id: string }>(
    plumbline.clickhouseUrl,
    `SELECT verdict_id AS id FROM verdicts WHERE verdict = 'alarm' LIMIT 1`,
  )
  const ofModel = { id: 'm' }
  const { episodes } = (await walk('GET /v1/models/{id}/episodes', { params: ofModel })) as {
    episodes: { episode: string }[]
  }
  const one = { params: { ...ofModel, episode: episodes[0]!.episode } }
  const none = { params: { ...ofModel, episode: '2020-01-01T00:00:00Z' } }
  const reason = { actor: 'ann', comment: 'so' }
  const later = '2099-01-01T00:00:00Z'
  for (const asked of [one, none]) {
    await walk('GET /v1/models/{id}/episodes/{episode}', asked)
    await walk('POST /v1/models/{id}/episodes/{episode}/snooze', {
      ...asked,
      body: { ...reason, until: later },
    })
    for (const answer of ['dismiss', 'accept'])
      await walk(`POST /v1/models/{id}/episodes/{episode}/${answer}`, { ...asked, body: reason })
  }
  await walk('POST /v1/models/{id}/episodes/{episode}/dismiss', { ...one, body: {} })
  const params = { id: verdict!.id }
  for (const answer of ['accept', 'dismiss'])
    await walk(`POST /v1/verdicts/{id}/${answer}`, { params, body: { actor: 'ann' } })
  await walk('POST /v1/verdicts/{id}/snooze', { params, body: { actor: 'ann', until: later } })
  await walk('POST /v1/verdicts/{id}/snooze', { params, body: { actor: 'ann' } })
  await walk('POST /v1/verdicts/{id}/accept', { params: { id: 'no' }, body: { actor: 'ann' } })
})

test('reviews are answered as declared', async () => {
  const reviewer = 'ann'
  await untilDrawn(walk)
  const claim = (model_id = 'm') =>
    walk('POST /v1/reviews/claim', { body: { reviewer, model_id } }) as Promise<
      Record<'task_id' | 'lease_id', string> & { event: { features: object } }
    >
  for (const answer of ['skip', 'release', 'submit']) {
    const { task_id, lease_id, event } = await claim()
    expect(event.features).toBeDefined()
    const lease = { reviewer, lease_id }
    const said = answer === 'submit' ? { ...lease, label: '1' } : lease
    const bodies: Record<string, object> = { renew: lease, [answer]: said, undo: { reviewer } }
    for (const act of ['renew', answer, answer, 'renew', 'undo', 'undo'])
      await walk(`POST /v1/reviews/{task_id}/${act}`, { params: { task_id }, body: bodies[act] })
  }
  expect(await claim('no')).toBe(undefined)
  await walkDatasets(walk)
  await walkFairPlay(walk)
})

test('runs, decisions, alerts and the audit log are answered as declared', async () => {
  const run = async (policy: string) =>
    (await walk('POST /v1/runs', {
      body: { model_id: 'm', policy, reason: 'why', actor: 'bob' },
    })) as { run_id: string }
  const answered = async (answer: string, known: string) => {
    const of = (id: string) => ({ params: { id }, body: { actor: 'ann', message: 'so' } })
    for (const id of [known, known, 'no']) await walk(`POST /v1/runs/{id}/${answer}`, of(id))
  }
  for (const answer of ['approve', 'reject', 'cancel'])
    await answered(answer, (await run('held')).run_id)
  const { run_id } = await run('now')
  await until('the job is launched', async () => jobs.some((job) => job.run_id === run_id))
  const { status_url } = jobs.find((job) => job.run_id === run_id)!
  const token = new URL(status_url).searchParams.get('token')!
  const params = { id: run_id }
  const body = { state: 'succeeded', new_version: '8' }
  for (const query of [{}, { token }])
    await walk('POST /v1/runs/{id}/status', { params, query, body })
  for (const path of ['/v1/runs/{id}', '/v1/runs/{id}/replay'])
    for (const asked of [params, { id: 'no' }]) await walk(`GET ${path}`, { params: asked })
  await answered('roll-back', run_id)
  await walkRollout(walk, (await run('stepped')).run_id, jobs)
  for (const limit of ['5', 'many']) await walk('GET /v1/runs', { query: { model_id: 'm', limit } })
  await walk('GET /v1/decisions', { query: { model_id: 'm' } })
  const labels = { alertname: 'Late', model_id: 'm', plumbline_policy: 'held' }
  await walk('POST /v1/alerts', { body: { alerts: [{ status: 'firing', labels }] } })
  await walk('POST /v1/alerts', { body: { alerts: [{ labels }] } })
  await walkAlertsOut(walk, () => run('held'), jobs)
  for (const path of ['retention', 'data-health']) await walk(`GET /v1/${path}`)
  await walk('GET /v1/dead-letters', { query: { reason: 'missing_field' } })
  const subject = { params: { id: 'nobody-of-that-id' }, query: { actor: 'ann' } }
  for (const how of ['GET', 'DELETE']) await walk(`${how} /v1/subjects/{id}`, subject)
  const audit = (await walk('GET /v1/audit')) as { entries: object[] }
  expect(audit.entries.length).toBeGreaterThan(3)
  await walk('GET /v1/audit', { query: { order: 'newest', action: 'run', model_id: 'm' } })
})

test('health, metrics and sessions are answered as declared', async () => {
  const paths = ['/health/live', '/health/ready', '/metrics', '/docs/json']
  for (const path of [...paths, '/v1/session', '/v1/config']) await walk(`GET ${path}`)
  const headers = { 'x-plumbline-page': '1' }
  const key = { key: 'any' }
  for (const sent of [{ body: key, headers }, { body: key }, { body: {}, headers }])
    await walk('POST /v1/session', sent)
  await walk('DELETE /v1/session', { headers })
})

test('routes of keys say that there are none', async () => {
  const params = { key: '0f3a4b5c8d7e' }
  for (const one of ['GET /v1/keys', 'DELETE /v1/keys/{key}']) await walk(one, { params })
  await walk('POST /v1/keys', { body: { id: 'ann', grants: ['analyst'] } })
  await walk('POST /v1/keys/{key}/rotate', { params, body: {} })
})

test('the walk has seen every operation succeed', () => {
  const missing = operations().flatMap(({ name }) => (reached.has(name) ? [] : [name]))
  expect(missing.toSorted()).toEqual(SEEN_ELSEWHERE)
})
