/**
 * One consumer's partition of the log in process: appends gather while the batch before them is
 * stored.
 */
import type { Journal, LeftRange } from './journal.ts'
import type { LoggedMessage, OffsetRange, OutgoingMessage, RangeConsumer } from './port.ts'
import { messageOf, Problem } from '../runtime/errors.ts'
import { backoffMs, sleep } from '../runtime/clock.ts'
import { isStoreFault } from '../runtime/store-faults.ts'

/**
 * Appends that come while a batch is being stored form the next one; none waits longer than this
 * for company.
 */
const GROUP_COMMIT_MS = 3
const GROUP_COMMIT_MESSAGES = 25_000
/** A batch holds its largest request or this much, so that a kill costs little to recover from. */
const GROUP_COMMIT_BYTES = 16 << 20
/**
 * Attempts to store a batch before its appenders, and those behind them, get the answer that it
 * cannot be stored now.
 */
const ATTEMPTS = 5
/** Attempts after which a batch is set aside, where the store itself is not at fault. */
const MAX_ATTEMPTS = 10
const MAX_QUEUED_BYTES = 64 << 20
/** What a message takes in memory besides its bytes. */
const MESSAGE_BYTES = 200

/** What the log in process is made of, and whom it reports to what it cannot store. */
export interface MemoryLogOptions {
  now: () => number
  /** Keeps the range in hand; without one, a killed process may leave a range half stored. */
  journal?: Journal
  onError: (what: string, error: string) => void
  /**
   * Messages of a topic were given up: they could not be stored, though the store answers. Where
   * they lie, if anywhere.
   */
  onSetAside?: (topic: string, messages: number, path: string | undefined) => void
  /**
   * Bytes that may wait to be stored; 64 MiB unless said otherwise. Beyond them appends are refused
   * with 503.
   */
  maxQueuedBytes?: number
  /**
   * Milliseconds between two attempts to store, by the number of those made; doubling from 400 up
   * to 10 s unless said otherwise.
   */
  pauseMs?: (attempts: number) => number
}

/** One append, until its messages are stored. */
interface Waiting {
  messages: readonly OutgoingMessage[]
  bytes: number
  resolve: () => void
  reject: (error: Error) => void
}

/** A consumer's partition and what waits to be stored in it. */
export interface MemoryPartition {
  readonly consumer: RangeConsumer
  readonly logEpoch: string
  readonly options: MemoryLogOptions
  queue: Waiting[]
  queuedBytes: number
  nextOffset: number
  /** The range before was stored by this process too. */
  continues: boolean
  /** The work in hand; undefined while nothing is stored. */
  storing: Promise<void> | undefined
  /**
   * The range in hand cannot be stored now: it is tried on, since part of it may be stored already.
   */
  isStuck: boolean
  stopping: boolean
}

/** How a range ended: stored, given up, or left to the process that comes next. */
type Outcome = 'stored' | 'set aside' | 'stopped'

/** An empty partition; it stores nothing by itself. */
export function memoryPartition(
  consumer: RangeConsumer,
  logEpoch: string,
  options: MemoryLogOptions,
): MemoryPartition {
  return {
    consumer,
    logEpoch,
    options,
    queue: [],
    queuedBytes: 0,
    nextOffset: 0,
    continues: false,
    storing: undefined,
    isStuck: false,
    stopping: false,
  }
}

/**
 * Resolves when the messages are stored.
 *
 * @throws {Problem} 503 `log_unavailable` while a range cannot be stored, 503 `overloaded` while
 *   too much waits
 */
export function appendTo(
  partition: MemoryPartition,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (messages.length === 0) return resolve()
    if (partition.isStuck) return reject(unavailable())
    const { queuedBytes, options } = partition
    const { maxQueuedBytes = MAX_QUEUED_BYTES } = options
    const bytes = bytesOf(messages)
    // A request that alone is larger is taken when nothing else waits: its own limit is the
    // endpoint's.
    if (queuedBytes > 0 && queuedBytes + bytes > maxQueuedBytes) return reject(overloaded())
    partition.queuedBytes += bytes
    partition.queue.push({ messages, bytes, resolve, reject })
    partition.storing ??= storeQueue(partition)
  })
}

/**
 * Stores what an earlier process left. Resolves when all of it is stored, or when it has to wait:
 * then appends are refused until it is.
 */
