/** The table of accepted events: a column per field, and where in the log each row came from. */
import { columnsOf, type FieldColumns } from './field-columns.ts'
import type { Column } from '../clickhouse/native/column.ts'
import type { TObject } from 'typebox'
import { fieldsOf } from '../events/fields.ts'
import { arrivalOf, type LoggedMessage, type OffsetRange } from '../event-log/port.ts'
import type { Event } from '../events/validator.ts'
import { perShape } from '../events/flat-record.ts'
import * as native from '../clickhouse/native/block.ts'

/** The rows of accepted events of one range after another, in the same memory. */
export interface EventRows extends native.NativeBlock {
  /** Forgets the rows of the range before. */
  begin: (range: OffsetRange) => void
  /** @returns when the message arrived, epoch milliseconds */
  add: (event: Event, message: LoggedMessage) => number
  /** No row comes after this. */
  end: (range: OffsetRange) => native.NativeBlock
}

/** @param dictionaries fields whose strings the table keeps in a dictionary */
export function eventRows(schema: TObject, dictionaries: ReadonlySet<string>): EventRows {
  /** A Map: an event may have a field called `constructor`. */
  const fields = new Map(
    fieldsOf(schema).map((field): [string, FieldColumns] => [
      field.name,
      columnsOf(field, dictionaries.has(field.name)),
    ]),
  )
  const origin = {
    received_at: native.fixed("DateTime64(3, 'UTC')"),
    offset: native.fixed('UInt64'),
    log_epoch: native.lowCardinality(),
    topic: native.lowCardinality(),
    partition: native.lowCardinality(),
  }
  const columns = Object.assign(
    { ...origin },
    ...[...fields.values()].map((field) => field.columns),
  ) as Record<string, Column<never>>
  const cells = perShape((names) => names.map((name) => fields.get(name)))
  let rows = 0
  let of: Pick<OffsetRange, 'arrivedMs'> = {}
  return {
    columns,
    get rows() {
      return rows
    },
    begin: (range) => {
      of = range
      native.clear(columns)
      rows = 0
    },
    add: ({ names, values }, message) => {
      const known = cells.of(names)
      for (let i = 0; i < known.length; i++) {
        const value = values[i]
        if (value !== null && value !== undefined) known[i]?.set(rows, value as never)
      }
      const arrivedMs = arrivalOf(of, message)
      origin.received_at.set(rows, arrivedMs)
      origin.offset.set(rows, message.offset)
      rows++
      return arrivedMs
    },
    end: (range) => {
      origin.log_epoch.setRun(0, rows, range.logEpoch)
      origin.topic.setRun(0, rows, range.topic)
      origin.partition.setRun(0, rows, range.partition)
      return { columns, rows }
    },
  }
}
