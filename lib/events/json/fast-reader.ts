/**
 * A fast reader for the JSON that producers really send: an object of scalars and of flat objects of scalars.
 *
 * It reads bytes in one pass, keeps the names of the object before (the next one mostly has the same, in the same order)
 * and makes objects of none ({@link FlatRecord}). Anything out of the ordinary, faults first of all, makes it give up: then
 * `JSON.parse` and the scanner decide. A property test holds the two readings together.
 */
import { isExact } from './exact-integers.ts'
import { FlatRecord } from '../flat-record.ts'
import { recurringTexts, startsWith } from './string-cache.ts'

/** Names of an object, and each with its quotes and colon as bytes. */
interface Shape {
  names: string[]
  heads: Uint8Array[]
  /** The object read last had finite numbers only. */
  numeric: boolean
}

const EMPTY: Shape = { names: [], heads: [], numeric: false }

const QUOTE = 34
const COMMA = 44
const MINUS = 45
const DOT = 46
const ZERO = 48
const COLON = 58
const OPEN = 123
const CLOSE = 125
const BACKSLASH = 92

const WORDS = (['true', 'false', 'null'] as const).map(
  (word) => [Buffer.from(word), JSON.parse(word) as unknown] as const,
)

/** What a reading that gave up returns. */
const UNUSUAL = Symbol('unusual')

/** Powers of ten that a double holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i)
/** Digits that surely stay below 2^53. */
const MAX_DIGITS = 15

/** Both read all of the bytes from one place to another; undefined where the general way must decide, as it must for all that is not ASCII. */
export interface PlainJsonReader {
  /** An object of scalars and of flat objects, which are {@link FlatRecord} too. */
  event: (bytes: Buffer, from?: number, to?: number) => FlatRecord | undefined
  /** An object of scalars. */
  flat: (bytes: Buffer, from?: number, to?: number) => FlatRecord | undefined
}

