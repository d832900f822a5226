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

  constructor(names: readonly string[], values: readonly unknown[]) {
    this.names = names
    this.values = values
  }

  static of(object: object): Members {
    return new Members(Object.keys(object), Object.values(object))
  }

  toObject(): Record<string, unknown> {
    return Object.fromEntries(this.names.map((name, i) => [name, this.values[i]]))
  }
}

/** Names of an object, and each with its quotes and colon as bytes. */
interface Shape {
  names: string[]
  bytes: Uint8Array[]
}

const QUOTE = 34
const COMMA = 44
const MINUS = 45
const DOT = 46
const ZERO = 48
const COLON = 58
const OPEN = 123
const CLOSE = 125
const BACKSLASH = 92

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
  let top: Shape = { names: [], bytes: [] }
  const shapes = new Map<string, Shape>()
  let bytes: Buffer = Buffer.alloc(0)
  let at = 0
  let end = 0

  return {
    event: (input, from = 0, to = input.length) => read(input, from, to, readTop),
    flat: (input) => {
      const members = read(input, 0, input.length, () => readFlat(''))
      return members === UNUSUAL ? undefined : members
    },
  }

  function read<T>(input: Buffer, from: number, to: number, readObject: () => T): T | undefined {
    bytes = input
    at = from
    end = to
    // Reading may run past the end, into the bytes behind it; then `at` is not the end.
    if (at === end || bytes[at] !== OPEN) return undefined
    const object = readObject()
    return at === end ? object : undefined
  }

  function readTop(): Record<string, unknown> | undefined {
    const event: Record<string, unknown> = {}
    const reading = startOf(top)
    at++
    for (;;) {
      const name = nextName(reading)
      if (name === undefined) return undefined
      const value = bytes[at] === OPEN ? readFlat(name) : readScalar()
      if (value === UNUSUAL) return undefined
      event[name] = value
      const c = bytes[at++]
      if (c === COMMA) continue
      if (c !== CLOSE) return undefined
      const shape = shapeOf(reading)
      if (shape === undefined) return undefined
      top = shape
      return event
    }
  }

  function readFlat(field: string): Members | typeof UNUSUAL {
    const reading = startOf(shapes.get(field))
    const values: unknown[] = []
    at++
    if (bytes[at] === CLOSE) {
      at++
      return new Members([], [])
    }
    for (;;) {
      if (nextName(reading) === undefined) return UNUSUAL
      const value = readScalar()
      if (value === UNUSUAL) return UNUSUAL
      values.push(value)
      const c = bytes[at++]
      if (c === COMMA) continue
      if (c !== CLOSE) return UNUSUAL
      const shape = shapeOf(reading)
      if (shape === undefined) return UNUSUAL
      if (shape !== reading.shape) shapes.set(field, shape)
      return new Members(shape.names, values)
    }
  }

  /** The next name, its colon behind us; undefined where it is unusual. */
  function nextName(reading: Reading): string | undefined {
    const { shape, count } = reading
    const expected = reading.own === undefined ? shape.bytes[count] : undefined
    if (expected !== undefined && startsWith(expected)) {
      at += expected.length
      reading.count++
      return shape.names[count]
    }
    const from = at
    const name = readString()
    if (typeof name !== 'string' || bytes[at] !== COLON) return undefined
    at++
    reading.own ??= { names: shape.names.slice(0, count), bytes: shape.bytes.slice(0, count) }
    reading.own.names.push(name)
    reading.own.bytes.push(Uint8Array.from(bytes.subarray(from, at)))
    reading.count++
    return name
  }

  function startsWith(expected: Uint8Array): boolean {
    for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false
    return true
  }

  function readScalar(): unknown {
    const c = bytes[at]!
    if (c === QUOTE) return readString()
    if (c === MINUS || (c >= ZERO && c <= ZERO + 9)) return readNumber()
    if (isWord('true')) return true
    if (isWord('false')) return false
    return isWord('null') ? null : UNUSUAL
  }

  function isWord(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return false
    at += word.length
    return true
  }

  function readString(): string | typeof UNUSUAL {
    if (bytes[at] !== QUOTE) return UNUSUAL
    const from = at + 1
    let close = from
    for (; close < end; close++) {
      const c = bytes[close]!
      if (c === QUOTE) break
      if (c === BACKSLASH || c < 32 || c > 127) return UNUSUAL
    }
    if (close === end) return UNUSUAL
    at = close + 1
    return bytes.toString('latin1', from, close)
  }

  /** Digits, and a fraction, both short: their quotient by a power of ten is the nearest double (Clinger's fast path). */
  function readNumber(): number | typeof UNUSUAL {
    const negative = bytes[at] === MINUS
    if (negative) at++
    const from = at
    let mantissa = 0
    let c = bytes[at]!
    while (c >= ZERO && c <= ZERO + 9) {
      mantissa = 10 * mantissa + (c - ZERO)
      c = bytes[++at]!
    }
    const whole = at - from
    if (whole === 0 || (whole > 1 && bytes[from] === ZERO)) return UNUSUAL
    let fraction = 0
    if (c === DOT) {
      const point = at
      c = bytes[++at]!
      while (c >= ZERO && c <= ZERO + 9) {
        mantissa = 10 * mantissa + (c - ZERO)
        c = bytes[++at]!
      }
      fraction = at - point - 1
      if (fraction === 0) return UNUSUAL
    }
    if (c !== COMMA && c !== CLOSE) return UNUSUAL
    if (whole + fraction > MAX_DIGITS)
      return Number(bytes.toString('latin1', negative ? from - 1 : from, at))
    const value = mantissa / POWERS[fraction]!
    return negative ? -value : value
  }
}

/** How far an object agrees with a shape, and its own names from where it does not. */
interface Reading {
  shape: Shape
  count: number
  own: Shape | undefined
}

const EMPTY: Shape = { names: [], bytes: [] }

const startOf = (shape: Shape = EMPTY): Reading => ({ shape, count: 0, own: undefined })

/** The shape of what was read; undefined where a name was given twice. */
function shapeOf({ shape, count, own }: Reading): Shape | undefined {
  if (own === undefined && count === shape.names.length) return shape
  const found = own ?? { names: shape.names.slice(0, count), bytes: shape.bytes.slice(0, count) }
  const isPlain =
    new Set(found.names).size === found.names.length && !found.names.includes('__proto__')
  return isPlain ? found : undefined
}
