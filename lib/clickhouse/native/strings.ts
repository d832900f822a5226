/** Columns of strings, for `block.ts`. */
import type { Column } from './column.ts'

/** A column of type `String`: each string with its length before it. */
export function strings(): Column<string> {
  let bytes = Buffer.allocUnsafe(4096)
  let at = 0
  let length = 0
  let used = false
  const reserve = (more: number) => {
    if (at + more <= bytes.length) return
    const wider = Buffer.allocUnsafe(Math.max(2 * bytes.length, at + more))
    bytes.copy(wider, 0, 0, at)
    bytes = wider
  }
  const fill = (rows: number) => {
    if (rows === length) return
    reserve(rows - length)
    bytes.fill(0, at, at + rows - length)
    at += rows - length
    length = rows
  }
  return {
    type: 'String',
    set: (row, value) => {
      fill(row)
      // A UTF-16 unit takes at most three bytes; most strings are short enough for a length of one
      // byte.
      reserve(3 * value.length + 5)
      if (3 * value.length < 128) {
        const written = bytes.write(value, at + 1)
        bytes[at] = written
        at += written + 1
      } else {
        at = writeVaruint(bytes, at, Buffer.byteLength(value))
        at += bytes.write(value, at)
      }
      length = row + 1
      used = true
    },
    fill,
    used: () => used,
    prefix: () => [],
    data: () => [bytes.subarray(0, at)],
    clear: () => {
      at = 0
      length = 0
      used = false
    },
  }
}

/** A column of type `String` whose values are bytes as they are, for what may not be text. */
export function byteStrings(): Column<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  const fill = (rows: number) => {
    if (rows > length) parts.push(Buffer.alloc(rows - length))
    length = Math.max(length, rows)
  }
  return {
    type: 'String',
    set: (row, value) => {
      fill(row)
      parts.push(varuint(value.length), value)
      length = row + 1
    },
    fill,
    used: () => parts.length > 0,
    prefix: () => [],
    data: () => [Buffer.concat(parts)],
    clear: () => {
      parts.length = 0
      length = 0
    },
  }
}

function writeVaruint(bytes: Buffer, at: number, value: number): number {
  let rest = value
  while (rest >= 128) {
    bytes[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

/** A number below 2^32 as a varint. */
export function varuint(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(5)
  return bytes.subarray(0, writeVaruint(bytes, 0, value))
}

/** A string with its length before it, as names and types of columns stand in a block. */
export function shortString(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([varuint(bytes.length), bytes])
}
