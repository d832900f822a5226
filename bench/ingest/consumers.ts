/**
 * Four processes of `--target=ingest` beside one, on the same stores: the CPU that an event costs all
 * of them together, the stores included.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from 'simple-statistics'
import { startKafka } from '../../deploy/local/kafka.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { ask, startTarget, type Running } from '../../test/servers/processes.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { asJson, PARTITIONS, produce } from './events.ts'
import { cpuSecondsOf } from '../process-cpu.ts'
import type { Result } from '../result.ts'

const CONSUMERS = [1, PARTITIONS] as const
const TOPIC = TOPICS.predictions.topic

/** Measures each number of consumers, one after the other in every round, on data of its own. */
export async function benchConsumers(rounds: number, events: number): Promise<Result[]> {
  const found = new Map(CONSUMERS.map((consumers) => [consumers, [] as number[]]))
  for (let round = 0; round < rounds; round++)
    for (const consumers of CONSUMERS)
      found.get(consumers)!.push(await microsecondsOf(consumers, events))
  const [one] = CONSUMERS
  const base = median(found.get(one)!)
  return CONSUMERS.map((consumers) => ({
    name: `ingest by ${consumers} of ${PARTITIONS} consumers: CPU`,
    value: median(found.get(consumers)!),
    unit: 'µs/event',
    against: consumers === one ? '' : 'one consumer',
    ratio: consumers === one ? null : median(found.get(consumers)!) / base,
    rounds,
    settings: { events, partitions: PARTITIONS, features: 20 },
  }))
}

/** Microseconds of CPU an event, of the stores and all consumers, once they are up. */
async function microsecondsOf(consumers: number, events: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const kafka = await startKafka({ directory: join(directory, 'kafka') })
  const processes: Running[] = []
  try {
    const data = join(directory, 'data')
    const stores = await startTarget('stores', { PLUMBLINE_DATA_DIR: data })
    processes.push(stores)
    for (let i = 0; i < consumers; i++)
      processes.push(
        await startTarget('ingest', {
          PLUMBLINE_DATA_DIR: join(directory, `ingest-${i}`),
          PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
          PLUMBLINE_KAFKA_SESSION_SECONDS: '120',
          PLUMBLINE_CLICKHOUSE_URL: stores.clickhouseUrl,
          PLUMBLINE_CLICKHOUSE_PASSWORD: readFileSync(join(data, 'clickhouse.secret'), 'utf8'),
        }),
      )
    await produce(kafka.brokers, TOPIC, WARM_EVENTS, asOther)
    await stored(stores, WARM_EVENTS)
    const ingests = processes.slice(1).map(({ child }) => child)
    // They stand still while the topic fills: what is measured is the same backlog for everyone.
    for (const child of ingests) child.kill('SIGSTOP')
    await produce(kafka.brokers, TOPIC, events, asJson)
    const used = () => processes.reduce((sum, { child }) => sum + cpuSecondsOf(child.pid!), 0)
    const before = used()
    for (const child of ingests) child.kill('SIGCONT')
    await stored(stores, WARM_EVENTS + events)
    return ((used() - before) * 1e6) / events
  } finally {
    for (const one of processes.toReversed()) await one.stop()
    await kafka.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Stored before anything is measured: the code is compiled by then. */
const WARM_EVENTS = 40_000
const asOther: typeof asJson = (event) =>
  asJson({ ...event, prediction_id: `warm-${event.prediction_id}` })

async function stored({ clickhouseUrl }: Running, events: number): Promise<void> {
  for (;;) {
    const [row] = await ask(clickhouseUrl, 'SELECT sum(rows) AS n FROM sink_ranges')
    if (Number(row!['n']) >= events) return
    // Asking costs the stores something: rarely.
    await sleep(ASK_MS)
  }
}

const ASK_MS = 500
