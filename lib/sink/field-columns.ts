/** The columns that each kind of event field becomes. */
import type { Column } from '../clickhouse/native/column.ts'
import * as native from '../clickhouse/native/block.ts'
import { scalars } from '../clickhouse/native/variant.ts'
import { canonical, eventTime, type EventField } from '../events/fields.ts'

/** Writes one field of accepted events into the columns of a table. */
export interface FieldColumns {
  columns: Record<string, Column<never>>
  set: (row: number, value: never) => void
}

/** @param dictionary whether the table keeps the field's strings in a dictionary */
export function columnsOf({ name, kind, required }: EventField, dictionary: boolean): FieldColumns {
  const one = <T>(column: Column<T>, from: (value: never) => T): FieldColumns => ({
    columns: { [name]: column },
    set: (row, value) => column.set(row, from(value)),
  })
  const same = <T>(column: Column<T>) => one(column, (value: T) => value)
  switch (kind) {
    case 'id':
    case 'text':
    case 'choice':
      return same(dictionary || kind === 'choice' ? native.lowCardinality() : native.strings())
    case 'timestamp': {
      const time = native.fixed("DateTime64(3, 'UTC')")
      return one(required ? time : native.nullable(time), (time: unknown) => eventTime(time)!)
    }
    case 'number':
      return same(native.nullable(native.fixed('Float64')))
    case 'integer':
      return same(native.nullable(native.fixed('UInt64')))
    case 'boolean':
      return one(native.fixed('Bool'), (value: boolean) => (value ? 1 : 0))
    case 'scalar': {
      const text = native.nullable(native.strings())
      const number = native.nullable(native.fixed('Float64'))
      return {
        columns: { [name]: text, [`${name}_number`]: number },
        set: (row, value: unknown) => {
          text.set(row, canonical(value))
          if (typeof value === 'number') number.set(row, value)
        },
      }
    }
    case 'label':
      return one(native.strings(), canonical)
    case 'features':
      return same(native.mapOf(scalars()))
    case 'strings':
      return same(native.mapOf(native.strings()))
    case 'numbers':
      return same(native.mapOf(native.fixed('Float64')))
    case 'vector':
      return same(native.array(native.fixed('Float32')))
    case 'producer': {
      const id = native.strings()
      const sequence = native.nullable(native.fixed('UInt64'))
      return {
        columns: { [name]: id, [`${name}_sequence`]: sequence },
        set: (row, value: { id: string; sequence: number }) => {
          id.set(row, value.id)
          sequence.set(row, value.sequence)
        },
      }
    }
  }
}
