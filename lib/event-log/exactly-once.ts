/**
 * Exactly-once from a partition into a sink, with no store but the partition's own committed offset
 * and its metadata.
 *
 * For each range: 1. *intent*: commit its first offset with metadata that names the range; 2. store
 * it under that identity; 3. commit the offset after it. Killed before 1: nothing happened. Between
 * 1 and 3: whoever takes the partition over finds the pending range, reads exactly those messages
 * again and stores them under the same identity, which the sink recognises. A process that lost the
 * partition is refused at 1 or 3 by the broker; what it still stores carries the same identity.
 *
 * Metadata: `v1;e=<log epoch>` and, while a range is pending, `;p=<first>-<last>;m=<mapping>;a=<ms
 * of its arrival>`: a retry stores the same rows, whenever it comes.
 */
import { backoffMs, sleep } from '../runtime/clock.ts'
import type { LoggedMessage, OffsetRange, RangeConsumer } from './port.ts'

/** What the protocol needs of one assigned partition while a batch of it is handled. */
export interface PartitionPort {
  partition: string
  /** The assignment this batch was fetched under. */
  generation: number
  /** The offset after the newest message of the partition. */
  highWatermark: bigint
  /** False once the partition may belong to somebody else. */
  isOwned: () => boolean
  heartbeat: () => Promise<void>
  /** Fetching goes on after this offset. */
  resolve: (offset: string) => void
  /** Resolves only when the broker has the commit. */
  commit: (offset: bigint, metadata: string) => Promise<void>
}

/** What the protocol needs of the log as a whole, and whom it reports to. */
export interface ProtocolOptions {
  now: () => number
  /** Names the log itself, such as the Kafka cluster's id. */
  logName: string
  /** The group's committed offset; -1 when there is none. */
  committed: (partition: string) => Promise<{ offset: bigint; metadata: string }>
  /** The oldest offset the log still has. */
  oldest: (partition: string) => Promise<bigint>
  /** Messages that retention has taken before they were stored. */
  onLost: (partition: string, messages: number) => void
  /** A range could not be stored, and is tried again. */
  onRetry: (partition: string, error: unknown, attempt: number) => void
  onStored?: (partition: string) => void
}

interface Pending {
  first: bigint
  last: bigint
  mapping: string
  /** When it was read first; undefined where an older release began it. */
  arrivedMs?: number | undefined
}

interface PartitionState {
  generation: number
  logEpoch: string
  pending: Pending | undefined
  /** A range was stored under this assignment. */
  continues: boolean
  /** Messages of the pending range that have come so far. */
  gathered: LoggedMessage[]
}

const NO_COMMIT = -1n

/**
 * One consumer's protocol: what it stores into, how it asks the log, and what it knows of its
 * partitions.
 */
interface Protocol {
  consumer: RangeConsumer
  options: ProtocolOptions
  states: Map<string, PartitionState>
}

/**
 * Makes the handler of fetched messages of one consumer; a partition is taken over at its first
 * batch under an assignment.
 *
 * The handler resolves when the batch is stored and committed, or when the partition was lost. It
 * rejects with what the broker answers to a commit or a heartbeat; what the sink throws is tried
 * again until it stores.
 */
export function rangeProtocol(consumer: RangeConsumer, options: ProtocolOptions) {
  const protocol: Protocol = { consumer, options, states: new Map() }
  return (messages: readonly LoggedMessage[], port: PartitionPort): Promise<void> =>
    handle(protocol, port, messages)
}

async function handle(
  protocol: Protocol,
  port: PartitionPort,
  messages: readonly LoggedMessage[],
): Promise<void> {
  const { consumer, options } = protocol
  const state = await stateOf(protocol, port)
  const fresh = state.pending
    ? await completePending(protocol, state, { port, pending: state.pending, messages })
    : messages
  const first = fresh?.[0]
  const last = fresh?.at(-1)
  if (!fresh || !first || !last || !port.isOwned()) return
  const range = {
    first: BigInt(first.offset),
    last: BigInt(last.offset),
    mapping: consumer.mapping,
    arrivedMs: options.now(),
  }
  await port.commit(range.first, metadataOf(state.logEpoch, range))
  await storeRange(protocol, state, { port, range, messages: fresh, replayed: false })
}

/**
 * What is known of the partition under its present assignment; the first batch of one takes it
 * over.
 */
async function stateOf(protocol: Protocol, port: PartitionPort): Promise<PartitionState> {
  const known = protocol.states.get(port.partition)
  if (known?.generation === port.generation) return known
  const state = await takeOver(protocol, port)
  protocol.states.set(port.partition, state)
  return state
}

/**
 * Gathers the messages of the pending range, and stores them once all have come.
 *
 * @returns the messages after the range; undefined while it is not stored
 */
async function completePending(
  protocol: Protocol,
  state: PartitionState,
  batch: { port: PartitionPort; pending: Pending; messages: readonly LoggedMessage[] },
): Promise<readonly LoggedMessage[] | undefined> {
  const { port, pending, messages } = batch
  for (const message of messages) {
    if (message.offset >= Number(pending.first) && message.offset <= Number(pending.last))
      state.gathered.push(message)
  }
  const newest = messages.at(-1)
  if (!newest) return undefined
  if (newest.offset < Number(pending.last)) {
    port.resolve(String(newest.offset))
    return undefined
  }
  const whole = { port, range: pending, messages: state.gathered, replayed: true }
  if (!(await storeRange(protocol, state, whole))) return undefined
  state.pending = undefined
  state.gathered = []
  return messages.filter((m) => m.offset > Number(pending.last))
}

