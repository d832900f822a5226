/** The log on Apache Kafka: connecting, topics, sending. Its consumers are in `kafka-consumers.ts`. */
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs'
import type { TopicCard } from '../../schemas/topics.ts'
import { backoffMs, sleep } from '../runtime/clock.ts'
import { sendBatcher } from './send-batcher.ts'
import { messageOf, Problem } from '../runtime/errors.ts'
import { consumerHealth, type ConsumerHealth } from './consumer-health.ts'
import type { EventLog, OutgoingMessage } from './port.ts'
import { wakeUpModule, rangeModule } from './kafka-consumers.ts'
import type { ConsumerParts } from './kafka-clients.ts'
import { keyPartitioner } from './kafkajs-patches/partitioner.ts'
import { registerCodecs } from './kafkajs-patches/codecs.ts'
import { useFastRecords } from './kafkajs-patches/record-batches.ts'
import { responseSocket } from './kafkajs-patches/responses.ts'
import { fixKafkajsTimer } from './kafkajs-patches/request-timer.ts'
import type { Logger } from '../runtime/log.ts'

/** Which cluster, and what this process is called there. */
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
const MAX_SEND_BYTES = 900_000
const weightOf = ({ key, value }: OutgoingMessage) =>
  MAX_SEND_BYTES / 2000 + key.length + value.length

/** Clients of one cluster, and what is known of it. */
interface Cluster {
  log: Logger
  topics: readonly TopicCard[]
  kafka: Kafka
  producer: Producer
  admin: Admin
  isConnected: boolean
  /** Names the cluster; empty until connected. */
  clusterId: string
  /** Settles once connected. */
  connection: PromiseWithResolvers<void>
  /** The send batchers, by topic. */
  batchers: Map<string, (messages: readonly OutgoingMessage[]) => Promise<void>>
}

/** Makes the log on Kafka; nothing is connected before its module runs. */
export function kafkaLog(options: KafkaLogOptions): EventLog {
  fixKafkajsTimer()
  registerCodecs()
  const cluster = clusterOf(options)
  const sessionTimeoutMs = options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS
  const parts: ConsumerParts = {
    kafka: cluster.kafka,
    log: options.log,
    sessionTimeoutMs,
    health: consumerHealth({ now: Date.now, patienceMs: 2 * sessionTimeoutMs }),
    untilConnected: (signal) => untilConnected(cluster, signal),
    clusterId: () => cluster.clusterId,
  }
  return {
    kind: 'kafka',
    append: (topic, messages) => append(cluster, topic, messages),
    check: () => check(cluster, parts.health),
    ranges: (consumer) => rangeModule(consumer, parts),
    wakeUps: (consumer) => wakeUpModule(consumer, parts),
    module: {
      name: 'kafka',
      run: async (signal) => {
        await connect(cluster, signal)
        await sleep(2 ** 31 - 1, signal)
      },
      stop: async () => {
        await Promise.allSettled([cluster.producer.disconnect(), cluster.admin.disconnect()])
      },
    },
  }
}

function clusterOf({ clientId, brokers, topics, log }: KafkaLogOptions): Cluster {
  const kafka = new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 3000,
    socketFactory: responseSocket,
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 4 },
    logCreator: () => (entry) => {
      if (entry.level <= kafkajs.logLevel.ERROR)
        log.warn({ kafka: entry.log.message, error: entry.log['error'] }, 'kafka client')
    },
  })
  return {
    log,
    topics,
    kafka,
    producer: kafka.producer({
      createPartitioner: keyPartitioner,
      allowAutoTopicCreation: false,
    }),
    admin: kafka.admin(),
    isConnected: false,
    clusterId: '',
    connection: Promise.withResolvers<void>(),
    batchers: new Map(),
  }
}

/** Connects, and creates missing topics; tries again until it is done or the signal aborts. */
async function connect(cluster: Cluster, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted && !cluster.isConnected; attempt++) {
    try {
      await connectOnce(cluster)
    } catch (error) {
      cluster.log.warn(
        { error: messageOf(error), attempt },
        'kafka cannot be reached, trying again',
      )
      await sleep(backoffMs(attempt), signal)
    }
  }
}

async function connectOnce(cluster: Cluster): Promise<void> {
  const { admin, producer, topics, connection } = cluster
  await admin.connect()
  await createMissingTopics(admin, topics)
  cluster.clusterId = (await admin.describeCluster()).clusterId
  // A fresh broker makes its offsets topic at the first question; consumers that join before crash and rejoin.
  await admin.fetchOffsets({ groupId: 'plumbline-ingest', topics: [topics[0]!.topic] })
  await producer.connect()
  cluster.isConnected = true
  connection.resolve()
}

const untilConnected = ({ connection }: Cluster, signal: AbortSignal): Promise<void> =>
  Promise.race([
    connection.promise,
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
  ])

/** @throws {Problem} 503 while Kafka cannot be reached, and where it does not take the messages */
async function append(
  cluster: Cluster,
  topic: string,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  if (messages.length === 0) return
  if (!cluster.isConnected)
    throw new Problem(503, 'log_unavailable', 'Kafka cannot be reached', { 'retry-after': '2' })
  await batcherOf(cluster, topic)(messages)
}

function batcherOf({ batchers, producer }: Cluster, topic: string) {
  let batcher = batchers.get(topic)
  if (!batcher) {
    batcher = sendBatcher((items) => send(producer, topic, items), weightOf, MAX_SEND_BYTES)
    batchers.set(topic, batcher)
  }
  return batcher
}

async function send(
  producer: Producer,
  topic: string,
  messages: readonly OutgoingMessage[],
): Promise<void> {
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

/** @throws where the cluster cannot be reached, or a consumer has stood still for long */
async function check({ isConnected, admin }: Cluster, health: ConsumerHealth): Promise<void> {
  if (!isConnected) throw new Error('not connected')
  const problems = health.problems()
  if (problems.length > 0) throw new Error(problems.join('; '))
  await admin.describeCluster()
}

const toKafka = ({ key, value, headers }: OutgoingMessage) => ({
  key,
  value,
  ...(headers && { headers }),
})

async function createMissingTopics(admin: Admin, cards: readonly TopicCard[]): Promise<void> {
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
