/** Columns of numbers of one width, for `block.ts`. */
import type { Column } from './column.ts'

const LEAST = 256

/** ClickHouse types whose values have one width, as in DDL. */
export type FixedType =
  | 'UInt8'
  | 'Int8'
  | 'Bool'
  | 'UInt16'
  | 'Int32'
  | 'UInt32'
  | 'UInt64'
  | 'Float32'
  | 'Float64'
  | "DateTime('UTC')"
  | "DateTime64(3, 'UTC')"

/**
 * How each type is laid out. Cells are gathered as doubles, in one kind of array, and laid out at
 * the end: V8 keeps such loops fast.
 */
export const LAYOUT: Record<FixedType, (cells: Float64Array) => Buffer> = {
  UInt8: (cells) => bytesOf(new Uint8Array(cells)),
  Int8: (cells) => bytesOf(new Int8Array(cells)),
  Bool: (cells) => bytesOf(new Uint8Array(cells)),
  UInt16: (cells) => bytesOf(new Uint16Array(cells)),
  Int32: (cells) => bytesOf(new Int32Array(cells)),
  UInt32: (cells) => bytesOf(new Uint32Array(cells)),
  UInt64: halves,
  Float32: (cells) => bytesOf(new Float32Array(cells)),
  Float64: (cells) => bytesOf(cells),
  "DateTime('UTC')": (cells) => bytesOf(new Uint32Array(cells)),
  "DateTime64(3, 'UTC')": halves,
}

const TWO_32 = 2 ** 32

/** 64 bits as two halves: no BigInt on the way. */
function halves(cells: Float64Array): Buffer {
  const words = new Uint32Array(2 * cells.length)
  for (let i = 0; i < cells.length; i++) {
    const value = cells[i]!
    words[2 * i] = value >>> 0
    words[2 * i + 1] = Math.floor(value / TWO_32)
  }
  return bytesOf(words)
}

/** A column of numbers of one width; rows that are left out hold 0. */
export interface FixedColumn extends Column<number> {
  /** Sets rows from `row` up to `end`. */
  setRun: (row: number, end: number, value: number) => void
  /** Sets the rows from `row` on. */
  setCells: (row: number, values: Float64Array | Int32Array) => void
  /** Sets the rows from `row` on, to the few values of one event. */
  setEach: (row: number, values: readonly number[]) => void
  cells: () => Float64Array
}

/**
 * Numbers of one width. `DateTime64(3)` takes epoch milliseconds, `DateTime` epoch seconds, `Bool`
 * 0 and 1.
 */
export function fixed(type: FixedType): FixedColumn {
  let cells = new Float64Array(LEAST)
  let length = 0
  let used = false
  const reserve = (rows: number) => {
    if (rows <= cells.length) return
    const wider = new Float64Array(Math.max(2 * cells.length, rows))
    wider.set(cells)
    cells = wider
  }
  return {
    type,
    set: (row, value) => {
      if (row >= cells.length) reserve(row + 1)
      cells[row] = value
      length = row + 1
      used = true
    },
    setRun: (row, end, value) => {
      reserve(end)
      cells.fill(value, row, end)
      length = end
      used = true
    },
    setCells: (row, values) => {
      reserve(row + values.length)
      cells.set(values, row)
      length = row + values.length
      used = true
    },
    setEach: (row, values) => {
      reserve(row + values.length)
      // Locals: one store a value, no call.
      const into = cells
      for (let i = 0; i < values.length; i++) into[row + i] = values[i]!
      length = row + values.length
      used = true
    },
    fill: (rows) => {
      reserve(rows)
      length = rows
    },
    used: () => used,
    prefix: () => [],
    cells: () => cells.subarray(0, length),
    data: () => [LAYOUT[type](cells.subarray(0, length))],
    clear: () => {
      // Rows that will be skipped hold the default.
      cells.fill(0, 0, length)
      length = 0
      used = false
    },
  }
}

/** The bytes of a typed array, not copied. */
export const bytesOf = (
  cells:
    Uint8Array | Int8Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array,
) => Buffer.from(cells.buffer, cells.byteOffset, cells.byteLength)