/** A range with its messages, on its way into the sink. */
interface RangeInHand {
  port: PartitionPort
  range: Pending
  messages: readonly LoggedMessage[]
  replayed: boolean
}

/** @returns false when the partition was lost meanwhile: its new owner finds the intent */
async function storeRange(
  protocol: Protocol,
  state: PartitionState,
  { port, range, messages, replayed }: RangeInHand,
): Promise<boolean> {
  const { consumer, options } = protocol
  const logged: OffsetRange = {
    logEpoch: state.logEpoch,
    topic: consumer.topic,
    partition: port.partition,
    first: String(range.first),
    last: String(range.last),
    mapping: range.mapping,
    arrivedMs: range.arrivedMs,
    messages,
    continues: state.continues,
    replayed,
  }
  if (messages.length > 0) {
    if (!(await storeUntilStored(protocol, port, logged))) return false
    state.continues = true
  }
  if (!port.isOwned()) return false
  await port.heartbeat()
  await port.commit(range.last + 1n, metadataOf(state.logEpoch))
  port.resolve(String(range.last))
  options.onStored?.(port.partition)
  consumer.committed?.(logged)
  consumer.lag?.(port.partition, Number(port.highWatermark - range.last - 1n))
  return true
}

/** Tries until the sink has the range. @returns false when the partition was lost meanwhile */
async function storeUntilStored(
  { consumer, options }: Protocol,
  port: PartitionPort,
  logged: OffsetRange,
): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    if (!port.isOwned()) return false
    // What the broker answers is for the client: a member that was let go must leave this batch to
    // join again.
    await port.heartbeat()
    try {
      await consumer.store({ ...logged, replayed: logged.replayed || attempt > 0 })
      return true
    } catch (error) {
      options.onRetry(port.partition, error, attempt)
      await sleep(backoffMs(attempt, 200, 5000))
    }
  }
}

/**
 * Goes on where the committed offset says, in its log epoch; where it says nothing of ours, in a
 * new one.
 */
async function takeOver(protocol: Protocol, port: PartitionPort): Promise<PartitionState> {
  const { options } = protocol
  const { offset, metadata } = await options.committed(port.partition)
  const known = parseMetadata(metadata)
  const isOurs = known && offset >= 0n && offset <= port.highWatermark
  if (!isOurs) return stateAt(port, await newEpoch(protocol, port, offset))
  const oldest = await options.oldest(port.partition)
  if (oldest > offset) options.onLost(port.partition, Number(oldest - offset))
  // A pending range whose messages are gone cannot be completed any more.
  const pending = known.pending && oldest > known.pending.first ? undefined : known.pending
  return stateAt(port, known.logEpoch, pending)
}

const stateAt = (port: PartitionPort, logEpoch: string, pending?: Pending): PartitionState => ({
  generation: port.generation,
  logEpoch,
  pending,
  continues: false,
  gathered: [],
})

/** The log epoch of a partition whose committed offset, -1 for none, has no metadata of ours. */
async function newEpoch(
  { consumer, options }: Protocol,
  port: PartitionPort,
  offset: bigint,
): Promise<string> {
  const stored = await consumer.lastStored(options.logName, consumer.topic, port.partition)
  // kafkajs commits -2, the oldest, in place of an offset that retention has passed; an operator
  // may have moved it too.
  const from = offset >= 0n ? offset : await options.oldest(port.partition)
  const moved = offset !== NO_COMMIT && stored.epoch > 0 && from >= BigInt(stored.next)
  if (moved && from > BigInt(stored.next))
    options.onLost(port.partition, Number(from) - stored.next)
  // Otherwise it is a new group, or a topic that was made anew: offsets start over, so rows and
  // tokens get a new epoch.
  const epoch = moved ? stored.epoch : stored.epoch + 1
  return `${options.logName}.${epoch}`
}

/** The metadata of a committed offset, with the pending range where there is one. */
export function metadataOf(logEpoch: string, pending?: Pending): string {
  if (!pending) return `v1;e=${logEpoch}`
  const { first, last, mapping, arrivedMs } = pending
  const arrival = arrivedMs === undefined ? '' : `;a=${arrivedMs}`
  return `v1;e=${logEpoch};p=${first}-${last};m=${mapping}${arrival}`
}

/** Reads the metadata of a committed offset. @returns undefined for metadata that is not ours */
export function parseMetadata(
  text: string,
): { logEpoch: string; pending: Pending | undefined } | undefined {
  const match = /^v1;e=([^;]+)(?:;p=(\d+)-(\d+);m=([^;]+)(?:;a=(\d+))?)?$/.exec(text)
  if (!match) return undefined
  const [, logEpoch, first, last, mapping, arrived] = match
  return {
    logEpoch: logEpoch!,
    pending:
      first && last && mapping
        ? {
            first: BigInt(first),
            last: BigInt(last),
            mapping,
            arrivedMs: arrived === undefined ? undefined : Number(arrived),
          }
        : undefined,
  }
}