export function plainJsonReader(): PlainJsonReader {
  /** Of the object read last in each field. */
  const shapes = new Map<string, Shape>()
  let top = EMPTY
  /** Of the input: where it ends, and where the token read last has ended. */
  let end = 0
  let at = 0
  const textAt = recurringTexts('latin1')

  return {
    event: (input, from = 0, to = input.length) => read(input, from, to, readTop),
    flat: (input, from = 0, to = input.length) =>
      read(input, from, to, (bytes, first) => readFlat(bytes, first, '')),
  }

  function read(
    input: Buffer,
    from: number,
    to: number,
    readObject: (bytes: Buffer, from: number) => FlatRecord | typeof UNUSUAL,
  ): FlatRecord | undefined {
    end = to
    // Reading may run past the end, into the bytes behind it; then `at` is not the end.
    if (from === to || input[from] !== OPEN) return undefined
    const object = readObject(input, from)
    return object !== UNUSUAL && at === to ? object : undefined
  }

  // The readers below take a place, keep it in a local variable, and leave in `at` where they ended.

  function readTop(bytes: Buffer, from: number): FlatRecord | typeof UNUSUAL {
    const values = readLike<unknown>(bytes, from, top, [], readValue)
    if (values === UNUSUAL) return UNUSUAL
    if (values) return new FlatRecord(top.names, values, false)
    const read = readNew(bytes, from, readValue)
    if (read === UNUSUAL) return UNUSUAL
    top = read.shape
    return new FlatRecord(top.names, read.values, false)
  }

  function readValue(bytes: Buffer, from: number, name: string): unknown {
    return bytes[from] === OPEN ? readFlat(bytes, from, name) : readScalar(bytes, from)
  }

  function readFlat(bytes: Buffer, from: number, field: string): FlatRecord | typeof UNUSUAL {
    const shape = shapes.get(field) ?? EMPTY
    if (shape.numeric) {
      // Doubles alone in an array take V8 no objects of their own.
      const numbers = readLike<number>(bytes, from, shape, [], readFinite)
      if (numbers && numbers !== UNUSUAL) return new FlatRecord(shape.names, numbers, true)
    }
    const values = readLike<unknown>(bytes, from, shape, [], readScalar)
    if (values === UNUSUAL) return UNUSUAL
    const read = values ? { shape, values } : readNew(bytes, from, readScalar)
    if (read === UNUSUAL) return UNUSUAL
    read.shape.numeric = read.values.every(Number.isFinite)
    shapes.set(field, read.shape)
    return new FlatRecord(read.shape.names, read.values, read.shape.numeric)
  }

  /**
   * The values of an object with the names of the one before; undefined where it has others, or none: those are read anew.
   *
   * @param values to be filled
   */
  function readLike<T>(
    bytes: Buffer,
    from: number,
    { names, heads }: Shape,
    values: T[],
    readMember: (bytes: Buffer, from: number, name: string) => T | typeof UNUSUAL,
  ): T[] | typeof UNUSUAL | undefined {
    let i = from + 1
    for (let k = 0; k < names.length; k++) {
      const head = heads[k]!
      if (!startsWith(bytes, i, head)) return undefined
      const value = readMember(bytes, i + head.length, names[k]!)
      if (value === UNUSUAL) return UNUSUAL
      values.push(value)
      i = at + 1
      if (bytes[at] === COMMA) continue
      if (bytes[at] !== CLOSE || k < names.length - 1) return undefined
      at = i
      return values
    }
    return undefined
  }

  /** An object unlike the one before; given up where it is unusual or gives a name twice. */
  function readNew(
    bytes: Buffer,
    from: number,
    readMember: (bytes: Buffer, from: number, name: string) => unknown,
  ): { shape: Shape; values: unknown[] } | typeof UNUSUAL {
    const shape: Shape = { names: [], heads: [], numeric: false }
    const values: unknown[] = []
    at = from + 1
    if (bytes[at] === CLOSE) {
      at++
      return { shape, values }
    }
    for (;;) {
      const head = at
      const name = readString(bytes, head)
      if (typeof name !== 'string' || bytes[at] !== COLON) return UNUSUAL
      shape.names.push(name)
      shape.heads.push(Uint8Array.from(bytes.subarray(head, at + 1)))
      const value = readMember(bytes, at + 1, name)
      if (value === UNUSUAL) return UNUSUAL
      values.push(value)
      const c = bytes[at++]
      if (c === COMMA) continue
      const areDistinct = new Set(shape.names).size === shape.names.length
      return c === CLOSE && areDistinct ? { shape, values } : UNUSUAL
    }
  }

  function readFinite(bytes: Buffer, from: number): number | typeof UNUSUAL {
    const value = readNumber(bytes, from)
    return Number.isFinite(value) ? value : UNUSUAL
  }

  function readScalar(bytes: Buffer, from: number): unknown {
    const c = bytes[from]!
    if (c === QUOTE) return readString(bytes, from)
    if (c === MINUS || (c >= ZERO && c <= ZERO + 9)) {
      const value = readNumber(bytes, from)
      return Number.isNaN(value) ? UNUSUAL : value
    }
    for (const [word, value] of WORDS) {
      if (!startsWith(bytes, from, word)) continue
      at = from + word.length
      return value
    }
    return UNUSUAL
  }

  function readString(bytes: Buffer, from: number): string | typeof UNUSUAL {
    if (bytes[from] !== QUOTE) return UNUSUAL
    const limit = end
    let close = from + 1
    for (; close < limit; close++) {
      const c = bytes[close]!
      if (c === QUOTE) break
      if (c === BACKSLASH || c < 32 || c > 127) return UNUSUAL
    }
    if (close === limit) return UNUSUAL
    at = close + 1
    return textAt(bytes, from + 1, close)
  }

  /**
   * Digits, and a fraction, both short: their quotient by a power of ten is the nearest double (Clinger's fast path).
   * NaN, which JSON does not have, where it is unusual.
   */
  function readNumber(bytes: Buffer, from: number): number {
    const negative = bytes[from] === MINUS
    const first = negative ? from + 1 : from
    let i = first
    let mantissa = 0
    let digit = bytes[i]! - ZERO
    while (digit >= 0 && digit <= 9) {
      mantissa = 10 * mantissa + digit
      digit = bytes[++i]! - ZERO
    }
    let digits = i - first
    if (digits === 0 || (digits > 1 && bytes[first] === ZERO)) return NaN
    let fraction = 0
    if (digit === DOT - ZERO) {
      const point = i
      digit = bytes[++i]! - ZERO
      while (digit >= 0 && digit <= 9) {
        mantissa = 10 * mantissa + digit
        digit = bytes[++i]! - ZERO
      }
      fraction = i - point - 1
      if (fraction === 0) return NaN
      digits += fraction
    }
    if (digit !== COMMA - ZERO && digit !== CLOSE - ZERO) return NaN
    at = i
    if (digits > MAX_DIGITS) {
      const text = bytes.toString('latin1', from, i)
      return isExact(Number(text), text) ? Number(text) : NaN
    }
    const value = mantissa / POWERS[fraction]!
    return negative ? -value : value
  }
}
