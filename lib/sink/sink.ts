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
 *
 * A message that cannot be stored is set aside as a dead letter, and the rest of its range is stored: what one sends stops
 * nothing else. Only a fault of the store itself makes the whole range wait.
 */
import type { ClickHouse } from '../clickhouse/port.ts'
import { arrivalOf, type EventLog, type LoggedRange, type Stored } from '../event-log/port.ts'
import { deadLetterMessage } from './dead-letters.ts'
import type { EventMapping, MappedRange } from './mapping.ts'
import type { MessageReader, ReadMessage } from '../events/decode-message.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { piecesOf } from './month-pieces.ts'
import { encodeBlock } from '../clickhouse/native/block.ts'
import { createSeenIds, type SeenIds } from './dedupe-set.ts'
import { lastStored, rememberedIds } from './queries.ts'
import type { Spool } from '../clickhouse/spool.ts'
import { isStoreFault } from '../runtime/store-faults.ts'
import type { TableRows } from './table-rows.ts'
import { refusedByStore, refusing, unmappable } from './unstorable.ts'
import { TOPICS } from '../../schemas/topics.ts'

/** The same for every sink of a process. */
export interface SinkParts {
  reader: MessageReader
  spool: Spool
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  /** Ids remembered per partition. */
  duplicateHorizon: number
  now: () => number
  /** Resolves once all that was stored before survives power loss; absent where surviving a killed process is enough. */
  synced?: (() => Promise<void>) | undefined
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
  const { clickhouse, metrics, service } = options
  const memories = new Map<string, { seen: SeenIds; mapping: string }>()

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
      const mapped = await storeTables(range, mapping, seen)
      // What is stored for the first time by the engine itself needs no second look.
      if (range.replayed || !clickhouse.isEmbedded) await mustBeWhole(range)
      await options.synced?.()
      await publishDeadLetters(range, mapped)
      seen.keep()
      count(range, mapped, begun)
    },
  }

  /** Stores what the range becomes; messages that cannot be stored become dead letters of it. */
  async function storeTables(range: LoggedRange, mapping: EventMapping, seen: SeenIds) {
    const { read } = options.reader
    let mapped: MappedRange
    try {
      mapped = mapping.map(range, read, seen)
    } catch (error) {
      const unstorable = unmappable(range, mapping, read)
      if (unstorable.size === 0) throw error
      mapped = mapping.map(range, refusing(read, unstorable), seen)
    }
    try {
      await insertAll(range, mapped)
      return mapped
    } catch (error) {
      if (isStoreFault(error)) throw error
      return await storeWithoutFaulty(range, { mapping, read, seen, error })
    }
  }

  /** The store refused the rows: tries which, and stores the others under the tokens of the range. */
  async function storeWithoutFaulty(
    range: LoggedRange,
    {
      mapping,
      read,
      seen,
      error,
    }: { mapping: EventMapping; read: ReadMessage; seen: SeenIds; error: unknown },
  ) {
    const trialTables = new Set<string>()
    try {
      const unstorable = await refusedByStore(error, {
        range,
        mapping,
        read,
        trial: (mapped) => tryTables(mapped, trialTables),
      })
      const mapped = mapping.map(range, refusing(read, unstorable), seen)
      await insertAll(range, mapped)
      return mapped
    } finally {
      for (const table of trialTables) await clickhouse.command(`DROP TABLE IF EXISTS ${table}`)
    }
  }

  async function insertAll(range: LoggedRange, mapped: MappedRange) {
    try {
      const forgotten =
        range.replayed && (await storedRows(range)) !== undefined && (await isBeyondTokens(range))
      if (!forgotten) for (const rows of mapped.tables) await insert(range, rows)
    } finally {
      mapped.release()
    }
  }

  /** Inserts the rows into tables that keep nothing, of the same columns. */
  async function tryTables({ tables }: MappedRange, made: Set<string>) {
    for (const { table, months: _, ...rows } of tables) {
      const block = encodeBlock(rows)
      if (!block) continue
      const trial = `trial_of_${table}`
      made.add(trial)
      await clickhouse.command(`CREATE TABLE IF NOT EXISTS ${trial} AS ${table} ENGINE = Null`)
      await options.spool.withFile(block.parts, (path) =>
        clickhouse.insertFile({ table: trial, columns: block.columns, path, token: '' }),
      )
    }
  }

  /** What was stored before this range; read back when another process may have stored the range before it. */
  async function memoryOf(range: LoggedRange, mapping: EventMapping): Promise<SeenIds> {
    const key = `${range.topic} ${range.partition}`
    const known = memories.get(key)
    // Another mapping may name events in another way.
    if (known?.mapping === mapping.version && range.continues) return known.seen
    const seen = createSeenIds(options.duplicateHorizon)
    if (mapping.seenIn) {
      seen.begin()
      await rememberedIds(clickhouse, range, mapping.seenIn, options.duplicateHorizon, (a, b) =>
        seen.repeated(a, b),
      )
      seen.keep()
    }
    memories.set(key, { seen, mapping: mapping.version })
    return seen
  }

  async function insert(range: LoggedRange, { table, months, ...rows }: TableRows) {
    const block = encodeBlock(rows)
    if (!block) return
    await options.spool.withFile(block.parts, async (path) => {
      for (const piece of piecesOf(tokenOf(range), months)) {
        const stop = metrics.insertSeconds.startTimer({ topic: range.topic })
        await clickhouse.insertFile({ table, columns: block.columns, path, ...piece })
        stop()
      }
    })
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
      dead.map((letter) => deadLetterMessage(range, service, letter)),
    )
  }

  function count(range: LoggedRange, mapped: MappedRange, begun: number) {
    const { topic } = range
    const add = (outcome: string, reason: string, events: number) => {
      if (events > 0) metrics.events.inc({ service, topic, outcome, reason }, events)
    }
    add('stored', '', mapped.rows)
    add('duplicate', '', mapped.duplicates)
    if (mapped.unknownFields > 0)
      metrics.unknownFields.inc({ service, topic }, mapped.unknownFields)
    for (const { code, message } of mapped.dead) {
      add('dead_letter', code, 1)
      if (message.unreadable) add('lost', code, message.unreadable.messages)
    }
    metrics.batchRows.observe({ topic }, range.messages.length)
    metrics.ingestDelaySeconds.observe(
      Math.max(0, options.now() - Math.min(begun, arrivalOf(range, range.messages[0]!))) / 1000,
    )
  }
}

/** The identity of a range: two inserts with one token are the same insert. */
const tokenOf = (range: LoggedRange) =>
  `${range.logEpoch}:${range.topic}:${range.partition}:${range.first}-${range.last}:${range.mapping}`
