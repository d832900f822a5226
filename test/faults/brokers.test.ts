/**
 * Kafka's side of every fault: brokers that die, consumers that come, go, freeze and wake, logs
 * that change under us.
 */
import { readFileSync } from 'node:fs'
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
import { expectTotals, faultProducer } from './totals.ts'

const topic = TOPICS.predictions.topic
const directory = temporaryDirectory()
let kafka: LocalKafka
let stores: Running
let producer: Awaited<ReturnType<typeof faultProducer>>
let env: Record<string, string>
const running: Running[] = []
let poison = 0

async function ingest(wait = true): Promise<Running> {
  const more = { ...env, PLUMBLINE_DATA_DIR: join(directory, `ingest-${running.length}`) }
  const started = wait ? await startTarget('ingest', more) : await spawnTarget('ingest', more)
  running.push(started)
  return started
}

beforeAll(async () => {
  const [port, controllerPort] = [await freePort(), await freePort()]
  stores = await startTarget('stores', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_POSTGRES_PORT: '0',
    PLUMBLINE_LOG_LEVEL: 'error',
  })
  env = {
    PLUMBLINE_KAFKA_BROKERS: `127.0.0.1:${port}`,
    PLUMBLINE_KAFKA_SESSION_SECONDS: '3',
    PLUMBLINE_CLICKHOUSE_URL: stores.clickhouseUrl,
    PLUMBLINE_CLICKHOUSE_PASSWORD: readFileSync(join(directory, 'data/clickhouse.secret'), 'utf8'),
    PLUMBLINE_LOG_LEVEL: 'warn',
  }
  // The broker is away at the start: ingest waits for it.
  await ingest(false)
  await new Promise((resolve) => setTimeout(resolve, 2000))
  kafka = await startKafka({ directory: join(directory, 'kafka'), port, controllerPort })
  await until('ingest is ready', async () =>
    fetch(`${running[0]!.url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    ),
  )
  producer = await faultProducer(kafka.brokers)
})
afterAll(async () => {
  await producer?.stop()
  for (const one of running) {
    one.child.kill('SIGCONT')
    await one.stop('SIGKILL')
  }
  await stores?.stop()
  await kafka?.stop()
})

const everything = () =>
  expectTotals((sql) => ask(stores.clickhouseUrl, sql), producer.sent(), poison)

/** A steady stream while something happens. */
async function during(happens: () => Promise<void>, batches = 40) {
  const load = (async () => {
    for (let i = 0; i < batches; i++) {
      await producer.send(50)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })()
  await happens()
  await load
}

test('a broker that was away at the start', async () => {
  await producer.send(500)
  await everything()
})

test('two and three consumers join and leave in the middle of batches', async () => {
  await during(async () => {
    const second = await ingest()
    const third = await ingest()
    await second.stop('SIGTERM')
    await ingest()
    await third.stop('SIGKILL')
  }, 80)
  await everything()
})

test('a frozen consumer wakes after its partitions were given away', async () => {
  const zombie = await ingest()
  await during(async () => {
    await new Promise((resolve) => setTimeout(resolve, 500))
    zombie.child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 6000))
    zombie.child.kill('SIGCONT')
  }, 90)
  await everything()
})

test('the broker is killed and restarted in the middle of batches', async () => {
  const port = Number(kafka.brokers.split(':')[1])
  await during(async () => {
    await new Promise((resolve) => setTimeout(resolve, 700))
    await kafka.kill()
    kafka = await startKafka({ directory: join(directory, 'kafka'), port })
  }, 60)
  await everything()
})

test('stores that stand still for longer than a session: readiness says so, and storing goes on by itself', async () => {
  const own = await ingest()
  for (const one of running.slice(0, -1)) if (one.child.exitCode === null) await one.stop('SIGTERM')
  const readiness = async () => {
    const response = await fetch(`${own.url}/health/ready`)
    return { status: response.status, text: await response.text() }
  }
  await until('it is ready', async () => (await readiness()).status === 200)
  stores.child.kill('SIGSTOP')
  try {
    await producer.send(50)
    await until('a range was tried in vain', async () => own.log().includes('range not stored'))
    await until('readiness names the partition that stands still', async () => {
      const { status, text } = await readiness()
      return status === 503 && /partition \d of \S+ stands still for \d+ s/.test(text)
    })
  } finally {
    stores.child.kill('SIGCONT')
  }
  await producer.send(50)
  await everything()
  await until('it is ready again', async () => (await readiness()).status === 200)
})

test('a broker that stands still for longer than a session: readiness says so, and consuming goes on by itself', async () => {
  const own = await ingest()
  for (const one of running.slice(0, -1)) if (one.child.exitCode === null) await one.stop('SIGTERM')
  const readiness = async () => {
    const response = await fetch(`${own.url}/health/ready`)
    return { status: response.status, text: await response.text() }
  }
  const before = producer.sent()
  await during(async () => {
    await until('some of the load is sent', async () => producer.sent() >= before + 500)
    process.kill(kafka.pid, 'SIGSTOP')
    try {
      await until('readiness names the consumer without a place', async () => {
        const { status, text } = await readiness()
        return status === 503 && /has had no place in its group for \d+ s/.test(text)
      })
      await until('its client was given up, and another one', async () => {
        const ends = own.log().match(/kafka consumer ended/g) ?? []
        return ends.length >= 2
      })
    } finally {
      process.kill(kafka.pid, 'SIGCONT')
    }
  })
  await everything()
  await until('it is ready again', async () => (await readiness()).status === 200)
  expect(own.child.exitCode).toBeNull()
})

test('tombstones, empty values and aborted transactions: nothing of them is a row', async () => {
  const transactional = producer.client.producer({
    transactionalId: 'faults',
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await transactional.connect()
  const aborted = await transactional.transaction()
  await aborted.send({
    topic,
    messages: [{ value: JSON.stringify(prediction(1, { model_id: 'aborted' })) }],
  })
  await aborted.abort()
  await transactional.disconnect()
  const plain = producer.client.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await plain.connect()
  await plain.send({
    topic,
    messages: [
      { key: 'm/gone', value: null },
      { key: 'm/empty', value: '' },
    ],
  })
  await plain.disconnect()
  poison += 2
  await producer.send(100)
  await everything()
  expect(
    await ask(
      stores.clickhouseUrl,
      `SELECT reason, count() AS n FROM dead_letters GROUP BY reason`,
    ),
  ).toEqual([{ reason: 'empty', n: '2' }])
})

test('partitions are added while consumers run', async () => {
  const admin = producer.client.admin()
  await admin.connect()
  await admin.createPartitions({ topicPartitions: [{ topic, count: 6 }] })
  await admin.disconnect()
  await producer.stop()
  const sent = producer.sent()
  producer = await faultProducer(kafka.brokers, sent)
  await producer.send(600)
  // Consumers look for new partitions with their metadata, every five minutes, or when they join.
  await ingest()
  await everything()
})

test('retention passed the consumers: the gap is counted and told, never silent', async () => {
  for (const one of running.splice(0)) await one.stop('SIGKILL')
  await producer.send(600)
  const admin = producer.client.admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({
    topic,
    partitions: offsets.map(({ partition, high }) => ({ partition, offset: high })),
  })
  await admin.disconnect()
  const [before] = await ask(stores.clickhouseUrl, 'SELECT count() AS n FROM predictions')
  await new Promise((resolve) => setTimeout(resolve, 3500))
  const fresh = await ingest()
  await producer.send(300)
  await until('the new ones are stored', async () => {
    const [row] = await ask(stores.clickhouseUrl, 'SELECT count() AS n FROM predictions')
    return Number(row?.['n']) === Number(before?.['n']) + 300
  })
  const metrics = await (await fetch(`${fresh.url}/metrics`)).text()
  const lost = [...metrics.matchAll(/plumbline_events_total\{[^}]*outcome="lost"[^}]*\} (\d+)/g)]
  expect(lost.reduce((sum, match) => sum + Number(match[1]), 0)).toBe(600)
  await until('the producer’s own numbers say the same', async () => {
    const [row] = await ask(
      stores.clickhouseUrl,
      `SELECT missing FROM producer_completeness WHERE producer = 'faults'`,
    )
    return row?.['missing'] === '600'
  })
})

test('a topic that is deleted and made anew is not taken for the old one', async () => {
  for (const one of running.splice(0)) await one.stop('SIGTERM')
  const admin = producer.client.admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })
  await admin.disconnect()
  const fresh = await faultProducer(kafka.brokers, 100_000)
  await fresh.send(200)
  await ingest()
  await until('the new topic is stored', async () => {
    const [row] = await ask(
      stores.clickhouseUrl,
      `SELECT count() AS n, uniqExact(log_epoch) AS epochs FROM predictions WHERE producer_sequence >= 100000`,
    )
    return Number(row?.['n']) === 200
  })
  await fresh.stop()
})
