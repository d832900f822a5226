/** The row of an offset range itself: written last, it says that all of the range is stored. Pure. */
import type { OffsetRange } from '../event-log/port.ts'
import * as native from '../clickhouse/native/block.ts'
import type { TableRows } from './table-rows.ts'

/** What became of the messages of a range. */
export interface RangeCounts {
  dead: readonly unknown[]
  duplicates: number
  unknownFields: number
  /** Events that are stored. */
  rows: number
  filtered: ReadonlyMap<string, number>
}

/** The row of `sink_ranges`; its `rows` are messages. */
export function rangeRow(
  range: OffsetRange,
  { dead, duplicates, unknownFields, rows: events, filtered }: RangeCounts,
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
    filtered: native.fixed('UInt64'),
    events: native.fixed('UInt64'),
  }
  columns.log_epoch.set(0, range.logEpoch)
  columns.topic.set(0, range.topic)
  columns.partition.set(0, range.partition)
  columns.first.set(0, Number(range.first))
  columns.last.set(0, Number(range.last))
  columns.rows.set(0, range.messages.length)
  columns.rejected.set(0, dead.length)
  columns.duplicates.set(0, duplicates)
  columns.unknown_fields.set(0, unknownFields)
  let skipped = 0
  for (const messages of filtered.values()) skipped += messages
  columns.filtered.set(0, skipped)
  columns.events.set(0, events)
  return { table: 'sink_ranges', columns, rows: 1 }
}
