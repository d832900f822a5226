/**
 * Kafka consumers: one that hands offset ranges to the exactly-once protocol, one that hears
 * wake-ups.
 */
import type { Admin, EachBatchPayload } from 'kafkajs'
import { messageOf } from '../runtime/errors.ts'
import type { WakeUpConsumer, Ownership, RangeConsumer } from './port.ts'
import { consumeUntil, NO_RESTART, type ConsumerParts } from './kafka-clients.ts'
import { keyPartitioner } from './kafkajs-patches/partitioner.ts'
import type { LogRecord } from './kafkajs-patches/record-batches.ts'
import type { Module } from '../runtime/modules.ts'
import { untilTopicExists } from './kafka-connection/wait-for-topic.ts'
import { rangeProtocol, type PartitionPort, type ProtocolOptions } from './exactly-once.ts'

/**
 * Bytes of one fetch, and of what it has of one partition: a range costs a dozen statements,
 * whatever it holds.
 */
export const MAX_FETCHED = 64 << 20
/** Heartbeats of a client in a session. */
const BEATS = 10
/** A range that is stored for longer keeps its partition no more: whatever stores it hangs. */
const LONGEST_STORE_MS = 600_000

/** A module that stores the ranges of a topic, as a member of the consumer's group. */
export function rangeModule(consumer: RangeConsumer, parts: ConsumerParts): Module {
  return {
    name: `${consumer.group} of ${consumer.topic}`,
    run: async (signal) => {
      await parts.untilConnected(signal)
      if (consumer.from !== undefined)
        await untilTopicExists(
          consumer.from,
          `${consumer.group} of ${consumer.topic}`,
          parts,
          signal,
        )
      try {
        if (!signal.aborted)
          await consumeUntil(signal, consumer, parts, (givenUp) =>
            rangeClient(consumer, parts, givenUp),
          )
      } finally {
        // What stood still is another's now, or nobody's.
        parts.health.owns(consumer.topic, [])
      }
    },
  }
}

function rangeClient(consumer: RangeConsumer, parts: ConsumerParts, givenUp: AbortSignal) {
  const { kafka, sessionTimeoutMs, health, names } = parts
  const topic = consumer.from ?? names.topicOf(consumer.topic)
  const maxBytes = consumer.maxBytes ?? MAX_FETCHED
  const admin = kafka.admin()
  const client = kafka.consumer({
    groupId: names.groupOf(consumer.group),
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: sessionTimeoutMs / BEATS,
    rebalanceTimeout: sessionTimeoutMs,
    maxBytesPerPartition: maxBytes,
    maxBytes,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
    retry: NO_RESTART,
  })
  /** Counts assignments: a batch of an earlier one must neither insert nor commit. */
  let generation = 0
  client.on(client.events.GROUP_JOIN, ({ payload }) => {
    generation++
    health.owns(consumer.topic, payload.memberAssignment[topic] ?? [])
  })
  const current = () => (givenUp.aborted ? -1 : generation)
  const protocol = rangeProtocol(consumer, protocolOptions(consumer, parts, admin))
  const eachBatch = async (payload: EachBatchPayload) => {
    givenUp.throwIfAborted()
    const partition = String(payload.batch.partition)
    const messages = payload.batch.messages as unknown as LogRecord[]
    health.standsStill(consumer.topic, partition)
    const beating = heartbeats(payload, sessionTimeoutMs / BEATS, givenUp)
    try {
      await protocol(messages, portOf(payload, generation, current))
      health.goesOn(consumer.topic, partition)
    } finally {
      beating.end()
    }
  }
  return {
    client,
    begin: async () => {
      await admin.connect()
      givenUp.throwIfAborted()
      await client.subscribe({ topic, fromBeginning: true })
      givenUp.throwIfAborted()
      await client.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 2,
        eachBatch,
      })
    },
    end: () => admin.disconnect(),
  }
}

/**
 * Heartbeats while a range is stored, which kafkajs sends only between batches: what takes longer
 * than a session would lose its partition each time, and never end. What the broker answers is
 * heard by the protocol's next own heartbeat.
 */
export function heartbeats(
  payload: Pick<EachBatchPayload, 'heartbeat'>,
  everyMs: number,
  givenUp: AbortSignal,
) {
  const begun = Date.now()
  const timer = setInterval(() => {
    if (givenUp.aborted || Date.now() - begun > LONGEST_STORE_MS) clearInterval(timer)
    else payload.heartbeat().catch(() => {})
  }, everyMs)
  return { end: () => clearInterval(timer) }
}

