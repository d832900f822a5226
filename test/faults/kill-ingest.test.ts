/**
 * Exactly once on real Kafka: ingest is killed again and again under load, and not one event is
 * lost or counted twice.
 */
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, startKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  prediction,
  spawnTarget,
  startTarget,
  until,
  type Running,
} from '../servers/processes.ts'

/** `npm run test:faults` kills two hundred times. */
const KILLS = process.env['FAULTS'] === 'all' ? 200 : 10
const BATCHES = 6 * KILLS
const PER_BATCH = 50
/** Printed, and settable to replay a run. */
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)

const directory = temporaryDirectory()
let kafka: LocalKafka
let env: Record<string, string>
beforeAll(async () => {
  kafka = await startKafka({ directory: join(directory, 'kafka') })
  env = {
    PLUMBLINE_KAFKA_BROKERS: kafka.brokers,
    // Each process that is killed keeps its partitions for a session: with long ones most kills
    // would meet an idle consumer.
    PLUMBLINE_KAFKA_SESSION_SECONDS: '3',
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_HTTP_PORT: String(await freePort()),
    PLUMBLINE_CLICKHOUSE_HTTP_PORT: String(await freePort()),
    PLUMBLINE_LOG_LEVEL: 'error',
  }
})
afterAll(() => kafka?.stop())

test(`${KILLS} SIGKILLs under load: rows, ids and every count equal the events sent (seed ${SEED})`, async () => {
  let random = SEED
  const next = () => (random = (random * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32
  let running: Running = await startTarget('all', env)
  const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()

  let sent = 0
  let poison = 0
  const load = (async () => {
    for (let batch = 0; batch < BATCHES; batch++) {
      const messages = Array.from({ length: PER_BATCH }, (_, i) => {
        const event = prediction(batch * PER_BATCH + i, {
          model_id: 'm',
          features: { x: i, color: `c${i % 3}` },
        })
        return { key: `m/${String(event['prediction_id'])}`, value: JSON.stringify(event) }
      })
      if (batch % 10 === 0) {
        messages.push({ key: 'm/bad', value: 'garbage' })
        poison++
      }
      await producer.send({ topic: TOPICS.predictions.topic, messages })
      sent += PER_BATCH
      await new Promise((resolve) => setTimeout(resolve, 150 + next() * 100))
    }
  })()

  for (let kill = 0; kill < KILLS; kill++) {
    // From before the engine is open to well into reading: most kills meet a batch somewhere
    // between intent and commit.
    await new Promise((resolve) => setTimeout(resolve, 600 + next() * 2200))
    await running.stop('SIGKILL')
    running = await spawnTarget('all', env)
  }
  await load
  await running.stop('SIGKILL')
  running = await startTarget('all', env)

  const totals = async () =>
    (
      await ask(
        running.clickhouseUrl,
        `SELECT (SELECT count() FROM predictions) AS rows, (SELECT uniqExact(prediction_id) FROM predictions) AS ids,
             (SELECT sum(events) FROM event_counts) AS events, (SELECT sum(count) FROM numeric_counts WHERE subject = 'x') AS numbers,
             (SELECT sum(count) FROM category_counts WHERE subject = 'color') AS categories, (SELECT count() FROM prediction_times) AS times,
             (SELECT count() FROM dead_letters) AS dead, (SELECT sum(rows) FROM sink_ranges) AS logged`,
      )
    )[0]!
  await until(
    'everything is stored',
    async () => Number((await totals())['logged']) >= sent + poison,
  )
  const n = String(sent)
  expect(await totals()).toEqual({
    rows: n,
    ids: n,
    events: n,
    numbers: n,
    categories: n,
    times: n,
    dead: String(poison),
    logged: String(sent + poison),
  })
  await producer.disconnect()
  await running.stop()
}, 3_600_000)
