/**
 * The whole of ingest over TLS and a login, while the broker dies and comes back; and a login that
 * is refused.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TOPICS } from '../../schemas/topics.ts'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  post,
  prediction,
  spawnTarget,
  startTarget,
  until,
  type Running,
} from '../servers/processes.ts'
import {
  PASSWORD,
  startSecureKafka,
  startTokenServer,
  USER,
  type SecureKafka,
  type TokenServer,
} from '../servers/secure-kafka.ts'
import { expectTotals, faultProducer } from './totals.ts'

const PREFIX = 'team-a.'
const directory = temporaryDirectory()
let broker: SecureKafka
let tokens: TokenServer
let stores: Running
let ingest: Running
let env: Record<string, string>

beforeAll(async () => {
  tokens = await startTokenServer(60)
  broker = await startSecureKafka(directory, tokens)
  stores = await startTarget('stores', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_POSTGRES_PORT: '0',
    PLUMBLINE_LOG_LEVEL: 'error',
  })
  env = {
    PLUMBLINE_KAFKA_BROKERS: broker.sasl,
    PLUMBLINE_KAFKA_TLS: 'on',
    PLUMBLINE_KAFKA_CA_FILE: broker.certificates.ca,
    PLUMBLINE_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    PLUMBLINE_KAFKA_SASL_USERNAME: USER,
    PLUMBLINE_KAFKA_SASL_PASSWORD: PASSWORD,
    PLUMBLINE_KAFKA_TOPIC_PREFIX: PREFIX,
    PLUMBLINE_KAFKA_GROUP_PREFIX: PREFIX,
    PLUMBLINE_KAFKA_REPLICATION_FACTOR: '1',
    PLUMBLINE_KAFKA_SESSION_SECONDS: '3',
    PLUMBLINE_CLICKHOUSE_URL: stores.clickhouseUrl,
    PLUMBLINE_CLICKHOUSE_PASSWORD: readFileSync(join(directory, 'data/clickhouse.secret'), 'utf8'),
    PLUMBLINE_DATA_DIR: join(directory, 'ingest'),
  }
  ingest = await startTarget('ingest', env)
}, 180_000)
afterAll(async () => {
  await ingest?.stop()
  await stores?.stop()
  await broker?.kafka.stop()
  await tokens?.stop()
})

test('topics and groups carry the prefix, and no others are made', async () => {
  const admin = new kafkajs.Kafka({
    brokers: [broker.kafka.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin()
  await admin.connect()
  const topics = (await admin.listTopics()).filter((topic) => !topic.startsWith('__'))
  let groups: { groupId: string }[] = []
  await until('the group of predictions is there', async () => {
    groups = (await admin.listGroups()).groups
    return groups.some(({ groupId }) => groupId === `${PREFIX}plumbline-ingest`)
  })
  await admin.disconnect()
  expect(topics.toSorted()).toEqual(
    Object.values(TOPICS)
      .map(({ topic }) => PREFIX + topic)
      .toSorted(),
  )
  expect(groups.filter(({ groupId }) => !groupId.startsWith(PREFIX))).toEqual([])
})

test('the broker is killed and restarted in the middle of batches, over TLS and a login', async () => {
  const producer = await faultProducer(broker.kafka.brokers, 0, PREFIX)
  const load = (async () => {
    for (let i = 0; i < 40; i++) {
      await producer.send(50)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  await until('some of it is sent', async () => producer.sent() >= 300)
  await broker.restart()
  await load
  await expectTotals((sql) => ask(stores.clickhouseUrl, sql), producer.sent())
  await producer.stop()
  await until('the endpoint takes events again', async () => {
    const event = prediction(0, { model_id: 'by-http' })
    return (await post(`${ingest.url}/v1/predictions`, event)).ok
  })
  await until('its event is stored', async () => {
    const [row] = await ask(
      stores.clickhouseUrl,
      `SELECT count() AS n FROM predictions WHERE model_id = 'by-http'`,
    )
    return row?.['n'] === '1'
  })
}, 300_000)

test('a password that is refused ends the process, in one sentence and without the password', async () => {
  const refused = await spawnTarget('ingest', {
    ...env,
    PLUMBLINE_KAFKA_SASL_PASSWORD: 'not-the-password',
    PLUMBLINE_DATA_DIR: join(directory, 'refused'),
  })
  const code = await new Promise((resolve) => refused.child.once('close', resolve))
  expect(code).toBe(1)
  expect(refused.log()).toMatch(
    /^plumbline stopped: stopped by a failure; kafka failed: Kafka at \S+ refused the login of ann \(SCRAM-SHA-512\): [^\n]+$/m,
  )
  expect(refused.log()).not.toContain('not-the-password')
})
