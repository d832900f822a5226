/**
 * A fast reader for the JSON that producers really send: an object of scalars and of flat objects
 * of scalars.
 *
 * It reads bytes in one pass, keeps the names of the object before (the next one mostly has the
 * same, in the same order) and makes objects of none ({@link FlatRecord}). Anything out of the
 * ordinary, faults first of all, makes it give up: then
 * `JSON.parse` and the scanner decide. A property test holds the two readings together.
 */
import { isExact } from './exact-integers.ts'
import { FlatRecord } from '../flat-record.ts'
import { recurringTexts, startsWith } from './string-cache.ts'

/** The names of an object, and each of them with its quotes and colon as bytes. */
interface Shape {
  names: string[]
  heads: Uint8Array[]
  /** Whether the object read last had finite numbers only. */
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
/** Any number of so many digits is below 2^53. */
const MAX_DIGITS = 15

/**
 * Both functions read all of the bytes from one index to another. They return undefined where the
 * general way must decide, as it must for all that is not ASCII.
 */
export interface PlainJsonReader {
  /** Reads an object of scalars and of flat objects, which are {@link FlatRecord} too. */
  event: (bytes: Buffer, from?: number, to?: number) => FlatRecord | undefined
  /** Reads an object of scalars. */
  flat: (bytes: Buffer, from?: number, to?: number) => FlatRecord | undefined
}

/**
 * Makes a reader with its own memory of the names and strings it met; it must not be called within
 * itself.
 */
export function plainJsonReader(): PlainJsonReader {
  const reading = new Reading()
  return {
    event: (bytes, from = 0, to = bytes.length) => {
      if (!reading.begin(bytes, from, to)) return undefined
      return reading.whole(readTop(reading, from))
    },
    flat: (bytes, from = 0, to = bytes.length) => {
      if (!reading.begin(bytes, from, to)) return undefined
      return reading.whole(readFlat(reading, from, ''))
    },
  }
}

/** Reads the value of a member, by its name; leaves in `at` where it ended. */
type ReadMember<T> = (reading: Reading, from: number, name: string) => T | typeof UNUSUAL

/** The text that is read now, and what is remembered of those before. */
class Reading {
  bytes: Buffer = Buffer.alloc(0)
  /**
   * Where the text ends. Reading may run past it, into the bytes behind: then `at` is not the end.
   */
  end = 0
  /** Where the token read last has ended. */
  at = 0
  /** The shape of the outermost object read last. */
  top = EMPTY
  /** The shape of the object read last in each field, by name. */
  readonly shapes = new Map<string, Shape>()
  readonly textAt = recurringTexts('latin1')

  /** @returns whether the text may be an object */
  begin(bytes: Buffer, from: number, to: number): boolean {
    this.bytes = bytes
    this.end = to
    return from !== to && bytes[from] === OPEN
  }

  /** The object, where it fills the text. */
  whole(object: FlatRecord | typeof UNUSUAL): FlatRecord | undefined {
    return object !== UNUSUAL && this.at === this.end ? object : undefined
  }