export function recoverPartition(
  partition: MemoryPartition,
  left: readonly LeftRange[],
): Promise<void> {
  return new Promise<void>((started) => {
    if (left.length === 0) return started()
    partition.storing = recoverAll(partition, left, started).then(() => {
      partition.storing = undefined
      started()
      if (partition.queue.length > 0) partition.storing = storeQueue(partition)
    })
  })
}

/** Ends the partition: resolves when nothing is being stored any more. */
export async function drainPartition(partition: MemoryPartition): Promise<void> {
  partition.stopping = true
  await partition.storing
}

const unavailable = () =>
  new Problem(503, 'log_unavailable', 'the events cannot be stored now', { 'retry-after': '2' })
const overloaded = () =>
  new Problem(503, 'overloaded', 'too many events are waiting to be stored', { 'retry-after': '2' })

const rejectAll = (waiting: readonly Waiting[]) => {
  for (const one of waiting) one.reject(unavailable())
}

const bytesOf = (messages: readonly OutgoingMessage[]) => {
  let bytes = 0
  for (const { key, value } of messages) bytes += key.length + value.length + MESSAGE_BYTES
  return bytes
}

async function storeQueue(partition: MemoryPartition): Promise<void> {
  await sleep(GROUP_COMMIT_MS)
  while (partition.queue.length > 0) {
    if (partition.isStuck) break
    await storeBatch(partition, nextBatch(partition.queue))
  }
  partition.storing = undefined
}

/** Takes the next batch off the queue: whole appends, and one at least. */
function nextBatch(queue: Waiting[]): Waiting[] {
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

async function storeBatch(partition: MemoryPartition, batch: readonly Waiting[]): Promise<void> {
  const { consumer, options } = partition
  const range = rangeOf(partition, batch)
  let forget: (() => Promise<void>) | undefined
  let isTold = false
  const outcome = await storeUntil(
    partition,
    async (attempt) => {
      forget ??= await options.journal?.keep(range)
      await consumer.store({ ...range, replayed: attempt > 1 })
    },
    () => {
      isTold = true
      rejectAll([...batch, ...partition.queue.splice(0)])
    },
  )
  partition.queuedBytes = partition.queue.reduce((sum, { bytes }) => sum + bytes, 0)
  // Its appenders have the answer that it was not stored, and send it again.
  if (outcome !== 'stopped') await forget?.().catch(() => {})
  partition.continues = outcome === 'stored'
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
  partition: MemoryPartition,
  store: (attempt: number) => Promise<unknown>,
  onStuck: () => void,
): Promise<Outcome> {
  const { consumer, options } = partition
  const { pauseMs = backoffMs } = options
  for (let attempt = 1; ; attempt++) {
    try {
      await store(attempt)
      partition.isStuck = false
      return 'stored'
    } catch (error) {
      options.onError(`store of ${consumer.topic}`, messageOf(error))
      if (attempt >= ATTEMPTS) {
        partition.isStuck = true
        onStuck()
        // The journal has it for the process that comes next.
        if (partition.stopping) return 'stopped'
      }
      if (attempt >= MAX_ATTEMPTS && !isStoreFault(error)) {
        partition.isStuck = false
        return 'set aside'
      }
      await sleep(pauseMs(attempt))
    }
  }
}

/** The next offset range, which holds the messages of a batch. */
function rangeOf(partition: MemoryPartition, batch: readonly Waiting[]): OffsetRange {
  const { consumer, logEpoch, continues } = partition
  const timestampMs = partition.options.now()
  const messages: LoggedMessage[] = batch
    .flatMap((waiting) => waiting.messages)
    .map((message) => ({
      offset: partition.nextOffset++,
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

/**
 * Stores what an earlier process left; what cannot be stored keeps its file, and nothing waits for
 * it.
 */
async function recoverAll(
  partition: MemoryPartition,
  left: readonly LeftRange[],
  started: () => void,
): Promise<void> {
  const { consumer, options } = partition
  for (const { range, forget, setAside } of left) {
    const outcome = await storeUntil(
      partition,
      () => consumer.store({ ...range, replayed: true, continues: false }),
      started,
    )
    if (outcome === 'stored') forget()
    if (outcome === 'set aside')
      options.onSetAside?.(consumer.topic, range.messages.length, setAside())
    if (outcome === 'stopped') return
  }
}
