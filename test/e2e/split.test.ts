/**
 * Four services and the stores, each a process of its own, on real Kafka: the same loop as
 * target=all.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ended } from '../../deploy/local/child-process.ts'
import { freePort, startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  post,
  prediction,
  ROOT,
  startTarget,
  until,
  type Running,
} from '../servers/processes.ts'

const directory = temporaryDirectory()
const MAX_BODY_BYTES = 1 << 20
let kafka: LocalKafka
let stores: Running
const services: Record<string, { url: string; child: ChildProcess; output: string }> = {}

beforeAll(async () => {
  kafka = await startKafka({ directory: join(directory, 'kafka') })
  const postgresPort = await freePort()
  const data = join(directory, 'data')
  stores = await startTarget('stores', {
    PLUMBLINE_DATA_DIR: data,
    PLUMBLINE_POSTGRES_PORT: String(postgresPort),
  })
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/m.yaml'),
    'model_id: m\ntask: binary\nwindows: { size: 1h, lateness: 15m, min_count: 50 }\nreferences: { baseline: { kind: first, windows: 1, baseline: true } }\nretrain:\n  - { name: p, when: "any(drift.psi, alarm)", launch: { kind: command, command: ["true"] } }\n',
  )
  for (const service of ['ingest', 'drift', 'feedback', 'retrain-trigger']) {
    const port = await freePort()
    const child = spawn(process.execPath, ['main.ts', `--target=${service}`], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        PLUMBLINE_LOG_LEVEL: 'warn',
        PLUMBLINE_HTTP_PORT: String(port),
        PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
        // A broker that comes back waits for the members it remembers for a session.
        PLUMBLINE_KAFKA_SESSION_SECONDS: '6',
        PLUMBLINE_DATA_DIR: join(directory, service),
        PLUMBLINE_ALLOW_COMMANDS: 'on',
        PLUMBLINE_MODELS_DIR: join(directory, 'models'),
        PLUMBLINE_CLICKHOUSE_URL: stores.clickhouseUrl,
        PLUMBLINE_CLICKHOUSE_PASSWORD: readFileSync(join(data, 'clickhouse.secret'), 'utf8'),
        PLUMBLINE_POSTGRES_URL: `postgres://postgres:${readFileSync(join(data, 'postgres.secret'), 'utf8')}@127.0.0.1:${postgresPort}/postgres`,
        PLUMBLINE_DRIFT_SCAN_SECONDS: '1',
        PLUMBLINE_MAX_BODY_BYTES: String(MAX_BODY_BYTES),
      },
    })
    const entry = { url: `http://127.0.0.1:${port}`, child, output: '' }
    child.stderr.on('data', (chunk: Buffer) => (entry.output += chunk.toString()))
    services[service] = entry
  }
  for (const [name, { url, child }] of Object.entries(services)) {
    await until(`${name} is ready`, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${services[name]!.output}`)
      return fetch(`${url}/health/ready`).then(
        (response) => response.ok,
        () => false,
      )
    })
  }
})

afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return
  for (const [name, { output }] of Object.entries(services))
    if (output !== '') console.log(`${name}: ${output.slice(-20_000)}`)
})

afterAll(async () => {
  await Promise.all(Object.values(services).map(({ child }) => ended(child)))
  await stores?.stop()
  await kafka?.stop()
})

test('events in at one service, outcomes and verdicts and a run out of the others', async () => {
  const events = (hour: number, shift: number) =>
    Array.from({ length: 100 }, (_, i) =>
      prediction(hour * 100 + i, {
        model_id: 'm',
        predicted_at: new Date(Date.UTC(2026, 0, 1, hour) + i * 30_000).toISOString(),
        features: { x: (i % 50) / 50 + shift },
      }),
    )
  await post(`${services['ingest']!.url}/v1/predictions`, [
    ...events(0, 0),
    ...events(1, 0),
    ...events(2, 1),
    ...events(5, 0),
  ])
  await post(`${services['feedback']!.url}/v1/labels`, [
    {
      label_id: 'l',
      model_id: 'm',
      prediction_id: 'p-0',
      label: '1',
      labelled_at: '2026-01-02T00:00:00Z',
      source: 'ground_truth',
    },
  ])
  await until(
    'all is stored',
    async () =>
      (await ask(stores.clickhouseUrl, 'SELECT count() AS n FROM predictions'))[0]!['n'] === '400',
  )
  await until(
    'the label is joined',
    async () => (await ask(stores.clickhouseUrl, 'SELECT label FROM outcomes')).length === 1,
  )
  await until(
    'the moved window alarms',
    async () =>
      (
        await ask(
          stores.clickhouseUrl,
          `SELECT 1 FROM verdicts WHERE metric = 'psi' AND verdict = 'alarm'`,
        )
      ).length > 0,
  )
  await until('a run has succeeded', async () => {
    const response = await fetch(`${services['retrain-trigger']!.url}/v1/runs`)
    if (!response.ok) return false
    const { runs } = (await response.json()) as { runs: { state: string }[] }
    return runs[0]?.state === 'succeeded'
  })
  const { models } = (await (await fetch(`${services['drift']!.url}/v1/models`)).json()) as {
    models: { model_id: string }[]
  }
  expect(models.map((model) => model.model_id)).toEqual(['m'])
})

test('every service keeps to the same limits, and that of the control database keeps and deletes', async () => {
  const tooLarge = ' '.repeat(MAX_BODY_BYTES + 1)
  for (const [service, path] of [
    ['ingest', '/v1/predictions'],
    ['feedback', '/v1/labels'],
  ] as const) {
    const { status } = await post(`${services[service]!.url}${path}`, tooLarge)
    expect([service, status]).toEqual([service, 413])
  }
  const retention = await fetch(`${services['feedback']!.url}/v1/retention`)
  expect(retention.status).toBe(200)
  expect((await fetch(`${services['ingest']!.url}/v1/retention`)).status).toBe(404)
})

test('a service that cannot share an embedded store refuses to start, and says why', async () => {
  const child = spawn(process.execPath, ['main.ts', '--target=feedback'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '' },
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(1)
  expect(stderr).toContain('PLUMBLINE_POSTGRES_URL is required')
  expect(stderr).toContain('PLUMBLINE_CLICKHOUSE_URL is required')
})

test('the broker goes away: the gateway answers 503 and is not ready; it comes back: nothing accepted is lost', async () => {
  const { url } = services['ingest']!
  const before = Number(
    (await ask(stores.clickhouseUrl, 'SELECT count() AS n FROM predictions'))[0]!['n'],
  )
  const port = Number(kafka.brokers.split(':')[1])
  await kafka.kill()
  await until('not ready', async () => (await fetch(`${url}/health/ready`)).status === 503)
  const refused = await post(`${url}/v1/predictions`, prediction(9001, { model_id: 'm' }))
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).not.toBeNull()
  kafka = await startKafka({ directory: join(directory, 'kafka'), port })
  let accepted = 0
  await until('accepted again', async () => {
    const ok = (await post(`${url}/v1/predictions`, prediction(9100 + accepted, { model_id: 'm' })))
      .ok
    if (ok) accepted++
    return ok
  })
  await until(
    'stored',
    async () =>
      Number((await ask(stores.clickhouseUrl, 'SELECT count() AS n FROM predictions'))[0]!['n']) >=
      before + accepted,
  )
})