function protocolOptions(
  consumer: RangeConsumer,
  { log, health, clusterId, names }: ConsumerParts,
  admin: Admin,
): ProtocolOptions {
  const { topic, from } = consumer
  const kafkaTopic = from ?? names.topicOf(topic)
  const groupId = names.groupOf(consumer.group)
  return {
    now: Date.now,
    logName: clusterId(),
    committed: async (partition) => {
      const [found] = await admin.fetchOffsets({ groupId, topics: [kafkaTopic] })
      const committed = found?.partitions.find((p) => String(p.partition) === partition)
      return { offset: BigInt(committed?.offset ?? -1), metadata: committed?.metadata ?? '' }
    },
    oldest: async (partition) => {
      const offsets = await admin.fetchTopicOffsets(kafkaTopic)
      return BigInt(offsets.find((o) => String(o.partition) === partition)?.low ?? 0)
    },
    onLost: (partition, messages) => {
      log.error(
        { topic, partition, messages },
        'retention has taken messages before they were stored: raise the retention of the topic',
      )
      consumer.lost?.(partition, messages)
    },
    onRetry: (partition, error, attempt) => {
      health.standsStill(topic, partition, messageOf(error))
      log.warn(
        { topic, partition, error: messageOf(error), attempt },
        'range not stored, trying again',
      )
    },
    onStored: (partition) => health.goesOn(topic, partition),
  }
}

/**
 * What the protocol may do with the partition of one batch, fenced by the assignment it was fetched
 * under.
 *
 * @param current the assignment of this moment; no assignment's number once the client was given up
 */
function portOf(
  payload: EachBatchPayload,
  generation: number,
  current: () => number,
): PartitionPort {
  const { batch } = payload
  const isOwned = () => payload.isRunning() && !payload.isStale() && current() === generation
  return {
    partition: String(batch.partition),
    generation,
    highWatermark: BigInt(batch.highWatermark),
    isOwned,
    heartbeat: () => payload.heartbeat(),
    resolve: (offset) => payload.resolveOffset(offset),
    // Not consumer.commitOffsets, which can return without having committed while the runner stops.
    commit: async (offset, metadata) => {
      if (!isOwned()) throw new Error('the partition may belong to somebody else by now')
      await payload.commitOffsetsIfNecessary({
        topics: [
          {
            topic: batch.topic,
            partitions: [{ partition: batch.partition, offset: String(offset), metadata } as never],
          },
        ],
      })
    },
  }
}

/**
 * A module that hears the wake-ups of a topic, and which keys are this process' own; none while it
 * has no place in the group.
 */
export function wakeUpModule(consumer: WakeUpConsumer, parts: ConsumerParts): Ownership {
  let partitionMetadata: PartitionMetadata[] = []
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
        await parts.untilConnected(signal)
        if (signal.aborted) return
        await consumeUntil(signal, consumer, parts, (givenUp) =>
          hintClient(consumer, parts, {
            givenUp,
            partitions: (found) => (partitionMetadata = found),
            assigned: (partitions) => (owned = new Set(partitions)),
          }),
        )
        owned = new Set()
      },
    },
  }
}

interface PartitionMetadata {
  partitionId: number
  leader: number
}

function hintClient(
  consumer: WakeUpConsumer,
  { kafka, sessionTimeoutMs, names }: ConsumerParts,
  heard: {
    givenUp: AbortSignal
    partitions: (found: PartitionMetadata[]) => void
    assigned: (partitions: readonly number[]) => void
  },
) {
  const { givenUp } = heard
  const topic = names.topicOf(consumer.topic)
  const admin = kafka.admin()
  const client = kafka.consumer({
    groupId: names.groupOf(consumer.group),
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: sessionTimeoutMs / BEATS,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
    retry: NO_RESTART,
  })
  client.on(client.events.GROUP_JOIN, ({ payload }) => {
    if (givenUp.aborted) return
    heard.assigned(payload.memberAssignment[topic] ?? [])
    consumer.assigned?.()
  })
  return {
    client,
    begin: async () => {
      await admin.connect()
      heard.partitions(await partitionsOf(admin, topic))
      givenUp.throwIfAborted()
      await client.subscribe({ topic, fromBeginning: false })
      givenUp.throwIfAborted()
      await client.run({
        eachMessage: ({ message }) =>
          consumer.onMessage({
            key: message.key?.toString() ?? '',
            value: message.value?.toString() ?? '',
          }),
      })
    },
    end: () => admin.disconnect(),
  }
}

/** The partitions a topic really has, which may differ from its card. */
async function partitionsOf(admin: Admin, topic: string): Promise<PartitionMetadata[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]!.partitions
    .map(({ partitionId, leader }) => ({ partitionId, leader }))
    .toSorted((a, b) => a.partitionId - b.partitionId)
}
