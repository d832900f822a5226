/**
 * The log for a process that has no Kafka. Nothing is kept: `append` resolves once every consumer of the topic has
 * stored the messages, so that accepted still means stored, and a message is lost only with an unanswered request.
 */
import { randomUUID } from 'node:crypto'
import type {
  EventLog,
  LoggedMessage,
  LoggedRange,
  OutgoingMessage,
  RangeConsumer,
} from './port.ts'
import type { Journal, LeftRange } from './journal.ts'
import { messageOf, Problem } from '../runtime/errors.ts'
import { backoffMs, sleep } from '../runtime/clock.ts'
import { isStoreFault } from '../runtime/store-faults.ts'

/** Appends that come while a batch is being stored form the next one; none waits longer than this for company. */
const GROUP_COMMIT_MS = 3
const GROUP_COMMIT_MESSAGES = 5000
/** A batch holds its largest request or this much: more would make a kill cost more to recover from. */
const GROUP_COMMIT_BYTES = 16 << 20
/** Attempts to store a batch before its appenders, and those behind them, are told that it cannot be stored now. */
const ATTEMPTS = 5
/** Attempts after which a batch is set aside, where the store itself is not at fault. */
const MAX_ATTEMPTS = 10
const MAX_QUEUED_BYTES = 64 << 20
/** What a message takes in memory besides its bytes. */
const MESSAGE_BYTES = 200

export interface MemoryLogOptions {
  now: () => number
  /** Where the range in hand is kept; without one, a killed process may leave a range half stored. */
  journal?: Journal
  onError: (what: string, error: string) => void
  /** Messages of a topic were given up: they could not be stored, though the store answers. Where they lie, if anywhere. */
  onSetAside?: (topic: string, messages: number, path: string | undefined) => void
  /** Bytes that may wait to be stored; 64 MiB unless said otherwise. Beyond them appends are refused with 503. */
  maxQueuedBytes?: number
  /** Milliseconds between two attempts to store, by the number of those made; doubling from 400 up to 10 s unless said otherwise. */
  pauseMs?: (attempts: number) => number
}

export function memoryLog(options: MemoryLogOptions): EventLog {
  const logEpoch = `memory-${randomUUID()}`
  const rangeConsumers = new Map<string, ReturnType<typeof partitionOf>[]>()
  const hintConsumers = new Map<string, ((message: OutgoingMessage) => Promise<void>)[]>()
  const register = <T>(map: Map<string, T[]>, topic: string, consumer: T) => {
    map.set(topic, [...(map.get(topic) ?? []), consumer])
  }
  return {
    kind: 'memory',
    append: async (topic, messages) => {
      await Promise.all(
        (rangeConsumers.get(topic) ?? []).map((partition) => partition.append(messages)),
      )
      for (const consumer of hintConsumers.get(topic) ?? []) {
        for (const message of messages) await consumer(message)
      }
    },
    ranges: (consumer) => {
      const partition = partitionOf(consumer, logEpoch, options)
      register(rangeConsumers, consumer.topic, partition)
      return { name: `${consumer.group} of ${consumer.topic}`, stop: () => partition.drain() }
    },
    hints: (consumer) => {
      register(hintConsumers, consumer.topic, ({ key, value }) =>
        consumer.onMessage({ key, value: value.toString() }),
      )
      return { owns: () => true, module: { name: `${consumer.group} of ${consumer.topic}` } }
    },
    check: async () => {},
    module: {
      name: 'log in process',
      // What an earlier process was storing when it was killed, before anything new.
      start: async () => {
        const left = options.journal?.left() ?? []
        for (const [topic, partitions] of rangeConsumers) {
          const own = left.filter(({ range }) => range.topic === topic)
          for (const partition of partitions) await partition.recover(own)
        }
      },
    },
  }
}

interface Waiting {
  messages: readonly OutgoingMessage[]
  bytes: number
  resolve: () => void
  reject: (error: Error) => void
}

const unavailable = () =>
  new Problem(503, 'log_unavailable', 'the events cannot be stored now', { 'retry-after': '2' })
const overloaded = () =>
  new Problem(503, 'overloaded', 'too many events are waiting to be stored', { 'retry-after': '2' })

const bytesOf = (messages: readonly OutgoingMessage[]) => {
  let bytes = 0
  for (const { key, value } of messages) bytes += key.length + value.length + MESSAGE_BYTES
  return bytes
}

/** How a range ended: stored, given up, or left to the process that comes next. */
type Outcome = 'stored' | 'set aside' | 'stopped'

