/**
 * Stores ranges of the log in ClickHouse, each exactly once with every count of it.
 *
 * The caller (an event log) has written its intent before and commits after; here is what lies
 * between:
 * 1. The mapping makes rows of the messages, for every table they touch. A range gives the same
 *    bytes every time.
 * 2. One INSERT per table, all under the range's token, `sink_ranges` last. Cut off anywhere, the
 *    same inserts again complete what is missing and skip what is there.
 * 3. The stored range is read back and must hold as many rows as the log had messages, wherever it
 *    was tried before or a network lies in between, which can answer for an insert that never came.
 * 4. Dead letters go to their topic; a failure here replays the range, hence at least once.
 *
 * A message that cannot be stored is set aside as a dead letter, and the rest of its range is
 * stored: what one sends stops nothing else. Only a fault of the store itself makes the whole range
 * wait.
 */
import type { ClickHouse } from '../clickhouse/port.ts'
import { arrivalOf, type EventLog, type OffsetRange, type Stored } from '../event-log/port.ts'
import { deadLetterMessage } from './dead-letters.ts'
import type { EventMapping, MappedRange } from './mapping.ts'
import type { EventsReader, MessageReader } from '../events/decode-message.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { createSeenIds, type SeenIds } from './dedupe-set.ts'
import { lastStored, readStoredRows, rememberedIds } from './queries.ts'
import type { Spool } from '../clickhouse/spool.ts'
import { storeTables, tokenOf } from './store-tables.ts'
import { TOPICS } from '../../schemas/topics.ts'

/** What every sink of a process shares. */
export interface SinkParts {
  reader: MessageReader
  spool: Spool
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  /** Ids remembered per partition. */
  duplicateHorizon: number
  now: () => number
  /**
   * Resolves once all that was stored before survives power loss; absent where surviving a killed
   * process is enough.
   */
  synced?: (() => Promise<void>) | undefined
}

/** A mapping, and what reads the messages that it maps. */
export interface MappedReading {
  mapping: EventMapping
  reader: EventsReader
}

/** A sink's own parts beside the shared ones. */
export interface SinkOptions extends Omit<SinkParts, 'reader'> {
  service: string
  reader: EventsReader
  /** Newest first; older ones drain ranges that an older release had begun. */
  mappings: readonly [EventMapping, ...EventMapping[]]
  /**
   * Finds what an earlier mapping began and `mappings` do not have; undefined where it is not known.
   */
  earlier?: ((version: string) => Promise<MappedReading | undefined>) | undefined
  clickhouse: ClickHouse
}

/** What an event log's range consumer calls. */
export interface Sink {
  /** The mapping of new ranges. */
  mapping: string
  /**
   * Stores a range and resolves with the models of its events, or rejects: then the same range must
   * come again.
   */
  store: (range: OffsetRange) => Promise<ReadonlySet<string>>
  /** Reads how far a partition of a log is stored. */
  lastStored: (log: string, topic: string, partition: string) => Promise<Stored>
}

/** A sink and what it remembers. */
interface SinkState extends SinkOptions {
  /** Ids of what was stored, by topic and partition, and the mapping that named them. */
  memories: Map<string, { seen: SeenIds; mapping: string }>
}

/**
 * Makes a sink that remembers nothing yet: it reads ids back at its first range of each partition.
 */
export function createSink(options: SinkOptions): Sink {
  const state: SinkState = { ...options, memories: new Map() }
  return {
    mapping: options.mappings[0].version,
    lastStored: (log, topic, partition) => lastStored(options.clickhouse, log, topic, partition),
    store: (range) => storeRange(state, range),
  }
}

async function storeRange(sink: SinkState, range: OffsetRange): Promise<ReadonlySet<string>> {
  const { mapping, reader } = await readingOf(sink, range)
  const begun = sink.now()
  const seen = await memoryOf(sink, range, mapping)
  await reader.prepare(range.messages)
  const mapped = await storeTables({ ...sink, reader }, { range, mapping, seen })
  // What is stored for the first time by the engine itself needs no second look.
  if (range.replayed || !sink.clickhouse.isEmbedded) await mustBeWhole(sink, range)
  await sink.synced?.()
  await publishDeadLetters(sink, range, mapped)
  seen.keep()
  count(sink, range, mapped, begun)
  return mapped.models
}

/** @throws where nothing has the mapping that began the range any more */
async function readingOf(
  { mappings, reader, earlier }: SinkState,
  range: OffsetRange,
): Promise<MappedReading> {
  const mapping = mappings.find((m) => m.version === range.mapping)
  if (mapping) return { mapping, reader }
  const found = await earlier?.(range.mapping)
  if (found) return found
  throw new Error(
    `range ${tokenOf(range)} was begun with mapping ${range.mapping}, which this release no longer has`,
  )
}

/**
 * What was stored before this range; read back when another process may have stored the range
 * before it.
 */
async function memoryOf(
  { memories, clickhouse, duplicateHorizon }: SinkState,
  range: OffsetRange,
  mapping: EventMapping,
): Promise<SeenIds> {
  const key = `${range.topic} ${range.partition}`
  const known = memories.get(key)
  // Another mapping may name events in another way.
  if (known?.mapping === mapping.version && range.continues) return known.seen
  const seen = createSeenIds(duplicateHorizon)
  if (mapping.seenIn) {
    const remembered = { range, seenIn: mapping.seenIn, horizon: duplicateHorizon }
    seen.begin()
    await rememberedIds(clickhouse, remembered, (a, b) => seen.repeated(a, b))
    seen.keep()
  }
  memories.set(key, { seen, mapping: mapping.version })
  return seen
}

/** @throws where the store holds another number of rows of a range than the log has messages */
async function mustBeWhole({ clickhouse }: SinkState, range: OffsetRange): Promise<void> {
  const stored = await readStoredRows(clickhouse, range)
  if (stored !== range.messages.length)
    throw new Error(
      `range ${tokenOf(range)} holds ${stored ?? 0} rows where the log has ${range.messages.length}`,
    )
}

async function publishDeadLetters(
  { eventLog, service }: SinkState,
  range: OffsetRange,
  { dead }: MappedRange,
): Promise<void> {
  await eventLog.append(
    TOPICS.deadLetters.topic,
    dead.map((letter) => deadLetterMessage(range, service, letter)),
  )
}

/** Counts what became of a range; `begun` is when it was taken up, epoch milliseconds. */
function count(
  { metrics, service, now }: SinkState,
  range: OffsetRange,
  mapped: MappedRange,
  begun: number,
): void {
  const { topic } = range
  const add = (outcome: string, reason: string, events: number) => {
    if (events > 0) metrics.events.inc({ service, topic, outcome, reason }, events)
  }
  add('stored', '', mapped.rows)
  add('duplicate', '', mapped.duplicates)
  for (const [reason, messages] of mapped.filtered) add('filtered', reason, messages)
  if (mapped.unknownFields > 0) metrics.unknownFields.inc({ service, topic }, mapped.unknownFields)
  for (const key of ['other', 'none'] as const)
    if (mapped.keys[key] > 0) metrics.unexpectedKeys.inc({ service, topic, key }, mapped.keys[key])
  for (const { code, message } of mapped.dead) {
    add('dead_letter', code, 1)
    if (message.unreadable) add('lost', code, message.unreadable.messages)
  }
  metrics.batchRows.observe({ topic }, range.messages.length)
  metrics.ingestDelaySeconds.observe(
    Math.max(0, now() - Math.min(begun, arrivalOf(range, range.messages[0]!))) / 1000,
  )
}
