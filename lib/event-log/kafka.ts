/** The log on Apache Kafka: connecting, topics, sending. Its consumers are in `kafka-consumers.ts`. */
import kafkajs, { type Kafka } from 'kafkajs'
import type { TopicCard } from '../../schemas/topics.ts'
import { backoffMs, sleep } from '../runtime/clock.ts'
import { coalesced } from './send-batcher.ts'
import { messageOf, Problem } from '../runtime/errors.ts'
import { consumerHealth } from './consumer-health.ts'
import type { EventLog, OutgoingMessage } from './port.ts'
import { hintModule, rangeModule } from './kafka-consumers.ts'
import type { ConsumerParts } from './kafka-clients.ts'
import { keyPartitioner } from './kafkajs-patches/partitioner.ts'
import { registerCodecs } from './kafkajs-patches/codecs.ts'
import { useFastRecords } from './kafkajs-patches/record-batches.ts'
import { responseSocket } from './kafkajs-patches/responses.ts'
import { fixKafkajsTimer } from './kafkajs-patches/request-timer.ts'
import type { Logger } from '../runtime/log.ts'

export interface KafkaLogOptions {
  brokers: readonly string[]
  clientId: string
  topics: readonly TopicCard[]
  /** How long a silent consumer keeps its partitions; inserts must be shorter. 30 s unless said otherwise. */
  sessionTimeoutMs?: number
  log: Logger
}

// At once: kafkajs keeps the decoder that is there at the first fetch of the process.
useFastRecords()

const DEFAULT_SESSION_TIMEOUT_MS = 30_000
const ALL_ACKS = -1
/**
 * Bytes of one send: a broker takes batches of one mebibyte unless told otherwise. A message counts for at least a
 * two-thousandth of it, since kafkajs groups the messages of a send in quadratic time: some 2 ms for so many.
 */
const MOST_PER_SEND = 900_000
const weightOf = ({ key, value }: OutgoingMessage) =>
  MOST_PER_SEND / 2000 + key.length + value.length

export function kafkaLog(options: KafkaLogOptions): EventLog {
  fixKafkajsTimer()
  registerCodecs()
  const kafka = new kafkajs.Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: 3000,
    socketFactory: responseSocket,
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 4 },
    logCreator: () => (entry) => {
      if (entry.level <= kafkajs.logLevel.ERROR)
        options.log.warn({ kafka: entry.log.message, error: entry.log['error'] }, 'kafka client')
    },
  })
  const producer = kafka.producer({
    createPartitioner: keyPartitioner,
    allowAutoTopicCreation: false,
  })
  const admin = kafka.admin()
  let connected = false
  let clusterId = ''
  const connection = Promise.withResolvers<void>()

  async function connect(signal: AbortSignal) {
    for (let attempt = 0; !signal.aborted && !connected; attempt++) {
      try {
        await admin.connect()
        await createMissingTopics(admin, options.topics)
        clusterId = (await admin.describeCluster()).clusterId
        // A fresh broker makes its offsets topic at the first question; consumers that join before crash and rejoin.
        await admin.fetchOffsets({
          groupId: 'plumbline-ingest',
          topics: [options.topics[0]!.topic],
        })
        await producer.connect()
        connected = true
        connection.resolve()
      } catch (error) {
        options.log.warn(
          { error: messageOf(error), attempt },
          'kafka cannot be reached, trying again',
        )
        await sleep(backoffMs(attempt), signal)
      }
    }
  }
  const lanes = new Map<string, (messages: readonly OutgoingMessage[]) => Promise<void>>()
  async function send(topic: string, messages: readonly OutgoingMessage[]) {
    try {
      await producer.send({ topic, acks: ALL_ACKS, messages: messages.map(toKafka) })
    } catch (cause) {
      throw Object.assign(
        new Problem(503, 'log_unavailable', `Kafka did not take the events: ${messageOf(cause)}`, {
          'retry-after': '2',
        }),
        { cause },
      )
    }
  }
  const untilConnected = (signal: AbortSignal) =>
    Promise.race([
      connection.promise,
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    ])

  const sessionTimeoutMs = options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS
  const parts: ConsumerParts = {
    kafka,
    log: options.log,
    sessionTimeoutMs,
    health: consumerHealth({ now: Date.now, patienceMs: 2 * sessionTimeoutMs }),
    untilConnected,
    clusterId: () => clusterId,
  }
  return {
    kind: 'kafka',
    append: async (topic, messages) => {
      if (messages.length === 0) return
      if (!connected)
        throw new Problem(503, 'log_unavailable', 'Kafka cannot be reached', { 'retry-after': '2' })
      let lane = lanes.get(topic)
      if (!lane)
        lanes.set(topic, (lane = coalesced((items) => send(topic, items), weightOf, MOST_PER_SEND)))
      await lane(messages)
    },
    check: async () => {
      if (!connected) throw new Error('not connected')
      const problems = parts.health.problems()
      if (problems.length > 0) throw new Error(problems.join('; '))
      await admin.describeCluster()
    },
    ranges: (consumer) => rangeModule(consumer, parts),
    hints: (consumer) => hintModule(consumer, parts),
    module: {
      name: 'kafka',
      run: async (signal) => {
        await connect(signal)
        await sleep(2 ** 31 - 1, signal)
      },
      stop: async () => {
        await Promise.allSettled([producer.disconnect(), admin.disconnect()])
      },
    },
  }
}

const toKafka = ({ key, value, headers }: OutgoingMessage) => ({
  key,
  value,
  ...(headers && { headers }),
})

async function createMissingTopics(admin: ReturnType<Kafka['admin']>, cards: readonly TopicCard[]) {
  const existing = new Set(await admin.listTopics())
  const missing = cards.filter((card) => !existing.has(card.topic))
  if (missing.length === 0) return
  await admin.createTopics({
    waitForLeaders: true,
    topics: missing.map((card) => ({
      topic: card.topic,
      numPartitions: card.partitions,
      configEntries: [
        { name: 'retention.ms', value: String(card.retentionDays * 86_400_000) },
        // The broker's clock, so that a replay of a range reads the same received_at.
        { name: 'message.timestamp.type', value: 'LogAppendTime' },
      ],
    })),
  })
}
