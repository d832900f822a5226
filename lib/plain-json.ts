/**
 * A fast reader for the JSON that producers really send: an object of scalars and of flat objects of scalars.
 *
 * It reads bytes in one pass, keeps the names of the object before (the next one mostly has the same, in the same order)
 * and makes no object of a feature map. Anything out of the ordinary, faults first of all, makes it give up: then
 * `JSON.parse` and the scanner decide. A property test holds the two readings together.
 */

/** The members of a flat object, in their order; no name twice. */
export class Members {
  readonly names: readonly string[]
  readonly values: readonly unknown[]
  /** Every value is a finite number. */
  readonly numeric: boolean

  constructor(names: readonly string[], values: readonly unknown[], numeric: boolean) {
    this.names = names
    this.values = values
    this.numeric = numeric
  }

  static of(object: object): Members {
    const values = Object.values(object) as unknown[]
    return new Members(Object.keys(object), values, values.every(Number.isFinite))
  }

  toObject(): Record<string, unknown> {
    return Object.fromEntries(this.names.map((name, i) => [name, this.values[i]]))
  }
}

/** Names of an object, and each with its quotes and colon as bytes. */
interface Shape {
  names: string[]
  heads: Uint8Array[]
}

const LONGEST_KNOWN = 20

const EMPTY: Shape = { names: [], heads: [] }

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
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i)
/** Digits that surely stay below 2^53. */
const MAX_DIGITS = 15

/** Both read all of the bytes from one place to another; undefined where the general way must decide, as it must for all that is not ASCII. */
export interface PlainJsonReader {
  /** An object, whose flat objects are {@link Members}. */
  event: (bytes: Buffer, from?: number, to?: number) => Record<string, unknown> | undefined
  /** An object of scalars. */
  flat: (bytes: Buffer) => Members | undefined
}

