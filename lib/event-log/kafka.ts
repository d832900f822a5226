/**
 * The log on Apache Kafka: connecting, topics, sending. Its consumers are in `kafka-consumers.ts`.
 */
import kafkajs, { type Admin, type Kafka, type KafkaConfig, type Producer } from 'kafkajs'
import { TOPICS, type TopicCard } from '../../schemas/topics.ts'
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
import { hintFor, isUnauthorized, refusalIn } from './kafka-connection/refused.ts'
import { saslOf } from './kafka-connection/sasl.ts'
import { tlsOptions, type KafkaSecurity } from './kafka-connection/security.ts'
import { createMissingTopics, topicReports, topicRetention } from './kafka-connection/topics.ts'
import { namesIn, type KafkaNames, type KafkaNaming } from './kafka-connection/names.ts'

/** Which cluster, and what this process is called there. */
export interface KafkaLogOptions {
  brokers: readonly string[]
  clientId: string
  topics: readonly TopicCard[]
  /**
   * How long a silent consumer keeps its partitions; inserts must be shorter. 30 s unless said
   * otherwise.
   */
  sessionTimeoutMs?: number
  /** TLS and the login; neither where absent. */
  security?: KafkaSecurity
  /** What the cluster's names of topics and groups begin with, and replicas of new topics. */
  naming?: Partial<KafkaNaming>
  log: Logger
}

// The decoder is replaced at once: kafkajs keeps the one that is there at the first fetch of the
// process.
useFastRecords()

const DEFAULT_SESSION_TIMEOUT_MS = 30_000
const CONNECTION_TIMEOUT_MS = 3000
const ALL_ACKS = -1
/**
 * Bytes of one send: a broker takes batches of one mebibyte unless told otherwise. A message counts
 * for at least a two-thousandth of it, since kafkajs groups the messages of a send in quadratic
 * time: some 2 ms for so many.
 */
const MAX_SEND_BYTES = 900_000
const weightOf = ({ key, value }: OutgoingMessage) =>
  MAX_SEND_BYTES / 2000 + key.length + value.length

/** Clients of one cluster, and what is known of it. */
interface Cluster {
  log: Logger
  topics: readonly TopicCard[]
  names: KafkaNames
  kafka: Kafka
  producer: Producer
  admin: Admin
  isConnected: boolean
  /** Why it is not connected, once an attempt has failed. */
  problem: string
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
    names: cluster.names,
  }
  return {
    kind: 'kafka',
    append: (topic, messages) => append(cluster, topic, messages),
    check: () => check(cluster, parts.health),
    waiting: parts.health.waiting,
    retention: () => topicRetention(cluster.admin, cluster.topics, cluster.names),
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

/** What clients of kafkajs are told of a cluster, whoever they are. */
export function clientOptions({
  clientId,
  brokers,
  security = {},
  log,
}: Pick<KafkaLogOptions, 'clientId' | 'brokers' | 'security' | 'log'>): KafkaConfig {
  return {
    clientId,
    brokers: [...brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    socketFactory: responseSocket,
    ...(security.tls && { ssl: tlsOptions(security.tls) }),
    ...(security.login && { sasl: saslOf(security.login) }),
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 4 },
    logCreator: () => (entry) => {
      if (entry.level <= kafkajs.logLevel.ERROR)
        log.warn({ kafka: entry.log.message, error: entry.log['error'] }, 'kafka client')
    },
  }
}

function clusterOf(options: KafkaLogOptions): Cluster {
  const { topics, log, naming } = options
  const kafka = new kafkajs.Kafka(clientOptions(options))
  return {
    log,
    topics,
    names: namesIn(topics, naming),
    kafka,
    producer: kafka.producer({
      createPartitioner: keyPartitioner,
      allowAutoTopicCreation: false,
    }),
    admin: kafka.admin(),
    isConnected: false,
    problem: 'not connected',
    clusterId: '',
    connection: Promise.withResolvers<void>(),
    batchers: new Map(),
  }
}

/**
 * Connects, and creates missing topics; tries again until it is done or the signal aborts.
 *
 * @throws Error with the sentence why Kafka will not have us, at the first refusal
 */
async function connect(cluster: Cluster, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted && !cluster.isConnected; attempt++) {
    try {
      await connectOnce(cluster)
    } catch (error) {
      const refusal = refusalIn(error)
      if (refusal !== undefined) throw new Error(refusal, { cause: error })
      cluster.problem = messageOf(error) + hintFor(error)
      cluster.log.warn({ error: cluster.problem, attempt }, 'kafka is not ready, trying again')
      await sleep(backoffMs(attempt), signal)
    }
  }
}

async function connectOnce(cluster: Cluster): Promise<void> {
  const { admin, producer, topics, names, connection } = cluster
  await admin.connect()
  await createMissingTopics(admin, topics, names)
  cluster.clusterId = (await admin.describeCluster()).clusterId
  await wakeOffsets(admin, names)
  await producer.connect()
  for (const report of await topicReports(admin, topics, names)) cluster.log.warn(report)
  cluster.isConnected = true
  connection.resolve()
}

/**
 * A fresh broker makes its offsets topic at the first question; consumers that join before crash
 * and rejoin.
 */
async function wakeOffsets(admin: Admin, { groupOf, topicOf }: KafkaNames): Promise<void> {
  try {
    await admin.fetchOffsets({
      groupId: groupOf('plumbline-ingest'),
      topics: [topicOf(TOPICS.predictions.topic)],
    })
  } catch (error) {
    // The group may be another service's, with a login of its own.
    if (!isUnauthorized(error)) throw error
  }
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

function batcherOf({ batchers, producer, names }: Cluster, topic: string) {
  let batcher = batchers.get(topic)
  if (!batcher) {
    batcher = sendBatcher(
      (items) => send(producer, names.topicOf(topic), items),
      weightOf,
      MAX_SEND_BYTES,
    )
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
async function check(
  { isConnected, problem, admin }: Cluster,
  health: ConsumerHealth,
): Promise<void> {
  if (!isConnected) throw new Error(problem)
  const problems = health.problems()
  if (problems.length > 0) throw new Error(problems.join('; '))
  await admin.describeCluster()
}

const toKafka = ({ key, value, headers }: OutgoingMessage) => ({
  key,
  value,
  ...(headers && { headers }),
})
