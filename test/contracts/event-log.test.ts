/** One suite for every log: in process, and Apache Kafka. */
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startKafka, whyNoKafka, type LocalKafka } from '../../deploy/local/kafka.ts'
import { kafkaLog } from '../../lib/event-log/kafka.ts'
import { namesIn } from '../../lib/event-log/kafka-connection/names.ts'
import { createMissingTopics, topicReports } from '../../lib/event-log/kafka-connection/topics.ts'
import { memoryLog } from '../../lib/event-log/in-process.ts'
import type { EventLog, OffsetRange } from '../../lib/event-log/port.ts'
import { runModules, type Module } from '../../lib/runtime/modules.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { temporaryDirectory } from '../harness.ts'
import { until } from '../servers/processes.ts'

const log = pino({ level: 'silent' })
const topic = TOPICS.predictions.topic
const directory = temporaryDirectory()
let kafka: LocalKafka

beforeAll(async () => {
  const missing = whyNoKafka()
  if (missing) throw new Error(missing)
  kafka = await startKafka({ directory: join(directory, 'kafka') })
})
afterAll(() => kafka?.stop())

const logs: Record<string, () => EventLog> = {
  memory: () => memoryLog({ now: Date.now, onError: () => {} }),
  kafka: () =>
    kafkaLog({ brokers: [kafka.brokers], clientId: 'test', topics: Object.values(TOPICS), log }),
}

describe.each(Object.keys(logs))('the log %s', (name) => {
  let eventLog: EventLog
  const stored: OffsetRange[] = []
  const hinted: string[] = []
  let failures = 0
  const controller = new AbortController()
  let running: Promise<void>
  let ownership: { owns: (key: string) => boolean }

  beforeAll(async () => {
    eventLog = logs[name]!()
    const ranges = eventLog.ranges({
      topic,
      group: 'test',
      mapping: 'm1',
      lastStored: async () => ({ epoch: 0, next: 0 }),
      store: async (range) => {
        if (failures > 0) {
          failures--
          throw new Error('away')
        }
        stored.push(range)
      },
    })
    const wakeUps = eventLog.wakeUps({
      topic: TOPICS.windows.topic,
      group: 'test-wake-ups',
      onMessage: async ({ key }) => void hinted.push(key),
    })
    ownership = wakeUps
    const modules: Module[] = [eventLog.module, ranges, wakeUps.module]
    running = runModules(modules, controller.signal, log)
    await until('the log is reachable', () =>
      eventLog.check().then(
        () => true,
        () => false,
      ),
    )
    await until('wake-ups are owned', async () => ownership.owns('any'))
  })
  afterAll(async () => {
    controller.abort()
    await running
  })
  const values = () =>
    stored.flatMap((range) => range.messages.map((message) => message.value.toString()))

  test('what is appended is stored, once, in the order of its key', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        eventLog.append(topic, [{ key: 'm/one', value: `a${i}` }]),
      ),
    )
    await until('stored', async () => values().length >= 20)
    expect(values().toSorted()).toEqual(Array.from({ length: 20 }, (_, i) => `a${i}`).toSorted())
    for (const range of stored) {
      expect(range.first).toBe(String(range.messages[0]!.offset))
      expect(range.last).toBe(String(range.messages.at(-1)!.offset))
      expect(range.logEpoch).not.toBe('')
    }
  })

  test('a store that fails gets the very same range again', async () => {
    stored.length = 0
    failures = 2
    await eventLog.append(topic, [{ key: 'm/two', value: 'again' }])
    await until('stored', async () => values().includes('again'))
    expect(values()).toEqual(['again'])
    expect(stored[0]!.replayed).toBe(true)
  })

  test('wake-ups come, and every key has an owner', async () => {
    await eventLog.append(TOPICS.windows.topic, [{ key: 'model-1', value: '' }])
    await until('hinted', async () => hinted.includes('model-1'))
    expect(['a', 'b', 'c', 'd', 'e'].every((key) => ownership.owns(key))).toBe(true)
  })
})

test('topics are made as their cards say', async () => {
  const admin = new kafkajs.Kafka({
    brokers: [kafka.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({
    topics: Object.values(TOPICS).map((card) => card.topic),
  })
  for (const card of Object.values(TOPICS))
    expect(topics.find((t) => t.name === card.topic)?.partitions).toHaveLength(card.partitions)
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: topic,
        configNames: ['retention.ms', 'message.timestamp.type'],
      },
    ],
  })
  const values = Object.fromEntries(
    resources[0]!.configEntries.map((entry) => [entry.configName, entry.configValue]),
  )
  expect(values).toEqual({
    'retention.ms': String(7 * 86_400_000),
    'message.timestamp.type': 'LogAppendTime',
  })
  await admin.disconnect()
})

test('a topic that is there already, and otherwise than its card, is told of', async () => {
  const admin = new kafkajs.Kafka({
    brokers: [kafka.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin()
  await admin.connect()
  const card = { ...TOPICS.predictions, topic: 'theirs' }
  const names = namesIn([card], { topicPrefix: 'of.' })
  const configEntries = [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'message.timestamp.type', value: 'CreateTime' },
    { name: 'retention.ms', value: '3600000' },
  ]
  await admin.createTopics({ topics: [{ topic: 'of.theirs', numPartitions: 1, configEntries }] })
  await createMissingTopics(admin, [card], names)
  const reports = await topicReports(admin, [card], names)
  await admin.disconnect()
  expect(reports.map((text) => text.slice(0, 25))).toEqual([
    'topic of.theirs is compac',
    'topic of.theirs has messa',
    'topic of.theirs has 1 par',
    'topic of.theirs keeps mes',
  ])
})

test('batches of every codec are read', async () => {
  const { Kafka, CompressionTypes, logLevel } = kafkajs
  const client = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'codecs', numPartitions: 1 }] })
  const producer = client.producer()
  await producer.connect()
  const codecs = {
    none: CompressionTypes.None,
    gzip: CompressionTypes.GZIP,
    snappy: CompressionTypes.Snappy,
    lz4: CompressionTypes.LZ4,
    zstd: CompressionTypes.ZSTD,
  }
  for (const [value, compression] of Object.entries(codecs))
    await producer.send({ topic: 'codecs', compression, messages: [{ value: value.repeat(200) }] })
  const seen: string[] = []
  const consumer = client.consumer({ groupId: 'codecs' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'codecs', fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => void seen.push(message.value!.toString()),
  })
  await until('all read', async () => seen.length === 5)
  expect(seen).toEqual(Object.keys(codecs).map((name) => name.repeat(200)))
  await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()])
})
