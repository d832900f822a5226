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
} from './event-log.ts'
import type { Journal } from './journal.ts'
import { messageOf, Problem } from './errors.ts'
import { backoffMs, sleep } from './clock.ts'

/** Appends that come while a batch is being stored form the next one; none waits longer than this for company. */
const GROUP_COMMIT_MS = 3
const GROUP_COMMIT_MESSAGES = 5000
/** Attempts to store a batch before its appenders, and those behind them, are told that it cannot be stored now. */
const ATTEMPTS = 5

export interface MemoryLogOptions {
  now: () => number
  /** Where the range in hand is kept; without one, a killed process may leave a range half stored. */
  journal?: Journal
  onError: (what: string, error: string) => void
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
        for (const { range, forget } of options.journal?.left() ?? []) {
          for (const partition of rangeConsumers.get(range.topic) ?? [])
            await partition.replay({ ...range, replayed: true, continues: false })
          forget()
        }
      },
    },
  }
}

interface Waiting {
  messages: readonly OutgoingMessage[]
  resolve: () => void
  reject: (error: Error) => void
}

/** One consumer's partition: appends gather while the batch before them is stored. */
function partitionOf(consumer: RangeConsumer, logEpoch: string, options: MemoryLogOptions) {
  let queue: Waiting[] = []
  let nextOffset = 0
  let continues = false
  let storing: Promise<void> | undefined
  /** Why the range in hand cannot be stored; it is tried on, since part of it may be stored already. */
  let stuck: Error | undefined
  let stopping = false

  async function storeQueue() {
    await sleep(GROUP_COMMIT_MS)
    while (queue.length > 0 && !stuck) {
      const batch: Waiting[] = []
      let count = 0
      while (
        queue.length > 0 &&
        (count === 0 || count + queue[0]!.messages.length <= GROUP_COMMIT_MESSAGES)
      ) {
        const next = queue.shift()!
        batch.push(next)
        count += next.messages.length
      }
      await storeBatch(batch)
    }
    storing = undefined
  }

  async function storeBatch(batch: readonly Waiting[]) {
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
    const range = {
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
    let forget: (() => Promise<void>) | undefined
    for (let attempt = 1; ; attempt++) {
      try {
        forget ??= await options.journal?.keep(range)
        await consumer.store({ ...range, replayed: attempt > 1 })
        await forget?.()
        continues = true
        stuck = undefined
        for (const waiting of batch) waiting.resolve()
        consumer.committed?.(range)
        return
      } catch (error) {
        options.onError(`store of ${consumer.topic}`, messageOf(error))
        if (attempt >= ATTEMPTS) {
          stuck = new Problem(503, 'log_unavailable', 'the events cannot be stored now', {
            'retry-after': '2',
          })
          for (const waiting of [...batch, ...queue.splice(0)]) waiting.reject(stuck)
          // The journal has it for the process that comes next.
          if (stopping) return
        }
        await sleep(backoffMs(attempt))
      }
    }
  }

  return {
    append: (messages: readonly OutgoingMessage[]) =>
      new Promise<void>((resolve, reject) => {
        if (messages.length === 0) return resolve()
        if (stuck) return reject(stuck)
        queue.push({ messages, resolve, reject })
        storing ??= storeQueue()
      }),
    replay: (range: LoggedRange) => consumer.store(range),
    drain: async () => {
      stopping = true
      await storing
    },
  }
}
