/** The log on Apache Kafka. The only file that knows kafkajs; the range protocol is in `range-protocol.ts`. */
import kafkajs, { type Consumer, type Kafka, type EachBatchPayload } from 'kafkajs'
import type { TopicCard } from '../schemas/topics.ts'
import { backoffMs, sleep } from './clock.ts'
import { coalesced } from './coalesced.ts'
import { messageOf, Problem } from './errors.ts'
import type {
  EventLog,
  HintConsumer,
  OutgoingMessage,
  Ownership,
  RangeConsumer,
} from './event-log.ts'
import { keyPartitioner } from './kafkajs-partitioner.ts'
import { registerCodecs } from './kafkajs-codecs.ts'
import { useFastRecords, type LogRecord } from './kafkajs-records.ts'
import { responseSocket } from './kafkajs-responses.ts'
import { fixKafkajsTimer } from './kafkajs-timer.ts'
import type { Logger } from './log.ts'
import type { Module } from './modules.ts'
import { rangeProtocol, type PartitionPort } from './range-protocol.ts'

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
/** Bytes of one fetch, and of what it has of one partition: a range costs a dozen statements, whatever it holds. */
export const MOST_FETCHED = 64 << 20
const ALL_ACKS = -1
/**
 * Bytes of one send: a broker takes batches of one mebibyte unless told otherwise. A message counts for at least a
 * five-hundredth of it, since kafkajs groups the messages of a send in quadratic time.
 */
const MOST_PER_SEND = 900_000
const weightOf = ({ key, value }: OutgoingMessage) =>
  MOST_PER_SEND / 500 + key.length + value.length

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
      await admin.describeCluster()
    },
    ranges: (consumer) => rangeModule(kafka, consumer, options, untilConnected, () => clusterId),
    hints: (consumer) => hintModule(kafka, consumer, options, untilConnected),
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

function rangeModule(
  kafka: Kafka,
  consumer: RangeConsumer,
  { log, sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS }: KafkaLogOptions,
  untilConnected: (signal: AbortSignal) => Promise<void>,
  clusterId: () => string,
): Module {
  return {
    name: `${consumer.group} of ${consumer.topic}`,
    run: async (signal) => {
      await untilConnected(signal)
      if (signal.aborted) return
      const admin = kafka.admin()
      await admin.connect()
      await consumeUntil(signal, log, async () => {
        const client = kafka.consumer({
          groupId: consumer.group,
          sessionTimeout: sessionTimeoutMs,
          heartbeatInterval: sessionTimeoutMs / 10,
          rebalanceTimeout: sessionTimeoutMs,
          maxBytesPerPartition: MOST_FETCHED,
          maxBytes: MOST_FETCHED,
          maxWaitTimeInMs: 100,
          allowAutoTopicCreation: false,
          retry: NO_RESTART,
        })
        /** Counts assignments: a batch of an earlier one must neither insert nor commit. */
        let generation = 0
        client.on(client.events.GROUP_JOIN, () => generation++)
        const protocol = rangeProtocol(consumer, {
          logName: clusterId(),
          committed: async (partition) => {
            const [topic] = await admin.fetchOffsets({
              groupId: consumer.group,
              topics: [consumer.topic],
            })
            const found = topic?.partitions.find((p) => String(p.partition) === partition)
            return { offset: BigInt(found?.offset ?? -1), metadata: found?.metadata ?? '' }
          },
          oldest: async (partition) => {
            const offsets = await admin.fetchTopicOffsets(consumer.topic)
            return BigInt(offsets.find((o) => String(o.partition) === partition)?.low ?? 0)
          },
          onLost: (partition, messages) => {
            log.error(
              { topic: consumer.topic, partition, messages },
              'retention has taken messages before they were stored: raise the retention of the topic',
            )
            consumer.lost?.(partition, messages)
          },
          onRetry: (error, attempt) =>
            log.warn(
              { topic: consumer.topic, error: messageOf(error), attempt },
              'range not stored, trying again',
            ),
        })
        return {
          client,
          begin: async () => {
            await client.subscribe({ topic: consumer.topic, fromBeginning: true })
            await client.run({
              autoCommit: false,
              eachBatchAutoResolve: false,
              partitionsConsumedConcurrently: 2,
              eachBatch: (payload) =>
                protocol(
                  payload.batch.messages as unknown as LogRecord[],
                  portOf(payload, generation, () => generation),
                ),
            })
          },
        }
      })
      await admin.disconnect()
    },
  }
}

