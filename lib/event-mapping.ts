/**
 * From a range of the log to the rows of every table it touches: pure, so that a replay gives the same bytes.
 *
 * Each message ends in exactly one place: a row, a dead letter, or the count of duplicates. What an accepted event adds
 * to its tables, rows and counts alike, is the service's (`services/ingest/rows.ts`, `services/feedback/rows.ts`).
 */
import type { TObject } from 'typebox'
import { spanOf, type LoggedMessage, type LoggedRange } from './event-log.ts'
import { createJudge, type Event, type Judge, type Verdict } from './event-verdict.ts'
import { murmurHash3, xxHash32 } from './id-hash.ts'
import * as native from './native-block.ts'
import { Members } from './members.ts'
import type { SeenIds } from './seen-ids.ts'

export interface TableRows extends native.NativeBlock {
  table: string
}

/** Gathers what the accepted events of one range add to their tables. */
export interface RangeTables {
  accept: (event: Event, message: LoggedMessage, unknownFields: number) => void
  /** The event's id was stored before: only the count of repeats may change. */
  repeat: (event: Event) => void
  tables: () => TableRows[]
}

export interface DeadLetter {
  message: LoggedMessage
  code: string
  text: string
}

export interface MappedRange {
  /** In the order in which they are to be stored; the last one tells that the range is whole. */
  tables: TableRows[]
  rows: number
  duplicates: number
  unknownFields: number
  dead: DeadLetter[]
}

/** Turns a message's bytes into a verdict; the formats that may be on the wire are behind it. */
export type ReadMessage = (message: LoggedMessage, judge: Judge) => Verdict

/** A table and, in SQL, what {@link EventMappingOptions.identity} gives for a row of it. */
export interface SeenIn {
  table: string
  identity: string
}

export interface EventMapping {
  /** Names what a message becomes: a pending range is drained by the mapping that began it. */
  version: string
  /** Where the accepted events are read back from, to remember their ids; absent where a repeat does no harm. */
  seenIn?: SeenIn | undefined
  map: (range: LoggedRange, read: ReadMessage, seen: SeenIds) => MappedRange
}

export interface EventMappingOptions {
  version: string
  service: string
  schema: TObject
  seenIn?: SeenIn
  /** Names an event: with `seenIn`, a second one of the same name is a repeat. */
  identity: (event: Event) => string
  /** What a key must be where a message has one. */
  key?: (event: Event) => string
  begin: (range: LoggedRange) => RangeTables
}

/** Room for two ids and the slash, in UTF-8. */
const scratch = Buffer.alloc(2048)

export function eventMapping(options: EventMappingOptions): EventMapping {
  const judge = createJudge(options.schema)
  const { identity, key, seenIn } = options
  /**
   * A key is there to tell partitions apart; one that says something else than the event is a fault worth knowing.
   *
   * @param length of the event's name, in {@link scratch}
   */
  const isKeyed = (message: LoggedMessage, event: Event, length: number) => {
    if (!key) return true
    const { bytes, from, to } = message.keyWithin ?? spanOf(message.key)
    if (from === to) return true
    const expected = key === identity ? scratch : Buffer.from(key(event))
    if (to - from !== (key === identity ? length : expected.length)) return false
    for (let i = from; i < to; i++) if (bytes[i] !== expected[i - from]) return false
    return true
  }
  const refused = ({ rejection }: Verdict & { ok: false }, message: LoggedMessage): DeadLetter => ({
    message,
    code: rejection.code,
    text: rejection.message,
  })
  return {
    version: options.version,
    seenIn,
    map: (range, read, seen) => {
      const into = options.begin(range)
      const dead: DeadLetter[] = []
      let rows = 0
      let duplicates = 0
      let unknownFields = 0
      seen.begin()
      for (const message of range.messages) {
        const verdict = read(message, judge)
        if (!verdict.ok) {
          dead.push(refused(verdict, message))
          continue
        }
        const { event } = verdict
        const length = key || seenIn ? scratch.write(identity(event)) : 0
        if (!isKeyed(message, event, length)) {
          dead.push(refused(judge.refuse('key_mismatch'), message))
          continue
        }
        if (seenIn && seen.repeated(xxHash32(scratch, length), murmurHash3(scratch, length))) {
          duplicates++
          into.repeat(event)
          continue
        }
        rows++
        unknownFields += verdict.unknownFields
        into.accept(event, message, verdict.unknownFields)
      }
      return {
        tables: [
          ...into.tables(),
          deadLetterRows(range, options.service, dead),
          rangeRow(range, { rejected: dead.length, duplicates, unknownFields }),
        ],
        rows,
        duplicates,
        unknownFields,
        dead,
      }
    },
  }
}

function deadLetterRows(
  range: LoggedRange,
  service: string,
  dead: readonly DeadLetter[],
): TableRows {
  const columns = {
    topic: native.lowCardinality(),
    partition: native.lowCardinality(),
    offset: native.fixed('UInt64'),
    key: native.byteStrings(),
    value: native.byteStrings(),
    headers: native.mapOf(native.strings()),
    reason: native.lowCardinality(),
    message: native.strings(),
    service: native.lowCardinality(),
    received_at: native.fixed("DateTime64(3, 'UTC')"),
    log_epoch: native.lowCardinality(),
  }
  dead.forEach(({ message, code, text }, row) => {
    columns.topic.set(row, range.topic)
    columns.partition.set(row, range.partition)
    columns.offset.set(row, message.offset)
    columns.key.set(row, message.key)
    columns.value.set(row, message.value)
    if (message.headers) columns.headers.set(row, Members.of(message.headers))
    columns.reason.set(row, code)
    columns.message.set(row, text)
    columns.service.set(row, service)
    columns.received_at.set(row, message.timestampMs)
    columns.log_epoch.set(row, range.logEpoch)
  })
  return { table: 'dead_letters', columns, rows: dead.length }
}

function rangeRow(
  range: LoggedRange,
  counts: { rejected: number; duplicates: number; unknownFields: number },
): TableRows {
  const columns = {
    log_epoch: native.strings(),
    topic: native.lowCardinality(),
    partition: native.lowCardinality(),
    first: native.fixed('UInt64'),
    last: native.fixed('UInt64'),
    rows: native.fixed('UInt64'),
    rejected: native.fixed('UInt64'),
    duplicates: native.fixed('UInt64'),
    unknown_fields: native.fixed('UInt64'),
  }
  columns.log_epoch.set(0, range.logEpoch)
  columns.topic.set(0, range.topic)
  columns.partition.set(0, range.partition)
  columns.first.set(0, Number(range.first))
  columns.last.set(0, Number(range.last))
  columns.rows.set(0, range.messages.length)
  columns.rejected.set(0, counts.rejected)
  columns.duplicates.set(0, counts.duplicates)
  columns.unknown_fields.set(0, counts.unknownFields)
  return { table: 'sink_ranges', columns, rows: 1 }
}
