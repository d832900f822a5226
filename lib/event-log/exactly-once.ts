/**
 * Exactly-once from a partition into a sink, with no store but the partition's own committed offset and its metadata.
 *
 * For each range: 1. *intent*: commit its first offset with metadata that names the range; 2. store it under that
 * identity; 3. commit the offset after it. Killed before 1: nothing happened. Between 1 and 3: whoever takes the
 * partition over finds the pending range, reads exactly those messages again and stores them under the same identity, which the
 * sink recognises. A process that lost the partition is refused at 1 or 3 by the broker; what it still stores carries the
 * same identity.
 *
 * Metadata: `v1;e=<log epoch>` and, while a range is pending, `;p=<first>-<last>;m=<mapping>;a=<ms of its arrival>`: a retry
 * stores the same rows, whenever it comes.
 */
import { backoffMs, sleep } from '../runtime/clock.ts'
import type { LoggedMessage, RangeConsumer } from './port.ts'

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

export function rangeProtocol(consumer: RangeConsumer, options: ProtocolOptions) {
  const states = new Map<string, PartitionState>()

  return async (messages: readonly LoggedMessage[], port: PartitionPort): Promise<void> => {
    let state = states.get(port.partition)
    if (state?.generation !== port.generation) {
      state = await takeOver(port)
      states.set(port.partition, state)
    }
    let fresh = messages
    if (state.pending) {
      const { pending } = state
      for (const message of messages) {
        if (message.offset >= Number(pending.first) && message.offset <= Number(pending.last))
          state.gathered.push(message)
      }
      const newest = messages.at(-1)
      if (!newest) return
      if (newest.offset < Number(pending.last)) return port.resolve(String(newest.offset))
      if (!(await storeRange(state, port, pending, state.gathered, true))) return
      fresh = messages.filter((m) => m.offset > Number(pending.last))
      state.pending = undefined
      state.gathered = []
    }
    const [first] = fresh
    const last = fresh.at(-1)
    if (!first || !last || !port.isOwned()) return
    const range = {
      first: BigInt(first.offset),
      last: BigInt(last.offset),
      mapping: consumer.mapping,
      arrivedMs: options.now(),
    }
    await port.commit(range.first, metadataOf(state.logEpoch, range))
    await storeRange(state, port, range, fresh, false)
  }

  /** @returns false when the partition was lost meanwhile: its new owner finds the intent */
  async function storeRange(
    state: PartitionState,
    port: PartitionPort,
    range: Pending,
    messages: readonly LoggedMessage[],
    replayed: boolean,
  ) {
    const logged = {
      logEpoch: state.logEpoch,
      topic: consumer.topic,
      partition: port.partition,
      first: String(range.first),
      last: String(range.last),
      mapping: range.mapping,
      arrivedMs: range.arrivedMs,
      messages,
      continues: state.continues,
    }
    if (messages.length > 0) {
      for (let attempt = 0; ; attempt++) {
        if (!port.isOwned()) return false
        // What the broker answers is for the client: a member that was let go must leave this batch to join again.
        await port.heartbeat()
        try {
          await consumer.store({ ...logged, replayed: replayed || attempt > 0 })
          state.continues = true
          break
        } catch (error) {
          options.onRetry(port.partition, error, attempt)
          await sleep(backoffMs(attempt, 200, 5000))
        }
      }
    }
    if (!port.isOwned()) return false
    await port.heartbeat()
    await port.commit(range.last + 1n, metadataOf(state.logEpoch))
    port.resolve(String(range.last))
    options.onStored?.(port.partition)
    consumer.committed?.({ ...logged, replayed })
    consumer.lag?.(port.partition, Number(port.highWatermark - range.last - 1n))
    return true
  }

  async function takeOver(port: PartitionPort): Promise<PartitionState> {
    const { offset, metadata } = await options.committed(port.partition)
    const known = parseMetadata(metadata)
    const continues = known && offset >= 0n && offset <= port.highWatermark
    if (continues) {
      const oldest = await options.oldest(port.partition)
      if (oldest > offset) options.onLost(port.partition, Number(oldest - offset))
      return {
        generation: port.generation,
        logEpoch: known.logEpoch,
        // A pending range whose messages are gone cannot be completed any more.
        pending: known.pending && oldest > known.pending.first ? undefined : known.pending,
        continues: false,
        gathered: [],
      }
    }
    const stored = await consumer.lastStored(options.logName, consumer.topic, port.partition)
    // kafkajs commits -2, the oldest, in place of an offset that retention has passed; an operator may have moved it too.
    const from = offset >= 0n ? offset : await options.oldest(port.partition)
    const moved = offset !== NO_COMMIT && stored.epoch > 0 && from >= BigInt(stored.next)
    if (moved && from > BigInt(stored.next))
      options.onLost(port.partition, Number(from) - stored.next)
    // Otherwise it is a new group, or a topic that was made anew: offsets start over, so rows and tokens get a new epoch.
    const epoch = moved ? stored.epoch : stored.epoch + 1
    return {
      generation: port.generation,
      logEpoch: `${options.logName}.${epoch}`,
      pending: undefined,
      continues: false,
      gathered: [],
    }
  }
}

export function metadataOf(logEpoch: string, pending?: Pending): string {
  if (!pending) return `v1;e=${logEpoch}`
  const { first, last, mapping, arrivedMs } = pending
  const arrival = arrivedMs === undefined ? '' : `;a=${arrivedMs}`
  return `v1;e=${logEpoch};p=${first}-${last};m=${mapping}${arrival}`
}

/** @returns undefined for metadata that is not ours */
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
