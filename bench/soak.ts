/**
 * `npm run soak [-- --minutes 5 --share 0.8]`: Kafka and target=all in processes of their own under a steady load, a share of what they
 * take, measured first. Prints memory, the time from accepted to queryable, and how long an outage
 * takes to catch up.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { ended } from '../deploy/local/child-process.ts'
import { freePort, startKafka } from '../deploy/local/kafka.ts'
import { serverEngine, type ClickHouse } from '../lib/clickhouse/port.ts'
import { kafkaLog } from '../lib/event-log/kafka.ts'
import type { OutgoingMessage } from '../lib/event-log/port.ts'
import { TOPICS } from '../schemas/topics.ts'
import { asJson, benchEvent } from './ingest/events.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, share: { type: 'string', default: '0.8' } },
})
const seconds = 60 * Number(values.minutes)
const topic = TOPICS.predictions.topic
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TICK_MS = 50
const BACKLOG = 400_000
/**
 * Between two questions whether an event is there. Asking takes of the same cores; what it adds to
 * a latency counts as latency.
 */
const PROBE_MS = 40

/** Made once: the generator shares the cores, and shall cost little. */
const BODIES = Array.from({ length: 1000 }, (_, i) => {
  const { prediction_id: _id, predicted_at: _at, ...rest } = benchEvent(i)
  return JSON.stringify(rest).slice(1)
})

const directory = mkdtempSync(join(tmpdir(), 'plumbline-soak-'))
const kafka = await startKafka({ directory: join(directory, 'kafka') })
const clickhousePort = await freePort()
const env = {
  ...process.env,
  PLUMBLINE_DATA_DIR: join(directory, 'data'),
  PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
  PLUMBLINE_HTTP_PORT: String(await freePort()),
  PLUMBLINE_CLICKHOUSE_HTTP_PORT: String(clickhousePort),
  PLUMBLINE_MODELS_DIR: join(ROOT, 'test/no-models'),
  PLUMBLINE_LOG_LEVEL: 'error',
  UV_THREADPOOL_SIZE: '24',
}
const engine = serverEngine({ url: `http://127.0.0.1:${clickhousePort}` })
const db = engine.connect('soak')
const log = kafkaLog({
  brokers: [kafka.brokers],
  clientId: 'soak',
  topics: Object.values(TOPICS),
  log: pino({ level: 'silent' }),
})
void log.module.run!(new AbortController().signal)

let plumbline = start()
await stored(0)
let sent = 0

// The outage: everything is produced while Plumbline is down.
await ended(plumbline)
while (sent < BACKLOG) await emit(2000)
plumbline = start()
const begun = performance.now()
await stored(1)
const first = performance.now()
await stored(BACKLOG)
const caughtUp = BACKLOG / ((performance.now() - first) / 1000)
console.log(
  `catch-up: ${BACKLOG} events in ${((performance.now() - begun) / 1000).toFixed(1)} s from the start of the process, ${Math.round(caughtUp)} events/s once the first were stored`,
)

// What it takes with the load generator on the same cores.
const rate = await measuredRate(15)
const target = Math.floor(Number(values.share) * rate)
console.log(
  `measured: ${Math.round(rate)} events/s with the generator beside it; soaking at ${values.share} of it, ${target} events/s, for ${values.minutes} minutes`,
)

const before = sent
const latencies: number[] = []
const memory: number[] = []
const soakBegun = performance.now()
const probing = new AbortController()
const probes = probe(probing.signal)
for (let tick = 0; performance.now() - soakBegun < seconds * 1000; tick++) {
  const due = Math.floor(((performance.now() - soakBegun) / 1000) * target) - (sent - before)
  if (due > 0) await emit(Math.min(due, 5000))
  if (tick % 100 === 0) memory.push(residentMiB(plumbline))
  await new Promise((resolve) => setTimeout(resolve, TICK_MS))
}
probing.abort()
await probes
await stored(sent)
const sorted = latencies.toSorted((a, b) => a - b)
const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? NaN)
const settled = memory.slice(Math.floor(memory.length / 5))
const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length
const fifth = Math.max(1, Math.floor(settled.length / 5))
const [early, late] = [mean(settled.slice(0, fifth)), mean(settled.slice(-fifth))]
console.log(
  `sent ${sent - before} events at ${Math.round((sent - before) / seconds)} a second; all are stored, once`,
)
console.log(
  `accepted to queryable, ${latencies.length} probes: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`,
)
console.log(
  `resident memory: ${Math.round(early)} MiB after the first fifth, ${Math.round(late)} MiB in the last, ${(100 * (late / early - 1)).toFixed(1)} %`,
)
await ended(plumbline)
await kafka.stop()
rmSync(directory, { recursive: true, force: true })
process.exit(0)

function start(): ChildProcess {
  const child = spawn(process.execPath, [...process.execArgv, 'main.ts', '--target=all'], {
    cwd: ROOT,
    env,
    stdio: 'ignore',
  })
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}

function messageOf(i: number): OutgoingMessage {
  const id = `0198c1f2-7d10-7aaa-8bbb-${100_000_000_000 + i}`
  // Time passes as at 20 000 events a second, about the rate of the soak.
  const at = new Date(Date.UTC(2026, 0, 1) + Math.floor(i / 20)).toISOString()
  return {
    key: `bench/${id}`,
    value: Buffer.from(
      `{"prediction_id":"${id}","predicted_at":"${at}",${BODIES[i % BODIES.length]!}`,
    ),
  }
}

async function emit(count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, k) => messageOf(sent + k))
  sent += count
  for (;;) {
    try {
      return await log.append(topic, messages)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

async function countOf(client: ClickHouse, where: string): Promise<number> {
  const [row] = await client
    .query<{ n: string }>(`SELECT count() AS n FROM predictions WHERE ${where}`)
    .catch(() => [{ n: '-1' }])
  return Number(row?.n ?? -1)
}

/** Waits until so many events are there. */
async function stored(count: number): Promise<void> {
  while ((await countOf(db, `model_id = 'bench'`)) < count)
    await new Promise((resolve) => setTimeout(resolve, 50))
}

/** Events stored a second while the generator keeps the queue full. */
async function measuredRate(over: number): Promise<number> {
  const from = await countOf(db, `model_id = 'bench'`)
  const start = performance.now()
  while (performance.now() - start < over * 1000) {
    if (sent - (await countOf(db, `model_id = 'bench'`)) < 60_000) await emit(4000)
  }
  const rate =
    ((await countOf(db, `model_id = 'bench'`)) - from) / ((performance.now() - start) / 1000)
  await stored(sent)
  return rate
}

/** One event at a time: from Kafka's acknowledgement to the first query that sees it. */
async function probe(signal: AbortSignal): Promise<void> {
  const client = engine.connect('probe')
  for (let i = 0; !signal.aborted; i++) {
    const event = { ...benchEvent(i), model_id: 'probe' }
    await log
      .append(topic, [{ key: `probe/${event.prediction_id}`, value: asJson(event as never) }])
      .catch(() => {})
    const accepted = performance.now()
    while (
      (await countOf(client, `model_id = 'probe' AND prediction_id = '${event.prediction_id}'`)) < 1
    )
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS))
    latencies.push(performance.now() - accepted)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function residentMiB(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}
