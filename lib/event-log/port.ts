/**
 * The port to the log that events travel through: Apache Kafka, or a log inside the process.
 *
 * Two ways to consume, on purpose no more: `ranges` hands raw bytes with offsets to a sink and is
 * exactly-once with it;
 * `wake-ups` hands over single messages, at least once, for consumers that re-read tables.
 */
import type { Module } from '../runtime/modules.ts'

/** A message before the log has it. */
export interface OutgoingMessage {
  /** Messages of one key keep their order. */
  key: string
  value: string | Buffer
  headers?: Record<string, string>
}

/** A message of the log, as raw bytes. */
export interface LoggedMessage {
  /** Below 2^53. */
  offset: number
  /** What the record says of its time, epoch milliseconds; {@link arrivalOf} is when it arrived. */
  timestampMs: number
  /**
   * Its time is the producer's word (`CreateTime`), and may be any: absent or false where the log's
   * own clock set it.
   */
  readonly isProducersTime?: boolean
  /** Empty when the producer gave none. */
  key: Buffer
  value: Buffer
  /** Absent when the message has none. */
  headers?: Record<string, string> | undefined
  /**
   * Stands for a batch of messages that no attempt can read: why, and how many they were; its value
   * is the batch as it came.
   */
  readonly unreadable?: { readonly text: string; readonly messages: number } | undefined
  /** Where the value lies, and the key, for readers that need no slice of their own. */
  readonly within?: Span
  readonly keyWithin?: Span
}

/** Bytes from one place to another, the second one excluded. */
export interface Span {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

/** The span of a whole buffer. */
export const spanOf = (bytes: Buffer): Span => ({ bytes, from: 0, to: bytes.length })

/** Consecutive messages of a partition, stored together or not at all. */
export interface OffsetRange {
  /** Distinguishes a topic from an earlier one of the same name. */
  logEpoch: string
  topic: string
  partition: string
  /** Offset of the first and the last message: the identity of the range. */
  first: string
  last: string
  /** Names the mapping with which the range was first attempted; a replay uses the same. */
  mapping: string
  /**
   * When the range was read first, epoch milliseconds, the same for every attempt; absent where an
   * older release began it and in the process' own log, which sets the time of its messages itself.
   */
  arrivedMs?: number | undefined
  /** It may have been stored before, wholly or in part. */
  replayed: boolean
  /**
   * The range before it was stored by this consumer, under the same assignment: nothing came in
   * between.
   */
  continues: boolean
  messages: readonly LoggedMessage[]
}

/**
 * When a message of a range arrived, epoch milliseconds: when its log took it, or, where the
 * producer set the record's time, when it was read.
 */
export const arrivalOf = (
  { arrivedMs }: Pick<OffsetRange, 'arrivedMs'>,
  { isProducersTime, timestampMs }: LoggedMessage,
): number => (isProducersTime ? (arrivedMs ?? timestampMs) : timestampMs)

/** How far a partition is stored. */
export interface Stored {
  /** The highest epoch counter with rows; 0 when there are none. */
  epoch: number
  /** The offset after the last one that is stored under it. */
  next: number
}

/** A consumer that stores raw bytes in ranges, each exactly once. */
export interface RangeConsumer {
  topic: string
  /**
   * The topic of the user's own that is read, by the cluster's whole name: `topic` is what its
   * ranges are stored under. It may not be there yet, and is then waited for.
   */
  from?: string | undefined
  /** Bytes of one fetch at most; the log's own bound unless said otherwise. */
  maxBytes?: number | undefined
  group: string
  /** The mapping of new ranges. */
  mapping: string
  /** Stores the range, or throws: then the same range comes again, here or in another process. */
  store: (range: OffsetRange) => Promise<unknown>
  /** How far this partition of this log is stored. */
  lastStored: (log: string, topic: string, partition: string) => Promise<Stored>
  /** After the range is committed. */
  committed?: (range: OffsetRange) => void
  lag?: (partition: string, messages: number) => void
  /** Messages that retention has taken before they were stored. */
  lost?: (partition: string, messages: number) => void
}

/** A consumer that is woken by single messages, at least once each. */
export interface WakeUpConsumer {
  topic: string
  group: string
  /** Must be quick and must not wait for what it causes: in process, the appender waits for it. */
  onMessage: (message: { key: string; value: string }) => Promise<void>
  /** What this process owns has changed: wake-ups may have been missed before. */
  assigned?: () => void
}

/**
 * A wake-up consumer also knows which keys are its own, so that processes share the keys among
 * them.
 */
export interface Ownership {
  owns: (key: string) => boolean
  module: Module
}

/** The log that events travel through, whichever it is. */
export interface EventLog {
  kind: 'kafka' | 'memory'
  /**
   * Resolves when the log has the messages durably: Kafka acknowledged them, or every consumer in
   * process stored them.
   */
  append: (topic: string, messages: readonly OutgoingMessage[]) => Promise<void>
  ranges: (consumer: RangeConsumer) => Module
  wakeUps: (consumer: WakeUpConsumer) => Ownership
  /**
   * How long its topics are kept, milliseconds, below 0 where not by time; absent where nothing is
   * kept beside the stores.
   */
  retention?: () => Promise<{ topic: string; retentionMs: number }[]>
  /** Rejects when the log cannot be reached. */
  check: () => Promise<void>
  /** A sentence for each consumer that waits for a topic that is not there. */
  waiting: () => readonly string[]
  /** Connects, creates missing topics; disconnects. */
  module: Module
}
