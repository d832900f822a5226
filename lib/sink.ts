/**
 * Stores ranges of the log in ClickHouse, each exactly once with every count of it.
 *
 * The caller (an event log) has written its intent before and commits after; here is what lies between:
 * 1. The mapping makes rows of the messages, for every table they touch. The same range gives the same bytes.
 * 2. One INSERT per table, all under the range's token, `sink_ranges` last. Cut off anywhere, the same inserts again
 *    complete what is missing and skip what is there.
 * 3. The stored range is read back and must hold as many rows as the log had messages, wherever it was tried before or a
 *    network lies in between, which can answer for an insert that never came.
 * 4. Dead letters go to their topic; a failure here replays the range, hence at least once.
 */
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { ClickHouse } from './clickhouse.ts'
import type { EventLog, LoggedRange, Stored } from './event-log.ts'
import type { EventMapping, MappedRange, TableRows } from './event-mapping.ts'
import type { MessageReader } from './message-reader.ts'
import type { Metrics } from './metrics.ts'
import { encodeBlock } from './native-block.ts'
import { createSeenIds, type SeenIds } from './seen-ids.ts'
import { lastStored, rememberedIds } from './sink-queries.ts'
import type { Spool } from './spool.ts'
import { TOPICS } from '../schemas/topics.ts'

/** The same for every sink of a process. */
export interface SinkParts {
  reader: MessageReader
  spool: Spool
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  breaker: CircuitBreaker
  /** Ids remembered per partition. */
  duplicateHorizon: number
  now: () => number
}

export interface SinkOptions extends SinkParts {
  service: string
  /** Newest first; older ones drain ranges that an older release had begun. */
  mappings: readonly [EventMapping, ...EventMapping[]]
  clickhouse: ClickHouse
}

export interface Sink {
  mapping: string
  store: (range: LoggedRange) => Promise<void>
  lastStored: (log: string, topic: string, partition: string) => Promise<Stored>
}

/** Insert tokens are remembered for 10 000 inserts; a range this far behind is judged by `sink_ranges` instead. */
const TOKEN_HORIZON = 5000

