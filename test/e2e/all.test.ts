/** target=all in a process of its own, without Kafka: the doors, the loop, the stop. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../deploy/local/kafka.ts'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  post,
  prediction,
  runScript,
  startTarget,
  until,
  type Running,
} from '../servers/processes.ts'

const directory = temporaryDirectory()
let plumbline: Running
let hook: {
  port: number
  bodies: { data: { run_id: string; status_url: string } }[]
  close: () => void
}

beforeAll(async () => {
  hook = await startHook()
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/m.yaml'),
    `model_id: m
task: binary
windows: { size: 1h, lateness: 15m, min_count: 50 }
references: { baseline: { kind: first, windows: 1, baseline: true }, recent: { kind: trailing, windows: 4 } }
review: { reviewers: 2, budget_per_day: 2400 }
retrain:
  - name: drifted
    when: any(drift.psi, alarm)
    launch: { kind: webhook, url: "http://127.0.0.1:${hook.port}/" }
    cooldown: 1h
  - name: asked
    when: schedule("0 0 1 1 *")
    launch: { kind: command, command: ["true"] }
    approval: two
`,
  )
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_ALLOW_COMMANDS: 'on',
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_MAX_BODY_BYTES: '2000000',
    PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
  })
})
afterAll(async () => {
  await plumbline?.stop()
  hook?.close()
})

async function startHook() {
  const port = await freePort()
  const bodies: { data: { run_id: string; status_url: string } }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const secret = readFileSync(join(directory, 'data/webhook.secret'), 'utf8')
      bodies.push(
        new Webhook(secret).verify(body, request.headers as Record<string, string>) as never,
      )
      response.writeHead(204).end()
    })
  }).listen(port, '127.0.0.1')
  return { port, bodies, close: () => server.close() }
}

const events = (from: number, count: number, shift = 0) =>
  Array.from({ length: count }, (_, i) =>
    prediction(from + i, {
      model_id: 'm',
      predicted_at: new Date(Date.UTC(2026, 0, 1) + from * 1000 + i * 20_000).toISOString(),
      features: { x: (i % 100) / 100 + shift },
    }),
  )

test('one event, an array, NDJSON, gzip and zstd; what is accepted is stored', async () => {
  const url = `${plumbline.url}/v1/predictions`
  const ndjson = [prediction(2), prediction(3)].map((e) => JSON.stringify(e)).join('\n')
  expect(await (await post(url, prediction(0))).json()).toEqual({ accepted: 1, rejected: [] })
  expect(await (await post(url, [prediction(1)])).json()).toEqual({ accepted: 1, rejected: [] })
  expect(
    await (await post(url, `${ndjson}\n\n`, { 'content-type': 'application/x-ndjson' })).json(),
  ).toEqual({ accepted: 2, rejected: [] })
  expect(
    (await post(url, gzipSync(JSON.stringify(prediction(4))), { 'content-encoding': 'gzip' }))
      .status,
  ).toBe(200)
  expect(
    (
      await post(url, zstdCompressSync(JSON.stringify(prediction(5))), {
        'content-encoding': 'zstd',
      })
    ).status,
  ).toBe(200)
  expect(
    await ask(
      plumbline.clickhouseUrl,
      `SELECT count() AS n FROM predictions WHERE model_id = 'fraud'`,
    ),
  ).toEqual([{ n: '6' }])
})

test('an invalid event is told by index, id, code and sentence; the valid ones go in', async () => {
  const response = await post(`${plumbline.url}/v1/predictions`, [
    prediction(10),
    { ...prediction(11), score: '0.5' },
    { model_id: 'm' },
  ])
  expect(await response.json()).toEqual({
    accepted: 1,
    rejected: [
      { index: 1, id: 'p-11', code: 'invalid_field', message: 'score must be a finite number' },
      {
        ...{ index: 2, id: null, code: 'missing_field', message: 'prediction_id is required' },
        also: ['model_version is required', 'predicted_at is required'],
      },
    ],
  })
})

test.each([
  ['{', 400, 'invalid_json', {}],
  ['[{}]', 400, 'nothing_valid', {}],
  [Buffer.from([0xff, 0xfe]), 400, 'invalid_json', {}],
  ['not gzip', 400, 'bad_request', { 'content-encoding': 'gzip' }],
  ['x', 415, 'unsupported_media_type', { 'content-encoding': 'br' }],
  ['x', 415, 'unsupported_media_type', { 'content-type': 'text/plain' }],
  ['x'.repeat(2_000_001), 413, 'too_large', {}],
  [gzipSync('x'.repeat(3_000_000)), 413, 'too_large', { 'content-encoding': 'gzip' }],
])('a bad body is a problem document (%#)', async (body, status, code, headers) => {
  const response = await post(
    `${plumbline.url}/v1/predictions`,
    body,
    headers as Record<string, string>,
  )
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  expect(await response.json()).toMatchObject({ status, code })
})

test('health, metrics, OpenAPI, and nothing at an unknown path', async () => {
  expect((await fetch(`${plumbline.url}/health/live`)).status).toBe(200)
  const metrics = await (await fetch(`${plumbline.url}/metrics`)).text()
  expect(metrics).toContain('plumbline_endpoint_events_total{service="ingest"')
  expect(metrics).toContain('plumbline_events_total{service="ingest"')
  const docs = (await (await fetch(`${plumbline.url}/docs/json`)).json()) as {
    openapi: string
    paths: object
  }
  expect(Object.keys(docs.paths)).toEqual(
    expect.arrayContaining([
      '/v1/predictions',
      '/v1/labels',
      '/v1/attributes',
      '/v1/reviews/claim',
      '/v1/runs',
      '/v1/alerts',
    ]),
  )
  expect((await fetch(`${plumbline.url}/v1/nothing`)).status).toBe(404)
})

test('attributes of a subject come in by their own door', async () => {
  const told = { attributes: { sex: '2' }, observed_at: '2026-01-01T00:00:00Z' }
  const response = await post(`${plumbline.url}/v1/attributes`, [
    { subject_id: 'customer-1', ...told },
    told,
  ])
  expect(await response.json()).toEqual({
    accepted: 1,
    rejected: [
      {
        index: 1,
        id: null,
        code: 'missing_field',
        message: 'subject_id or prediction_id is required',
      },
    ],
  })
  await until('the attributes are stored', async () => {
    const answer = await fetch(
      `${plumbline.clickhouseUrl}/?query=${encodeURIComponent(`SELECT value FROM attributes_latest WHERE subject_id = 'customer-1'`)}`,
    )
    return (await answer.text()).trim() === '2'
  })
})

test('drift launches the webhook exactly once; the job reports, and the ledger, the topic mirror and the audit chain agree', async () => {
  await post(`${plumbline.url}/v1/predictions`, [
    ...events(0, 180),
    ...events(3600, 180),
    ...events(7200, 180, 0.5),
    ...events(14_400, 10),
  ])
  await until('the webhook is called', async () => hook.bodies.length > 0)
  const { run_id, status_url } = hook.bodies[0]!.data
  for (const address of [status_url.split('?')[0]!, status_url.slice(0, -1)])
    expect((await post(address, { state: 'failed' })).status).toBe(401)
  expect((await post(status_url, { state: 'running' })).status).toBe(200)
  expect((await post(status_url, { state: 'succeeded', new_version: '8' })).status).toBe(200)
  expect((await post(status_url, { state: 'failed' })).status).toBe(409)
  const { runs } = (await (await fetch(`${plumbline.url}/v1/runs?model_id=m`)).json()) as {
    runs: { run_id: string; state: string; new_version: string; reason: string }[]
  }
  expect(runs).toMatchObject([{ run_id, state: 'succeeded', new_version: '8' }])
  await until(
    'the mirror shows it',
    async () =>
      (
        await ask(
          plumbline.clickhouseUrl,
          `SELECT state FROM retrain_runs WHERE run_id = '${run_id}'`,
        )
      )[0]?.['state'] === 'succeeded',
  )
  const { entries } = (await (await fetch(`${plumbline.url}/v1/audit`)).json()) as {
    entries: { action: string }[]
  }
  expect(entries.map((entry) => entry.action)).toEqual(
    expect.arrayContaining(['run.queued', 'run.launching', 'run.running', 'run.succeeded']),
  )
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(new Set(hook.bodies.map((body) => body.data.run_id)).size).toBe(1)
})

test('npm run audit finds the log whole, and makes the decision of the run again', async () => {
  const anchors = join(directory, 'data/audit-anchors.ndjson')
  await until('the log is anchored', async () => existsSync(anchors))
  const env = { PLUMBLINE_URL: plumbline.url, PLUMBLINE_DATA_DIR: join(directory, 'data') }
  const audit = (...args: string[]) => runScript('audit.ts', args, env)
  const whole = audit('verify')
  expect(whole.stdout, whole.stderr).toMatch(/^whole: \d+ entries[^]*1 anchors of /)
  const replayed = audit('replay', '--run', hook.bodies[0]!.data.run_id)
  expect(replayed.stdout, replayed.stderr).toMatch(/^identical: run /)
  const forged = { at: '2026-01-01T00:00:00.000Z', entries: 1, hash: 'f'.repeat(64) }
  writeFileSync(join(directory, 'forged.ndjson'), JSON.stringify(forged))
  const broken = audit('verify', '--anchors', join(directory, 'forged.ndjson'))
  expect(broken.stdout).toMatch(/^broken: entry 1 is not the one that was anchored/)
  const all = [whole, replayed, broken, audit('verfy')]
  expect(all.map(({ status }) => status)).toEqual([0, 0, 1, 2])
})

test('two people approve what needs two; alerts ask for runs, once each', async () => {
  const alert = {
    status: 'firing',
    labels: { alertname: 'Late', model_id: 'm', plumbline_policy: 'asked' },
    startsAt: '2026-01-01T00:00:00Z',
    fingerprint: 'f1',
  }
  const alerts = Array.from({ length: 20 }, (_, i) => ({ ...alert, fingerprint: `f${i + 1}` }))
  const tell = (body: object) => post(`${plumbline.url}/v1/alerts`, body)
  const answer = (await (await tell({ version: '4', receiver: 'r', alerts })).json()) as {
    launched: string[]
  }
  expect(answer).toMatchObject({ received: 20, launched: [expect.any(String)] })
  expect((await tell({ alerts: [{ ...alert, fingerprint: 'a\u0000' }] })).status).toBe(400)
  const [runId] = answer.launched
  const again = await tell({ title: '[FIRING:1]', orgId: 1, alerts: [alert] })
  expect(await again.json()).toMatchObject({ launched: [] })
  const approve = (actor: string) =>
    post(`${plumbline.url}/v1/runs/${runId}/approve`, { actor, message: 'seen' })
  expect(await (await approve('ann')).json()).toMatchObject({ state: 'awaiting_approval' })
  expect((await approve('ann')).status).toBe(409)
  expect(await (await approve('bob')).json()).toMatchObject({ state: 'queued' })
  await until(
    'the command has run',
    async () =>
      ((await (await fetch(`${plumbline.url}/v1/runs/${runId}`)).json()) as { state: string })
        .state === 'succeeded',
  )
})

test('two reviewers answer a task once each, and their answers become one label', async () => {
  await until(
    'tasks are drawn',
    async () =>
      (
        (await (await fetch(`${plumbline.url}/v1/reviews/stats`)).json()) as {
          models: { open: number }[]
        }
      ).models[0]?.open !== undefined,
  )
  const claim = async (reviewer: string) => {
    const response = await post(`${plumbline.url}/v1/reviews/claim`, { reviewer, model_id: 'm' })
    return response.status === 204
      ? undefined
      : ((await response.json()) as {
          task_id: string
          lease_id: string
          prediction_id: string
          event: object
        })
  }
  const first = (await claim('ann'))!
  expect(first.event).toMatchObject({ model_version: '7' })
  const submit = (task: { task_id: string; lease_id: string }, reviewer: string) =>
    post(`${plumbline.url}/v1/reviews/${task.task_id}/submit`, {
      reviewer,
      lease_id: task.lease_id,
      label: '1',
    })
  expect((await submit(first, 'bob')).status).toBe(409)
  expect(await (await submit(first, 'ann')).json()).toMatchObject({ state: 'open' })
  expect((await submit(first, 'ann')).status).toBe(409)
  const second = (await claim('bob'))!
  expect(second.task_id).toBe(first.task_id)
  expect(await (await submit(second, 'bob')).json()).toMatchObject({ state: 'done' })
  await until(
    'the label is an outcome',
    async () =>
      (
        await ask(
          plumbline.clickhouseUrl,
          `SELECT label, source, inclusion_probability AS pi FROM outcomes WHERE model_id = 'm' AND prediction_id = '${first.prediction_id}'`,
        )
      )[0]?.['source'] === 'human_review',
  )
  await until(
    'both answers are mirrored',
    async () =>
      (await ask(plumbline.clickhouseUrl, 'SELECT reviewer_a, reviewer_b FROM review_pairs'))
        .length === 1,
  )
  const agreement = await fetch(`${plumbline.url}/v1/models/m/agreement`)
  expect(await agreement.json()).toMatchObject({
    tasks: 1,
    answers: 2,
    alpha: { value: null, reason: 'all answers are the same: chance explains that they agree' },
  })
})

test('the windows and any two spans are answered over HTTP', async () => {
  const { metrics } = (await (
    await fetch(`${plumbline.url}/v1/models/m/windows?family=drift&metric=psi&subject=x`)
  ).json()) as { metrics: { verdict: string }[] }
  expect(metrics.some((metric) => metric.verdict === 'alarm')).toBe(true)
  const compared = (await (
    await fetch(
      `${plumbline.url}/v1/models/m/compare?a=2026-01-01T00:00:00Z/2026-01-01T01:00:00Z&b=2026-01-01T02:00:00Z/2026-01-01T03:00:00Z`,
    )
  ).json()) as { metrics: { metric: string; value: number; subject: string; convention: string }[] }
  // i % 100 over 180 events: 100 of them lie below 0.5, where the moved ones begin.
  expect(compared.metrics.find((m) => m.metric === 'ks' && m.subject === 'x')?.value).toBeCloseTo(
    100 / 180,
    12,
  )
  expect((await fetch(`${plumbline.url}/v1/models/nobody`)).status).toBe(404)
  const yesterday = await fetch(
    `${plumbline.url}/v1/models/m/canary?champion=1&candidate=2&from=yesterday`,
  )
  expect(yesterday.status).toBe(400)
  expect(await yesterday.text()).toContain('from')
})

test('SIGTERM ends it cleanly, and what was stored is there after a restart', async () => {
  expect(await plumbline.stop()).toBe(0)
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_ALLOW_COMMANDS: 'on',
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
  })
  expect(
    await ask(
      plumbline.clickhouseUrl,
      `SELECT count() AS n FROM predictions WHERE model_id = 'fraud'`,
    ),
  ).toEqual([{ n: '7' }])
})

test('an overloaded gateway answers 429 with Retry-After instead of growing', async () => {
  await plumbline.stop()
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_ALLOW_COMMANDS: 'on',
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_MAX_PENDING_BYTES: '5000',
  })
  const large = Array.from({ length: 20 }, (_, i) => prediction(7000 + i))
  const response = await post(`${plumbline.url}/v1/predictions`, large)
  expect(response.status).toBe(429)
  expect(response.headers.get('retry-after')).toBe('1')
  expect((await post(`${plumbline.url}/v1/predictions`, prediction(7100))).status).toBe(200)
  expect(await (await fetch(`${plumbline.url}/metrics`)).text()).toMatch(
    /outcome="shed",reason="overloaded"\} 1/,
  )
})
