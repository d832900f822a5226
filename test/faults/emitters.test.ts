/**
 * Both emitters against the real gateway, which is killed and restarted: nothing is lost, nothing
 * counts twice, nothing blocks.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../deploy/local/kafka.ts'
import { createEmitter } from '../../emitters/node/plumbline.mjs'
import { temporaryDirectory } from '../harness.ts'
import { ask, PATIENCE_MS, ROOT, startTarget, until, type Running } from '../servers/processes.ts'

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

const KILLS = 3
/** Events that are emitted before each kill, and after the last one. */
const PART = EVENTS / (KILLS + 1)

/**
 * Kills the gateway each time that something new of the model has been stored, and starts it again.
 *
 * @param killed called after each restart
 */
async function killAndRestart(model: string, killed: () => void) {
  let before = 0
  for (let i = 0; i < KILLS; i++) {
    await until(`something new of ${model} is stored`, async () => (await rowsOf(model)) > before)
    before = await rowsOf(model)
    await plumbline.stop('SIGKILL')
    plumbline = await startTarget('all', env)
    killed()
  }
}

async function rowsOf(model: string): Promise<number> {
  const sql = `SELECT count() AS rows FROM predictions WHERE model_id = '${model}'`
  return Number((await ask(plumbline.clickhouseUrl, sql))[0]!['rows'])
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
  let parts = 1
  const kills = killAndRestart('node', () => parts++)
  let isFailed = false
  kills.catch(() => (isFailed = true))
  const emit = () => {
    const id = emitter.predict({ model_id: 'node', model_version: '1', score: 0.5 })
    emitter.label({ model_id: 'node', prediction_id: id, label: '1' })
  }
  for (let i = 0; i < EVENTS; i++) {
    // However long a kill takes, something new is left to be stored before the next one.
    await until('the next part may be emitted', async () => isFailed || i < parts * PART)
    emit()
    if (i % 10 === 0 && parts <= KILLS) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await kills
  await emitter.close({ timeoutMs: PATIENCE_MS })
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
})

/** @param started is given the process, once it runs */
const python = (
  code: string,
  url: string,
  started?: (child: ChildProcessWithoutNullStreams) => void,
) =>
  new Promise<Record<string, number>>((resolve, reject) => {
    const child = spawn('python3', ['-c', code, url], { cwd: join(ROOT, 'emitters/python') })
    started?.(child)
    // It may end before it has read everything.
    child.stdin.on('error', () => {})
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
  let child: ChildProcessWithoutNullStreams | undefined
  const run = python(
    `
import json, os, sys, time
from plumbline import Emitter
emitter = Emitter(sys.argv[1], batch_size=100, flush_interval=0.05, timeout=3)
parts = 1
for i in range(${EVENTS}):
    # However long a kill takes, something new is left to be stored before the next one.
    if i == parts * ${PART}: parts += len(os.read(0, 1)) or ${KILLS}
    name = emitter.predict({"model_id": "python", "model_version": "1", "score": 0.5})
    emitter.label({"model_id": "python", "prediction_id": name, "label": "1"})
    if i % 10 == 0 and parts <= ${KILLS}: time.sleep(0.1)
emitter.flush(${PATIENCE_MS / 1000})
print(json.dumps(emitter.stats()))
`,
    plumbline.url,
    (running) => (child = running),
  )
  try {
    await killAndRestart('python', () => child?.stdin.write('.'))
  } finally {
    child?.stdin.end()
  }
  expect(await run).toMatchObject({
    emitted: 2 * EVENTS,
    accepted: 2 * EVENTS,
    dropped: 0,
    rejected: 0,
    waiting: 0,
    waiting_bytes: 0,
  })
  await expectAll('python')
})

