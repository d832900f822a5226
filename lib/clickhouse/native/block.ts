/**
 * Blocks in ClickHouse's Native format, its fastest on the way in: columns, each one contiguous.
 *
 * A column is filled by row number; rows that are skipped hold the type's default. A column that
 * was never set is left out of the block, and the table fills it. Numbers of 64 bits are taken as
 * JavaScript numbers, exact to 2^53. Layout: https://clickhouse.com/docs/interfaces/formats/Native
 * (of revision 0, as files and HTTP bodies are read).
 */

import type { Column } from './column.ts'
import { bytesOf, fixed, LAYOUT } from './fixed-width.ts'
import { perShape, type FlatRecord } from '../../events/flat-record.ts'
import { shortString, strings, varuint } from './strings.ts'

export { fixed } from './fixed-width.ts'
export { byteStrings, strings } from './strings.ts'

/** Columns by name, and how many rows each of them has. */
export interface NativeBlock {
  columns: Record<string, Column<never>>
  rows: number
}

/** A block as bytes, with the names and ClickHouse types of its columns in their order. */
export interface EncodedBlock {
  columns: { name: string; type: string }[]
  /**
   * One after another they are the block. Some lie in the columns: written before those are
   * cleared.
   */
  parts: Buffer[]
}

/** A block as bytes; undefined when it has no rows. */
export function encodeBlock({ columns, rows }: NativeBlock): EncodedBlock | undefined {
  if (rows === 0) return undefined
  const used = Object.entries(columns).filter(([, column]) => column.used())
  const parts: Buffer[] = [varuint(used.length), varuint(rows)]
  for (const [name, column] of used) {
    column.fill(rows)
    parts.push(shortString(name), shortString(column.type), ...column.prefix(), ...column.data())
  }
  return {
    columns: used.map(([name, { type }]) => ({ name, type })),
    parts,
  }
}

/** Begins every column anew without a row; their memory is used again. */
export function clear(columns: NativeBlock['columns']): void {
  for (const column of Object.values(columns)) column.clear()
}

const SHARED_DICTIONARIES = 1
const ADDITIONAL_KEYS_AND_UPDATE = 0x600

/** A column of type `LowCardinality(String)`. */
export interface DictionaryColumn extends Column<string> {
  /** The index of a string in the dictionary. */
  indexOf: (value: string) => number
  /** Sets the rows from `row` on to indexes of the dictionary. */
  setIndexes: (row: number, indexes: readonly number[]) => void
  setRun: (row: number, end: number, value: string) => void
}

/** Strings of which few differ: a dictionary, and each row's index in it. */
export function lowCardinality(): DictionaryColumn {
  const indexByKey = new Map<string, number>()
  const keys: string[] = []
  const cells = fixed('UInt32')
  let lastValue = ''
  let lastIndex = 0
  const indexOf = (value: string) => {
    if (value === lastValue) return lastIndex
    let index = indexByKey.get(value)
    if (index === undefined) {
      index = keys.length
      indexByKey.set(value, index)
      keys.push(value)
    }
    lastValue = value
    lastIndex = index
    return index
  }
  const clear = () => {
    cells.clear()
    indexByKey.clear()
    keys.length = 0
    keys.push('')
    indexByKey.set('', 0)
    lastValue = ''
    lastIndex = 0
  }
  clear()
  return {
    type: 'LowCardinality(String)',
    clear,
    indexOf,
    setIndexes: cells.setEach,
    set: (row, value) => cells.set(row, indexOf(value)),
    setRun: (row, end, value) => cells.setRun(row, end, indexOf(value)),
    fill: cells.fill,
    used: cells.used,
    prefix: () => [uint64(SHARED_DICTIONARIES)],
    data: () => {
      const indexes = cells.cells()
      if (indexes.length === 0) return []
      const [width, type] =
        keys.length <= 0xff
          ? [0, 'UInt8' as const]
          : keys.length <= 0xffff
            ? [1, 'UInt16' as const]
            : [2, 'UInt32' as const]
      const dictionary = strings()
      keys.forEach((key, i) => dictionary.set(i, key))
      return [
        uint64(width + ADDITIONAL_KEYS_AND_UPDATE),
        uint64(keys.length),
        ...dictionary.data(),
        uint64(indexes.length),
        LAYOUT[type](indexes),
      ]
    },
  }
}

