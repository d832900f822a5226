/** Both emitters against the real gateway, which is killed and restarted: nothing is lost, nothing counts twice, nothing blocks. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../deploy/local/kafka.ts'
import { createEmitter } from '../../emitters/node/plumbline.mjs'
import { ask, ROOT, startTarget, temporaryDirectory, until, type Running } from '../harness.ts'

const directory = temporaryDirectory()
let env: Record<string, string>
let plumbline: Running
beforeAll(async () => {
  env = {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_HTTP_PORT: String(await freePort()),
    PLUMBLINE_CLICKHOUSE_HTTP_PORT: String(await freePort()),
    PLUMBLINE_LOG_LEVEL: 'error',
  }
  plumbline = await startTarget('all', env)
})
afterAll(() => plumbline?.stop())

const EVENTS = 3000

async function killAndRestart(times: number) {
  for (let i = 0; i < times; i++) {
    await new Promise((resolve) => setTimeout(resolve, 700))
    await plumbline.stop('SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 300))
    plumbline = await startTarget('all', env)
  }
}

async function expectAll(model: string) {
  const counted = async () =>
    (
      await ask(
        plumbline.clickhouseUrl,
        `SELECT count() AS rows, uniqExact(prediction_id) AS ids, (SELECT sum(received) FROM producer_counts WHERE model_id = '${model}') AS sequenced,
           (SELECT sum(missing) FROM producer_completeness WHERE model_id = '${model}') AS missing, (SELECT count() FROM labels WHERE model_id = '${model}') AS labels
         FROM predictions WHERE model_id = '${model}'`,
      )
    )[0]
  const n = String(EVENTS)
  const all = { rows: n, ids: n, sequenced: n, missing: '0', labels: n }
  await until(
    `everything of ${model} is stored`,
    async () => JSON.stringify(await counted()) === JSON.stringify(all),
    30_000,
  ).catch(() => {})
  expect(await counted()).toEqual(all)
}

test('Node: every event arrives once, through three kills of the gateway', async () => {
  const emitter = createEmitter({
    url: plumbline.url,
    batchSize: 100,
    flushIntervalMs: 50,
    timeoutMs: 3000,
  })
  const kills = killAndRestart(3)
  let longest = 0
  for (let i = 0; i < EVENTS; i++) {
    const begun = performance.now()
    const id = emitter.predict({ model_id: 'node', model_version: '1', score: 0.5 })
    emitter.label({ model_id: 'node', prediction_id: id, label: '1' })
    longest = Math.max(longest, performance.now() - begun)
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await kills
  await emitter.close({ timeoutMs: 30_000 })
  expect(emitter.stats()).toMatchObject({
    emitted: 2 * EVENTS,
    accepted: 2 * EVENTS,
    dropped: 0,
    rejected: 0,
    waiting: 0,
    waitingBytes: 0,
  })
  expect(emitter.stats().retries).toBeGreaterThan(0)
  await expectAll('node')
}, 120_000)

const python = (code: string, url: string) =>
  new Promise<Record<string, number>>((resolve, reject) => {
    const child = spawn('python3', ['-c', code, url], { cwd: join(ROOT, 'emitters/python') })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.once('error', () =>
      reject(new Error('python3 is not installed (Debian: apt-get install python3)')),
    )
    child.once('exit', () => {
      try {
        resolve(JSON.parse(out) as Record<string, number>)
      } catch {
        reject(new Error(err || out))
      }
    })
  })

test('Python: every event arrives once, through three kills of the gateway, flushed by the end of the process', async () => {
  const run = python(
    `
import json, sys, time
from plumbline import Emitter
emitter = Emitter(sys.argv[1], batch_size=100, flush_interval=0.05, timeout=3)
for i in range(${EVENTS}):
    name = emitter.predict({"model_id": "python", "model_version": "1", "score": 0.5})
    emitter.label({"model_id": "python", "prediction_id": name, "label": "1"})
    if i % 100 == 0: time.sleep(0.1)
emitter.flush(30)
print(json.dumps(emitter.stats()))
`,
    plumbline.url,
  )
  await killAndRestart(3)
  expect(await run).toMatchObject({
    emitted: 2 * EVENTS,
    accepted: 2 * EVENTS,
    dropped: 0,
    rejected: 0,
    waiting: 0,
    waiting_bytes: 0,
  })
  await expectAll('python')
}, 120_000)

test('nothing there: no exception, no blocking, the oldest dropped and counted', async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}`
  const told: string[] = []
  const emitter = createEmitter({
    url: nowhere,
    maxQueueBytes: 50_000,
    onError: (message) => told.push(message),
  })
  const begun = performance.now()
  for (let i = 0; i < 5000; i++) emitter.predict({ model_id: 'm', model_version: '1', i })
  emitter.predict({ big: 1n })
  emitter.predict(undefined as never)
  const took = performance.now() - begun
  await emitter.close({ timeoutMs: 100 })
  const { emitted, dropped, invalid, waiting, waitingBytes } = emitter.stats()
  expect({ emitted, dropped, invalid }).toEqual({ emitted: 5000, dropped: 5000, invalid: 2 })
  expect({ waiting, waitingBytes }).toEqual({ waiting: 0, waitingBytes: 0 })
  expect(told[0]).toContain('the oldest events are dropped')
  // A request would take longer than all of these together.
  expect(took).toBeLessThan(3000)

  const stats = await python(
    `
import json, sys
from plumbline import Emitter
emitter = Emitter(sys.argv[1], max_queue_bytes=50000, on_error=lambda message: 1 / 0)
for i in range(5000): emitter.predict({"model_id": "m", "model_version": "1", "i": i})
emitter.predict({"nan": float("nan")}); emitter.predict(None)
emitter.close(0.1)
print(json.dumps(emitter.stats()))
`,
    nowhere,
  )
  expect(stats['emitted']).toBe(5000)
  expect(stats['invalid']).toBe(2)
  // A request under way when it closed is still waiting.
  expect(stats['dropped']! + stats['waiting']!).toBe(5000)
})

test('closed while a request hangs: its events are given up, and counted', async () => {
  const hanging = createServer(() => {})
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`
  try {
    const emitter = createEmitter({ url, batchSize: 10 })
    for (let i = 0; i < 25; i++) emitter.predict({ model_id: 'm', model_version: '1', i })
    expect(emitter.stats()).toMatchObject({ waiting: 25, dropped: 0 })
    const begun = performance.now()
    await emitter.close({ timeoutMs: 100 })
    expect(performance.now() - begun).toBeLessThan(5000)
    expect(emitter.stats()).toMatchObject({ emitted: 25, dropped: 25, waiting: 0, waitingBytes: 0 })

    const stats = await python(
      `
import json, sys, time
from plumbline import Emitter
emitter = Emitter(sys.argv[1], batch_size=10, timeout=1)
for i in range(25): emitter.predict({"model_id": "m", "model_version": "1", "i": i})
time.sleep(0.2)
emitter.close(0.1)
at_close = emitter.stats()
while emitter.stats()["waiting"]: time.sleep(0.05)
print(json.dumps({"at_close": at_close["dropped"] + at_close["waiting"], **emitter.stats()}))
`,
      url,
    )
    expect(stats).toMatchObject({ at_close: 25, emitted: 25, dropped: 25, waiting_bytes: 0 })
  } finally {
    hanging.closeAllConnections()
    hanging.close()
  }
})

test('refusals are told, and not sent again', async () => {
  const told: string[] = []
  const emitter = createEmitter({ url: plumbline.url, onError: (message) => told.push(message) })
  emitter.predict({ model_id: 'refused', model_version: '1', score: 'high' })
  emitter.predict({ model_id: 'refused', model_version: '1', score: 0.5 })
  await emitter.close()
  expect(emitter.stats()).toMatchObject({ accepted: 1, rejected: 1, retries: 0 })
  expect(told).toEqual(['refused: score must be a finite number'])
})