test('a gateway that was away for long is noticed within a flush, not after the whole back-off', async () => {
  let away = true
  let tries = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      tries++
      response.writeHead(away ? 502 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(away ? {} : { accepted: 1, rejected: [] }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const emitter = createEmitter({ url, batchSize: 1 })
    emitter.predict({ model_id: 'm', model_version: '1' })
    // After seven tries the next one is more than six seconds away.
    await until('it has been tried often', async () => tries >= 7)
    away = false
    const begun = tries
    await emitter.flush({ timeoutMs: PATIENCE_MS })
    expect(emitter.stats()).toMatchObject({ accepted: 1, waiting: 0, dropped: 0 })
    expect(tries).toBe(begun + 1)
    await emitter.close()

    away = true
    tries = 0
    const run = python(
      `
import json, sys, time
from plumbline import Emitter
emitter = Emitter(sys.argv[1])
emitter.predict({"model_id": "m", "model_version": "1"})
print(json.dumps({"sent": emitter.flush(${PATIENCE_MS / 1000}), **emitter.stats()}))
`,
      url,
    )
    await until('it has been tried often', async () => tries >= 9)
    away = false
    expect(await run).toMatchObject({ sent: true, accepted: 1, dropped: 0, waiting: 0 })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('values that JSON does not know are missing or written as they are meant; what cannot be written counts as lost', async () => {
  const emitter = createEmitter({ url: plumbline.url })
  const common = { model_id: 'odd-node', model_version: '1' }
  emitter.predict({
    ...common,
    prediction_id: 'odd',
    score: NaN,
    features: { nan: NaN, far: -Infinity, big: 12n, n: 1 },
    embedding: new Float32Array([0.5, 2]),
  })
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  emitter.predict({ ...common, features: cyclic })
  emitter.predict({ ...common, prediction_id: 'plain', features: new Map([['n', 2]]) as never })
  await emitter.close({ timeoutMs: PATIENCE_MS })
  expect(emitter.stats()).toMatchObject({ emitted: 2, accepted: 2, rejected: 0, invalid: 1 })

  const stats = await python(
    `
import datetime, decimal, enum, json, sys
from plumbline import Emitter

class NAType: pass  # as pandas names its missing value
class Scalar:  # as numpy has them
    def __init__(self, value): self.value = value
    def tolist(self): return self.value
class Level(enum.Enum): HIGH = "high"

emitter = Emitter(sys.argv[1])
common = {"model_id": "odd-python", "model_version": "1"}
emitter.predict({**common, "prediction_id": "odd", "score": float("nan"), "embedding": Scalar([0.5, 2.0]), "features": {
    "nan": float("nan"), "far": float("-inf"), "na": NAType(), "big": Scalar(12), "n": decimal.Decimal(1),
    "yes": Scalar(True), "level": Level.HIGH, "day": datetime.date(2026, 1, 31), Scalar("named"): 3}})
cyclic = {}; cyclic["self"] = cyclic
emitter.predict({**common, "features": cyclic})
emitter.predict({**common, "features": {"what": object()}})
emitter.predict({**common, "prediction_id": "plain", "features": {"n": 2}})
emitter.flush(${PATIENCE_MS / 1000})
print(json.dumps(emitter.stats()))
`,
    plumbline.url,
  )
  expect(stats).toMatchObject({ emitted: 2, accepted: 2, rejected: 0, invalid: 2 })

  const stored = (model: string) =>
    ask<Record<string, unknown>>(
      plumbline.clickhouseUrl,
      `SELECT score, features, embedding FROM predictions WHERE model_id = '${model}' AND prediction_id = 'odd'`,
    )
  const known = { score: null, embedding: [0.5, 2] }
  expect(await stored('odd-node')).toEqual([
    { ...known, features: { nan: null, far: null, big: 12, n: 1 } },
  ])
  expect(await stored('odd-python')).toEqual([
    {
      ...known,
      features: {
        nan: null,
        far: null,
        na: null,
        big: 12,
        n: 1,
        yes: true,
        level: 'high',
        day: '2026-01-31',
        named: 3,
      },
    },
  ])
  const lost = (model: string) =>
    ask(
      plumbline.clickhouseUrl,
      `SELECT sum(missing) AS missing FROM producer_completeness WHERE model_id = '${model}'`,
    )
  expect(await lost('odd-node')).toEqual([{ missing: '1' }])
  expect(await lost('odd-python')).toEqual([{ missing: '2' }])
})

test('nothing there: no exception, no blocking, the oldest dropped and counted', async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}`
  const told: string[] = []
  const emitter = createEmitter({
    url: nowhere,
    maxQueueBytes: 50_000,
    onError: (message) => told.push(message),
  })
  for (let i = 0; i < 5000; i++) emitter.predict({ model_id: 'm', model_version: '1', i })
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  emitter.predict(cyclic)
  emitter.predict(undefined as never)
  await emitter.close({ timeoutMs: 100 })
  const { emitted, dropped, invalid, waiting, waitingBytes } = emitter.stats()
  expect({ emitted, dropped, invalid }).toEqual({ emitted: 5000, dropped: 5000, invalid: 2 })
  expect({ waiting, waitingBytes }).toEqual({ waiting: 0, waitingBytes: 0 })
  expect(told[0]).toContain('the oldest events are dropped')

  const stats = await python(
    `
import json, sys
from plumbline import Emitter
emitter = Emitter(sys.argv[1], max_queue_bytes=50000, on_error=lambda message: 1 / 0)
for i in range(5000): emitter.predict({"model_id": "m", "model_version": "1", "i": i})
emitter.predict({"what": object()}); emitter.predict(None)
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
    // It would hang with the request, and the test with it, if it waited for the answer.
    await emitter.close({ timeoutMs: 100 })
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