export function plainJsonReader(): PlainJsonReader {
  let top = EMPTY
  const shapes = new Map<string, Shape>()
  /** Of the input: where it ends, and where the token read last has ended. */
  let end = 0
  let at = 0
  const known: ({ bytes: Uint8Array; text: string } | undefined)[] = Array.from({ length: 256 })

  return {
    event: (input, from = 0, to = input.length) => read(input, from, to, readTop),
    flat: (input) => {
      const members = read(input, 0, input.length, (bytes, from) => readFlat(bytes, from, ''))
      return members === UNUSUAL ? undefined : members
    },
  }

  function read<T>(
    input: Buffer,
    from: number,
    to: number,
    readObject: (bytes: Buffer, from: number) => T,
  ): T | undefined {
    end = to
    // Reading may run past the end, into the bytes behind it; then `at` is not the end.
    if (from === to || input[from] !== OPEN) return undefined
    const object = readObject(input, from)
    return at === to ? object : undefined
  }

  // The readers below take a place, keep it in a local variable, and leave in `at` where they ended.

  function readTop(bytes: Buffer, from: number): Record<string, unknown> | undefined {
    const event: Record<string, unknown> = {}
    const { names, heads } = top
    let i = from + 1
    for (let k = 0; k < names.length; k++) {
      const head = heads[k]!
      if (!startsWith(bytes, i, head)) break
      const value = readValue(bytes, i + head.length, names[k]!)
      if (value === UNUSUAL) return undefined
      event[names[k]!] = value
      i = at + 1
      if (bytes[at] === COMMA) continue
      if (bytes[at] !== CLOSE || k < names.length - 1) break
      at = i
      return event
    }
    const read = readNew(bytes, from, readValue)
    if (read === undefined) return undefined
    top = read.shape
    return Object.fromEntries(read.shape.names.map((name, k) => [name, read.values[k]]))
  }

  function readValue(bytes: Buffer, from: number, name: string): unknown {
    return bytes[from] === OPEN ? readFlat(bytes, from, name) : readScalar(bytes, from)
  }

  function readFlat(bytes: Buffer, from: number, field: string): Members | typeof UNUSUAL {
    const { names, heads } = shapes.get(field) ?? EMPTY
    const values: unknown[] = []
    let numeric = true
    let i = from + 1
    for (let k = 0; k < names.length; k++) {
      const head = heads[k]!
      if (!startsWith(bytes, i, head)) break
      const value = readScalar(bytes, i + head.length)
      if (value === UNUSUAL) return UNUSUAL
      values.push(value)
      numeric &&= Number.isFinite(value)
      i = at + 1
      if (bytes[at] === COMMA) continue
      if (bytes[at] !== CLOSE || k < names.length - 1) break
      at = i
      return new Members(names, values, numeric)
    }
    const read = readNew(bytes, from, readScalar)
    if (read === undefined) return UNUSUAL
    shapes.set(field, read.shape)
    return new Members(read.shape.names, read.values, read.values.every(Number.isFinite))
  }

  /** An object unlike the one before; undefined where it is unusual or gives a name twice. */
  function readNew(
    bytes: Buffer,
    from: number,
    readMember: (bytes: Buffer, from: number, name: string) => unknown,
  ): { shape: Shape; values: unknown[] } | undefined {
    const shape: Shape = { names: [], heads: [] }
    const values: unknown[] = []
    at = from + 1
    if (bytes[at] === CLOSE) {
      at++
      return { shape, values }
    }
    for (;;) {
      const head = at
      const name = readString(bytes, head)
      if (typeof name !== 'string' || bytes[at] !== COLON) return undefined
      shape.names.push(name)
      shape.heads.push(Uint8Array.from(bytes.subarray(head, at + 1)))
      const value = readMember(bytes, at + 1, name)
      if (value === UNUSUAL) return undefined
      values.push(value)
      const c = bytes[at++]
      if (c === COMMA) continue
      const isPlain =
        new Set(shape.names).size === shape.names.length && !shape.names.includes('__proto__')
      return c === CLOSE && isPlain ? { shape, values } : undefined
    }
  }

  function readScalar(bytes: Buffer, from: number): unknown {
    const c = bytes[from]!
    if (c === QUOTE) return readString(bytes, from)
    if (c === MINUS || (c >= ZERO && c <= ZERO + 9)) return readNumber(bytes, from)
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

  /** Short strings, model names and categories, mostly come again: then none is made. */
  function textAt(bytes: Buffer, from: number, to: number): string {
    const length = to - from
    if (length > LONGEST_KNOWN || length === 0) return bytes.toString('latin1', from, to)
    const place = (length * 31 + bytes[from]! * 7 + bytes[to - 1]! * 3) & (known.length - 1)
    const found = known[place]
    if (found?.bytes.length === length && startsWith(bytes, from, found.bytes)) return found.text
    const text = bytes.toString('latin1', from, to)
    known[place] = { bytes: Uint8Array.from(bytes.subarray(from, to)), text }
    return text
  }

  /** Digits, and a fraction, both short: their quotient by a power of ten is the nearest double (Clinger's fast path). */
  function readNumber(bytes: Buffer, from: number): number | typeof UNUSUAL {
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
    if (digits === 0 || (digits > 1 && bytes[first] === ZERO)) return UNUSUAL
    let fraction = 0
    if (digit === DOT - ZERO) {
      const point = i
      digit = bytes[++i]! - ZERO
      while (digit >= 0 && digit <= 9) {
        mantissa = 10 * mantissa + digit
        digit = bytes[++i]! - ZERO
      }
      fraction = i - point - 1
      if (fraction === 0) return UNUSUAL
      digits += fraction
    }
    if (digit !== COMMA - ZERO && digit !== CLOSE - ZERO) return UNUSUAL
    at = i
    if (digits > MAX_DIGITS) return Number(bytes.toString('latin1', from, i))
    const value = mantissa / POWERS[fraction]!
    return negative ? -value : value
  }
}

function startsWith(bytes: Buffer, from: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false
  return true
}