/** What the protocol may do with the partition of one batch, fenced by the assignment it was fetched under. */
function portOf(
  payload: EachBatchPayload,
  generation: number,
  current: () => number,
): PartitionPort {
  const { batch } = payload
  return {
    partition: String(batch.partition),
    generation,
    highWatermark: BigInt(batch.highWatermark),
    isOwned: () => payload.isRunning() && !payload.isStale() && current() === generation,
    heartbeat: () => payload.heartbeat(),
    resolve: (offset) => payload.resolveOffset(offset),
    // Not consumer.commitOffsets, which can return without having committed while the runner stops.
    commit: (offset, metadata) =>
      payload.commitOffsetsIfNecessary({
        topics: [
          {
            topic: batch.topic,
            partitions: [{ partition: batch.partition, offset: String(offset), metadata } as never],
          },
        ],
      }),
  }
}

function hintModule(
  kafka: Kafka,
  consumer: HintConsumer,
  options: KafkaLogOptions,
  untilConnected: (signal: AbortSignal) => Promise<void>,
): Ownership {
  let partitionMetadata: { partitionId: number; leader: number }[] = []
  const partitionOf = keyPartitioner()
  let owned = new Set<number>()
  return {
    owns: (key) =>
      partitionMetadata.length > 0 &&
      owned.has(
        partitionOf({
          topic: consumer.topic,
          partitionMetadata: partitionMetadata as never,
          message: { key, value: null },
        }),
      ),
    module: {
      name: `${consumer.group} of ${consumer.topic}`,
      run: async (signal) => {
        await untilConnected(signal)
        if (signal.aborted) return
        partitionMetadata = await partitionsOf(kafka, consumer.topic)
        await consumeUntil(signal, options.log, async () => {
          const client = kafka.consumer({
            groupId: consumer.group,
            sessionTimeout: options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
            maxWaitTimeInMs: 100,
            allowAutoTopicCreation: false,
            retry: NO_RESTART,
          })
          client.on(client.events.GROUP_JOIN, ({ payload }) => {
            owned = new Set(payload.memberAssignment[consumer.topic] ?? [])
            consumer.assigned?.()
          })
          return {
            client,
            begin: async () => {
              await client.subscribe({ topic: consumer.topic, fromBeginning: false })
              await client.run({
                eachMessage: ({ message }) =>
                  consumer.onMessage({
                    key: message.key?.toString() ?? '',
                    value: message.value?.toString() ?? '',
                  }),
              })
            },
          }
        })
        owned = new Set()
      },
    },
  }
}

/** The partitions a topic really has, which may differ from its card. */
async function partitionsOf(kafka: Kafka, topic: string) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0]!.partitions
      .map(({ partitionId, leader }) => ({ partitionId, leader }))
      .toSorted((a, b) => a.partitionId - b.partitionId)
  } finally {
    await admin.disconnect()
  }
}

/**
 * Runs a consumer until the signal. After a crash a new one is made, since a restarted one may hang; a crash that no
 * new attempt can mend (an unknown codec, say) rejects, and ends the process instead of going silent.
 */
async function consumeUntil(
  signal: AbortSignal,
  log: Logger,
  make: () => Promise<{ client: Consumer; begin: () => Promise<void> }>,
) {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  for (let attempt = 0; !signal.aborted; attempt++) {
    const { client, begin } = await make()
    const crashed = new Promise<never>((_, reject) => {
      client.on(client.events.CRASH, ({ payload }) => reject(payload.error))
    })
    crashed.catch(() => {})
    const begun = Date.now()
    try {
      await Promise.race([
        aborted,
        crashed,
        client
          .connect()
          .then(begin)
          .then(() => aborted),
      ])
    } catch (error) {
      if (!isPassing(error)) throw error
      if (Date.now() - begun > STEADY_MS) attempt = 0
      log.warn({ error: messageOf(error), attempt }, 'kafka consumer ended, trying again')
      await sleep(backoffMs(attempt), signal)
    } finally {
      // A crashed client may never say that it has gone.
      await Promise.race([client.disconnect().catch(() => {}), sleep(DISCONNECT_MS)])
    }
  }
}

const STEADY_MS = 60_000
const DISCONNECT_MS = 3000
const NO_RESTART = {
  initialRetryTime: 100,
  maxRetryTime: 2000,
  retries: 5,
  restartOnFailure: async () => false,
}

/** A codec that is not there, or a fault of ours, will not pass; a broker that is away will, however kafkajs wraps it. */
function isPassing(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e.name === 'KafkaJSNotImplemented' || e instanceof TypeError || e instanceof ReferenceError)
      return false
  }
  return true
}