  /**
   * The values of an object with the names of the one before; undefined where it has others, or
   * none: those are read anew.
   *
   * @param values to be filled
   */
  like<T>(
    from: number,
    { names, heads }: Shape,
    values: T[],
    readMember: ReadMember<T>,
  ): T[] | typeof UNUSUAL | undefined {
    const { bytes } = this
    let i = from + 1
    for (let k = 0; k < names.length; k++) {
      const head = heads[k]!
      if (!startsWith(bytes, i, head)) return undefined
      const value = readMember(this, i + head.length, names[k]!)
      if (value === UNUSUAL) return UNUSUAL
      values.push(value)
      i = this.at + 1
      const c = bytes[i - 1]
      if (c === COMMA) continue
      if (c !== CLOSE || k < names.length - 1) return undefined
      this.at = i
      return values
    }
    return undefined
  }
}

function readTop(reading: Reading, from: number): FlatRecord | typeof UNUSUAL {
  const { top } = reading
  const values = reading.like<unknown>(from, top, [], readValue)
  if (values === UNUSUAL) return UNUSUAL
  if (values) return new FlatRecord(top.names, values, false)
  const read = readNew(reading, from, readValue)
  if (read === UNUSUAL) return UNUSUAL
  reading.top = read.shape
  return new FlatRecord(read.shape.names, read.values, false)
}

function readValue(reading: Reading, from: number, name: string): unknown {
  return reading.bytes[from] === OPEN ? readFlat(reading, from, name) : readScalar(reading, from)
}

function readFlat(reading: Reading, from: number, field: string): FlatRecord | typeof UNUSUAL {
  const shape = reading.shapes.get(field) ?? EMPTY
  if (shape.numeric) {
    // Doubles alone in an array take V8 no objects of their own.
    const numbers = reading.like<number>(from, shape, [], readFinite)
    if (numbers && numbers !== UNUSUAL) return new FlatRecord(shape.names, numbers, true)
  }
  const values = reading.like<unknown>(from, shape, [], readScalar)
  if (values === UNUSUAL) return UNUSUAL
  const read = values ? { shape, values } : readNew(reading, from, readScalar)
  if (read === UNUSUAL) return UNUSUAL
  read.shape.numeric = read.values.every(Number.isFinite)
  reading.shapes.set(field, read.shape)
  return new FlatRecord(read.shape.names, read.values, read.shape.numeric)
}

/** Reads an object unlike the one before; gives up where it is unusual or gives a name twice. */
function readNew(
  reading: Reading,
  from: number,
  readMember: ReadMember<unknown>,
): { shape: Shape; values: unknown[] } | typeof UNUSUAL {
  const { bytes } = reading
  const shape: Shape = { names: [], heads: [], numeric: false }
  const values: unknown[] = []
  if (bytes[from + 1] === CLOSE) {
    reading.at = from + 2
    return { shape, values }
  }
  let head = from + 1
  for (;;) {
    const name = readString(reading, head)
    if (typeof name !== 'string' || bytes[reading.at] !== COLON) return UNUSUAL
    const colon = reading.at
    shape.names.push(name)
    shape.heads.push(Uint8Array.from(bytes.subarray(head, colon + 1)))
    const value = readMember(reading, colon + 1, name)
    if (value === UNUSUAL) return UNUSUAL
    values.push(value)
    const c = bytes[reading.at++]
    head = reading.at
    if (c === COMMA) continue
    const areDistinct = new Set(shape.names).size === shape.names.length
    return c === CLOSE && areDistinct ? { shape, values } : UNUSUAL
  }
}

function readFinite(reading: Reading, from: number): number | typeof UNUSUAL {
  const value = readNumber(reading, from)
  return Number.isFinite(value) ? value : UNUSUAL
}

function readScalar(reading: Reading, from: number): unknown {
  const { bytes } = reading
  const c = bytes[from]!
  if (c === QUOTE) return readString(reading, from)
  if (c === MINUS || (c >= ZERO && c <= ZERO + 9)) {
    const value = readNumber(reading, from)
    return Number.isNaN(value) ? UNUSUAL : value
  }
  for (const [word, value] of WORDS) {
    if (!startsWith(bytes, from, word)) continue
    reading.at = from + word.length
    return value
  }
  return UNUSUAL
}

function readString(reading: Reading, from: number): string | typeof UNUSUAL {
  const { bytes, end } = reading
  if (bytes[from] !== QUOTE) return UNUSUAL
  let close = from + 1
  for (; close < end; close++) {
    const c = bytes[close]!
    if (c === QUOTE) break
    if (c === BACKSLASH || c < 32 || c > 127) return UNUSUAL
  }
  if (close === end) return UNUSUAL
  reading.at = close + 1
  return reading.textAt(bytes, from + 1, close)
}

/**
 * Digits, and a fraction, both short: their quotient by a power of ten is the nearest double
 * (Clinger's fast path). NaN, which JSON does not have, where it is unusual.
 */
function readNumber(reading: Reading, from: number): number {
  const { bytes } = reading
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
  reading.at = i
  if (digits > MAX_DIGITS) {
    const text = bytes.toString('latin1', from, i)
    return isExact(Number(text), text) ? Number(text) : NaN
  }
  const value = mantissa / POWERS[fraction]!
  return negative ? -value : value
}