/** @param inner what holds the values of rows that have one */
export function nullable<T>(inner: Column<T>): Column<T | null> {
  const given = fixed('UInt8')
  return {
    type: `Nullable(${inner.type})`,
    set: (row, value) => {
      if (value === null) return
      inner.set(row, value)
      given.set(row, 1)
    },
    fill: (rows) => {
      inner.fill(rows)
      given.fill(rows)
    },
    used: given.used,
    prefix: inner.prefix,
    data: () => {
      const has = given.cells()
      const nulls = new Uint8Array(has.length)
      for (let i = 0; i < has.length; i++) nulls[i] = 1 - has[i]!
      return [bytesOf(nulls), ...inner.data()]
    },
    clear: () => {
      given.clear()
      inner.clear()
    },
  }
}

/** Elements are set one after another, between rows: `open(row)` ends the rows before. */
interface Nested {
  open: (row: number) => void
  /** The index of the first of the next so many elements. */
  take: (elements: number) => number
}

function nested(
  type: string,
  elements: readonly Column<never>[],
): Nested & Omit<Column<never>, 'set'> {
  const ends = fixed('UInt64')
  let count = 0
  let length = 0
  let used = false
  const fill = (rows: number) => {
    if (rows > length) ends.setRun(length, rows, count)
    length = rows
  }
  return {
    type,
    open: (row) => {
      fill(row)
      // The row's end moves on with each element.
      used = true
    },
    take: (elements) => (count += elements) - elements,
    fill: (rows) => {
      fill(rows)
      for (const column of elements) column.fill(count)
    },
    used: () => used,
    prefix: () => elements.flatMap((column) => column.prefix()),
    data: () => [
      ...ends.data(),
      ...(count === 0 ? [] : elements.flatMap((column) => column.data())),
    ],
    clear: () => {
      ends.clear()
      for (const column of elements) column.clear()
      count = 0
      length = 0
      used = false
    },
  }
}

/** A column of type `Array`. @param inner takes the elements of all rows, one after another */
export function array<T>(inner: Column<T>): Column<Iterable<T>> {
  const { open, take, ...rest } = nested(`Array(${inner.type})`, [inner])
  return {
    ...rest,
    set: (row, values) => {
      open(row)
      for (const value of values) inner.set(take(1), value)
    },
  }
}

/**
 * An object of values of one kind; its keys in their order.
 *
 * Stands in the block even when no row was set: to fill a map that is left out costs ClickHouse 300
 * ns a row, to read an empty one next to nothing.
 */
export function mapOf<T>(
  inner: Column<T> & { setEach?: (row: number, values: readonly number[]) => void },
): Column<FlatRecord> {
  const keys = lowCardinality()
  const { open, take, ...rest } = nested(`Map(${keys.type}, ${inner.type})`, [keys, inner])
  const indexesOf = perShape((names) => names.map(keys.indexOf))
  return {
    ...rest,
    used: () => true,
    clear: () => {
      rest.clear()
      indexesOf.forget()
    },
    set: (row, { names, values, numeric }) => {
      open(row)
      const element = take(names.length)
      keys.setIndexes(element, indexesOf.of(names))
      if (numeric && inner.setEach) inner.setEach(element, values as readonly number[])
      else for (let i = 0; i < values.length; i++) inner.set(element + i, values[i] as T)
    },
  }
}

/** A number as 8 bytes, little-endian. @param value from 0 to 2^32 − 1 */
export function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(value, 0)
  return bytes
}
