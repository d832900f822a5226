/** Kafka consumers: one that hands offset ranges to the exactly-once protocol, one that hears wake-ups. */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { backoffMs, sleep } from './clock.ts'
import type { ConsumerHealth } from './consumer-health.ts'
import { messageOf } from './errors.ts'
import type { HintConsumer, Ownership, RangeConsumer } from './event-log.ts'
import { keyPartitioner } from './kafkajs-partitioner.ts'
import type { LogRecord } from './kafkajs-records.ts'
import type { Logger } from './log.ts'
import type { Module } from './modules.ts'
import { rangeProtocol, type PartitionPort } from './range-protocol.ts'

/** What every consumer of a process shares. */
export interface ConsumerParts {
  kafka: Kafka
  log: Logger
  sessionTimeoutMs: number
  health: ConsumerHealth
  /** Resolves once the log is connected, or the signal aborts. */
  untilConnected: (signal: AbortSignal) => Promise<void>
  /** Names the cluster; known once connected. */
  clusterId: () => string
}

/** Bytes of one fetch, and of what it has of one partition: a range costs a dozen statements, whatever it holds. */
export const MAX_FETCHED = 64 << 20
/** A client that has shown no sign of life for this many session timeouts is replaced. */
const SILENT_SESSIONS = 3

export function rangeModule(consumer: RangeConsumer, parts: ConsumerParts): Module {
  const { kafka, log, sessionTimeoutMs, health, untilConnected, clusterId } = parts
  return {
    name: `${consumer.group} of ${consumer.topic}`,
    run: async (signal) => {
      await untilConnected(signal)
      if (signal.aborted) return
      const admin = kafka.admin()
      await admin.connect()
      await consumeUntil(signal, consumer, parts, async () => {
        const client = kafka.consumer({
          groupId: consumer.group,
          sessionTimeout: sessionTimeoutMs,
          heartbeatInterval: sessionTimeoutMs / 10,
          rebalanceTimeout: sessionTimeoutMs,
          maxBytesPerPartition: MAX_FETCHED,
          maxBytes: MAX_FETCHED,
          maxWaitTimeInMs: 100,
          allowAutoTopicCreation: false,
          retry: NO_RESTART,
        })
        /** Counts assignments: a batch of an earlier one must neither insert nor commit. */
        let generation = 0
        client.on(client.events.GROUP_JOIN, () => generation++)
        const protocol = rangeProtocol(consumer, {
          now: Date.now,
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
          onRetry: (partition, error, attempt) => {
            health.standsStill(consumer.topic, partition, messageOf(error))
            log.warn(
              { topic: consumer.topic, partition, error: messageOf(error), attempt },
              'range not stored, trying again',
            )
          },
          onStored: (partition) => health.goesOn(consumer.topic, partition),
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

export function hintModule(consumer: HintConsumer, parts: ConsumerParts): Ownership {
  const { kafka, sessionTimeoutMs, untilConnected } = parts
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
        await consumeUntil(signal, consumer, parts, async () => {
          const client = kafka.consumer({
            groupId: consumer.group,
            sessionTimeout: sessionTimeoutMs,
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
 * Runs a consumer until the signal. After a crash a new one is made, since a restarted one may hang; so is one that has
 * shown no sign of life for long, whatever keeps it. A crash that no new attempt can mend (an unknown codec, say) rejects,
 * and ends the process instead of going silent.
 */
async function consumeUntil(
  signal: AbortSignal,
  { group, topic }: { group: string; topic: string },
  { log, health, sessionTimeoutMs }: ConsumerParts,
  make: () => Promise<{ client: Consumer; begin: () => Promise<void> }>,
) {
  const name = `${group} of ${topic}`
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  health.begins(name)
  for (let attempt = 0; !signal.aborted; attempt++) {
    const { client, begin } = await make()
    const crashed = new Promise<never>((_, reject) => {
      client.on(client.events.CRASH, ({ payload }) => reject(payload.error))
    })
    crashed.catch(() => {})
    const watch = watched(client, name, health, SILENT_SESSIONS * sessionTimeoutMs)
    const begun = Date.now()
    try {
      await Promise.race([
        aborted,
        crashed,
        watch.silent,
        client
          .connect()
          .then(begin)
          .then(() => aborted),
      ])
    } catch (error) {
      if (!isPassing(error)) throw error
      if (Date.now() - begun > STEADY_MS) attempt = 0
      log.warn(
        { consumer: name, error: messageOf(error), attempt },
        'kafka consumer ended, trying again',
      )
      await sleep(backoffMs(attempt), signal)
    } finally {
      watch.end()
      // A crashed client may never say that it has gone.
      await Promise.race([client.disconnect().catch(() => {}), sleep(DISCONNECT_MS)])
    }
  }
  health.ends(name)
}

/**
 * Rejects `silent` once the client has neither joined its group, nor fetched, nor sent a heartbeat for `patienceMs`. A
 * batch that is being stored sends heartbeats of its own, so one that only waits for a store is silent too: it has lost its
 * place in the group by then, and its range comes again.
 */
function watched(client: Consumer, name: string, health: ConsumerHealth, patienceMs: number) {
  let alive = Date.now()
  const { GROUP_JOIN, HEARTBEAT, FETCH } = client.events
  for (const event of [GROUP_JOIN, HEARTBEAT, FETCH]) {
    client.on(event as typeof FETCH, () => {
      alive = Date.now()
      // A fetch may go on for a while after the group has let the member go.
      if (event !== FETCH) health.isMember(name)
    })
  }
  let timer: NodeJS.Timeout | undefined
  const silent = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (Date.now() - alive > patienceMs)
        reject(new Error(`no sign of life for ${Math.round(patienceMs / 1000)} s`))
    }, 1000)
  })
  silent.catch(() => {})
  return { silent, end: () => clearInterval(timer) }
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