export function createSink(options: SinkOptions): Sink {
  const { clickhouse, metrics, service, breaker } = options
  const memories = new Map<string, SeenIds>()

  return {
    mapping: options.mappings[0].version,
    lastStored: (log, topic, partition) => lastStored(clickhouse, log, topic, partition),
    store: async (range) => {
      const mapping = options.mappings.find((m) => m.version === range.mapping)
      if (!mapping)
        throw new Error(
          `range ${tokenOf(range)} was begun with mapping ${range.mapping}, which this release no longer has`,
        )
      const begun = options.now()
      const seen = await memoryOf(range, mapping)
      await options.reader.prepare(range.messages)
      const mapped = mapping.map(range, options.reader.read, seen)
      try {
        // Before anything is stored: a topic full of faults must not drain away.
        breaker.check(range, mapped)
        const forgotten =
          range.replayed && (await storedRows(range)) !== undefined && (await isBeyondTokens(range))
        if (!forgotten) for (const rows of mapped.tables) await insert(range, rows)
      } finally {
        mapped.release()
      }
      // What is stored for the first time by the engine itself needs no second look.
      if (range.replayed || !clickhouse.isEmbedded) await mustBeWhole(range)
      await publishDeadLetters(range, mapped)
      seen.keep()
      breaker.stored(range)
      count(range, mapped, begun)
    },
  }

  /** What was stored before this range; read back when another process may have stored the range before it. */
  async function memoryOf(range: LoggedRange, mapping: EventMapping): Promise<SeenIds> {
    const key = `${range.topic} ${range.partition}`
    const known = memories.get(key)
    if (known && range.continues) return known
    const seen = createSeenIds(options.duplicateHorizon)
    if (mapping.seenIn) {
      seen.begin()
      await rememberedIds(clickhouse, range, mapping.seenIn, options.duplicateHorizon, (a, b) =>
        seen.repeated(a, b),
      )
      seen.keep()
    }
    memories.set(key, seen)
    return seen
  }

  async function insert(range: LoggedRange, { table, ...rows }: TableRows) {
    const block = encodeBlock(rows)
    if (!block) return
    const stop = metrics.insertSeconds.startTimer({ topic: range.topic })
    await options.spool.withFile(block.parts, (path) =>
      clickhouse.insertFile({ table, columns: block.columns, path, token: tokenOf(range) }),
    )
    stop()
  }

  async function storedRows(range: LoggedRange): Promise<number | undefined> {
    const [row] = await clickhouse.query<{ rows: string }>(
      `SELECT rows FROM sink_ranges
       WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String} AND first = {first:UInt64} AND last = {last:UInt64}`,
      {
        topic: range.topic,
        partition: range.partition,
        epoch: range.logEpoch,
        first: range.first,
        last: range.last,
      },
    )
    return row && Number(row.rows)
  }

  async function mustBeWhole(range: LoggedRange) {
    const stored = await storedRows(range)
    if (stored !== range.messages.length)
      throw new Error(
        `range ${tokenOf(range)} holds ${stored ?? 0} rows where the log has ${range.messages.length}`,
      )
  }

  async function isBeyondTokens(range: LoggedRange): Promise<boolean> {
    const [row] = await clickhouse.query<{ newer: string }>(
      `SELECT count() AS newer FROM sink_ranges WHERE stored_at >
        (SELECT max(stored_at) FROM sink_ranges WHERE topic = {topic:String} AND partition = {partition:String} AND log_epoch = {epoch:String} AND first = {first:UInt64})`,
      { topic: range.topic, partition: range.partition, epoch: range.logEpoch, first: range.first },
    )
    return Number(row?.newer ?? 0) > TOKEN_HORIZON
  }

  async function publishDeadLetters(range: LoggedRange, { dead }: MappedRange) {
    await options.eventLog.append(
      TOPICS.deadLetters.topic,
      dead.map(({ message, code, text }) => ({
        key: message.key.toString(),
        value: message.value,
        headers: { ...message.headers, ...errorHeaders(range, String(message.offset), code, text) },
      })),
    )
  }

  /** The header names that Kafka Connect gives its dead letters, which tools know. */
  function errorHeaders(
    range: LoggedRange,
    offset: string,
    reason: string,
    message: string,
  ): Record<string, string> {
    return {
      '__connect.errors.topic': range.topic,
      '__connect.errors.partition': range.partition,
      '__connect.errors.offset': offset,
      '__connect.errors.connector.name': `plumbline-${service}`,
      '__connect.errors.task.id': '0',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.class.name': 'plumbline.EventMapping',
      '__connect.errors.exception.class.name': reason,
      '__connect.errors.exception.message': message,
      '__connect.errors.exception.stacktrace': '',
    }
  }

  function count(range: LoggedRange, mapped: MappedRange, begun: number) {
    const { topic } = range
    const add = (outcome: string, reason: string, events: number) => {
      if (events > 0) metrics.events.inc({ service, topic, outcome, reason }, events)
    }
    add('stored', '', mapped.rows)
    add('duplicate', '', mapped.duplicates)
    add('unknown_field', '', mapped.unknownFields)
    for (const { code } of mapped.dead) add('dead_letter', code, 1)
    metrics.batchRows.observe({ topic }, range.messages.length)
    metrics.ingestDelaySeconds.observe(
      Math.max(0, options.now() - Math.min(begun, range.messages[0]!.timestampMs)) / 1000,
    )
  }
}

/** The identity of a range: two inserts with one token are the same insert. */
const tokenOf = (range: LoggedRange) =>
  `${range.logEpoch}:${range.topic}:${range.partition}:${range.first}-${range.last}:${range.mapping}`