/** One consumer's partition: appends gather while the batch before them is stored. */
function partitionOf(consumer: RangeConsumer, logEpoch: string, options: MemoryLogOptions) {
  const { maxQueuedBytes = MAX_QUEUED_BYTES, pauseMs = backoffMs } = options
  let queue: Waiting[] = []
  let queuedBytes = 0
  let nextOffset = 0
  let continues = false
  let storing: Promise<void> | undefined
  /** The range in hand cannot be stored now: it is tried on, since part of it may be stored already. */
  let isStuck = false
  let stopping = false
  const rejectAll = (waiting: readonly Waiting[]) => {
    for (const one of waiting) one.reject(unavailable())
  }

  async function storeQueue() {
    await sleep(GROUP_COMMIT_MS)
    while (queue.length > 0) {
      if (isStuck) break
      await storeBatch(nextBatch())
    }
    storing = undefined
  }

  function nextBatch(): Waiting[] {
    const batch: Waiting[] = []
    let count = 0
    let bytes = 0
    for (;;) {
      const next = queue[0]
      if (!next) return batch
      count += next.messages.length
      bytes += next.bytes
      const isFull = count > GROUP_COMMIT_MESSAGES || bytes > GROUP_COMMIT_BYTES
      if (isFull && batch.length > 0) return batch
      batch.push(queue.shift()!)
    }
  }

  async function storeBatch(batch: readonly Waiting[]) {
    const range = rangeOf(batch)
    let forget: (() => Promise<void>) | undefined
    let isTold = false
    const outcome = await storeUntil(
      async (attempt) => {
        forget ??= await options.journal?.keep(range)
        await consumer.store({ ...range, replayed: attempt > 1 })
      },
      () => {
        isTold = true
        rejectAll([...batch, ...queue.splice(0)])
      },
    )
    queuedBytes = queue.reduce((sum, { bytes }) => sum + bytes, 0)
    // Its appenders were told that it was not stored, and send it again.
    if (outcome !== 'stopped') await forget?.().catch(() => {})
    continues = outcome === 'stored'
    if (outcome === 'set aside')
      options.onSetAside?.(consumer.topic, range.messages.length, undefined)
    if (outcome !== 'stored') {
      if (!isTold) rejectAll(batch)
      return
    }
    for (const waiting of batch) waiting.resolve()
    consumer.committed?.(range)
  }

  /** Stores a range, however often it takes. */
  async function storeUntil(
    store: (attempt: number) => Promise<void>,
    onStuck: () => void,
  ): Promise<Outcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        await store(attempt)
        isStuck = false
        return 'stored'
      } catch (error) {
        options.onError(`store of ${consumer.topic}`, messageOf(error))
        if (attempt >= ATTEMPTS) {
          isStuck = true
          onStuck()
          // The journal has it for the process that comes next.
          if (stopping) return 'stopped'
        }
        if (attempt >= MAX_ATTEMPTS && !isStoreFault(error)) {
          isStuck = false
          return 'set aside'
        }
        await sleep(pauseMs(attempt))
      }
    }
  }

  function rangeOf(batch: readonly Waiting[]): LoggedRange {
    const timestampMs = options.now()
    const messages: LoggedMessage[] = batch
      .flatMap((waiting) => waiting.messages)
      .map((message) => ({
        offset: nextOffset++,
        timestampMs,
        key: Buffer.from(message.key),
        value: Buffer.isBuffer(message.value) ? message.value : Buffer.from(message.value),
        ...(message.headers && { headers: message.headers }),
      }))
    return {
      logEpoch,
      topic: consumer.topic,
      partition: '0',
      first: String(messages[0]!.offset),
      last: String(messages.at(-1)!.offset),
      mapping: consumer.mapping,
      replayed: false,
      continues,
      messages,
    }
  }

  /** Stores what an earlier process left; what cannot be stored keeps its file, and nothing waits for it. */
  async function recoverAll(left: readonly LeftRange[], started: () => void) {
    for (const { range, forget, setAside } of left) {
      const outcome = await storeUntil(
        () => consumer.store({ ...range, replayed: true, continues: false }),
        started,
      )
      if (outcome === 'stored') forget()
      if (outcome === 'set aside')
        options.onSetAside?.(consumer.topic, range.messages.length, setAside())
      if (outcome === 'stopped') return
    }
  }

  return {
    append: (messages: readonly OutgoingMessage[]) =>
      new Promise<void>((resolve, reject) => {
        if (messages.length === 0) return resolve()
        if (isStuck) return reject(unavailable())
        const bytes = bytesOf(messages)
        // A request that alone is larger is taken when nothing else waits: its own limit is the endpoint's.
        if (queuedBytes > 0 && queuedBytes + bytes > maxQueuedBytes) return reject(overloaded())
        queuedBytes += bytes
        queue.push({ messages, bytes, resolve, reject })
        storing ??= storeQueue()
      }),
    /** Resolves when all of it is stored, or when it has to wait: then appends are refused until it is. */
    recover: (left: readonly LeftRange[]) =>
      new Promise<void>((started) => {
        if (left.length === 0) return started()
        storing = recoverAll(left, started).then(() => {
          storing = undefined
          started()
          if (queue.length > 0) storing = storeQueue()
        })
      }),
    drain: async () => {
      stopping = true
      await storing
    },
  }
}
