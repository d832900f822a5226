/**
 * Reads data of an Avro schema as its writer wrote them, in place and without an object an event: what a library makes of a record
 * of thirty fields costs as much as all that comes after it. A property test holds it to avsc, the library.
 *
 * Records and maps become {@link FlatRecord}, timestamps `Date`s, enums strings, bytes and `fixed` a `Buffer`, longs beyond 2^53 a
 * bigint, decimals {@link DECIMAL}; other logical types are read as what they rest on.
 *
 * A schema comes from whoever may register one, and a few bytes can stand for any number of values: depth and values are bounded.
 *
 * Format: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
import { perShape, FlatRecord } from '../flat-record.ts'
import { recurringTexts } from '../json/string-cache.ts'

/** The value that fills the bytes from one place to another. @throws AvroError where there is none */
export type AvroDecoder = (bytes: Buffer, from: number, to: number) => unknown

export class AvroError extends Error {}

/** How a string is read. */
export type ReadText = (bytes: Buffer, from: number, to: number) => unknown

/** Stands for a value of the logical type decimal, which is not read: a double would not be exactly it. */
export const DECIMAL = Symbol('decimal')

type Read = () => unknown
interface Complex {
  type: unknown
  name?: string
  namespace?: string
  logicalType?: string
  fields?: { name: string; type: unknown }[]
  symbols?: string[]
  items?: unknown
  values?: unknown
  size?: number
}

/** More values than an event has bytes are a fault, also where a value takes none. */
const MAX_VALUES = 2 ** 20
/** Records, arrays, maps and unions within one another, of a schema and of a value. */
export const MAX_DEPTH = 64

/**
 * @param schema as parsed from JSON
 * @param texts how the strings of some fields of the outermost record are read; those within their arrays and maps, and of all
 *   other fields, are text
 * @throws AvroError for a schema that is none
 */
export function avroDecoder(
  schema: unknown,
  texts: Readonly<Record<string, ReadText>> = {},
): AvroDecoder {
  let bytes: Buffer = Buffer.alloc(0)
  let at = 0
  let end = 0
  /** Of the type that is read now, or made. */
  let depth = 0
  /** Values that may still come. */
  let left = 0
  const textAt = recurringTexts('utf8')
  const named = new Map<string, Read>()
  const fieldTexts = new Map(Object.entries(texts))
  const read = readerOf(schema, '', textAt, fieldTexts)
  return (input, from, to) => {
    bytes = input
    at = from
    end = to
    depth = 0
    left = MAX_VALUES
    const value = read()
    if (at !== end) throw new AvroError('the value does not end where its bytes do')
    return value
  }

  /** @param fieldTexts what `texts` says, within the outermost record alone */
  function readerOf(
    type: unknown,
    namespace: string,
    text: ReadText,
    fieldTexts?: ReadonlyMap<string, ReadText>,
  ): Read {
    if (typeof type === 'string') return plain(type, text) ?? known(type, namespace)
    if (typeof type !== 'object' || type === null) throw new AvroError('a schema has no type')
    enter()
    const reader = Array.isArray(type)
      ? union(
          type.map((branch) => readerOf(branch, namespace, text)),
          type[0] === 'null',
        )
      : complexReader(type as Complex, namespace, text, fieldTexts)
    depth--
    return reader
  }

  function complexReader(
    complex: Complex,
    namespace: string,
    text: ReadText,
    fieldTexts?: ReadonlyMap<string, ReadText>,
  ): Read {
    const { fullName, within } = nameOf(complex, namespace)
    const keep = (reader: Read) => {
      const read = complex.logicalType === 'decimal' ? asDecimal(reader) : reader
      if (fullName) named.set(fullName, read)
      return read
    }
    switch (complex.type) {
      case 'record':
      case 'error': {
        // A record may hold itself.
        const readers: Read[] = []
        const fields = complex.fields ?? []
        const names = fields.map((field) => field.name)
        const reader = keep(() => {
          enter()
          spend(readers.length)
          const values = valuesOf(readers)
          depth--
          return new FlatRecord(names, values, false)
        })
        for (const field of fields)
          readers.push(readerOf(field.type, within, fieldTexts?.get(field.name) ?? textAt))
        return reader
      }
      case 'enum': {
        const symbols = complex.symbols ?? []
        return keep(() => symbols[index(symbols.length)])
      }
      case 'fixed': {
        const { size } = complex
        if (!Number.isSafeInteger(size)) throw new AvroError('a fixed type has no size')
        return keep(() => slice(size!))
      }
      case 'array':
        return arrayOf(readerOf(complex.items, namespace, textAt))
      case 'map':
        return mapOf(readerOf(complex.values, namespace, textAt))
      default:
        return logical(complex, readerOf(complex.type, namespace, text))
    }
  }

  /** The deepest call within a value: what is deeper would end the stack. */
  function enter(): void {
    if (++depth > MAX_DEPTH) throw new AvroError(`it is deeper than ${MAX_DEPTH}`)
  }

  function spend(values: number): void {
    left -= values
    if (left < 0) throw new AvroError(`more than ${MAX_VALUES} values are too many`)
  }

  function plain(type: string, text: ReadText): Read | undefined {
    switch (type) {
      case 'null':
        return () => null
      case 'boolean':
        return () => bytes[take(1)] !== 0
      case 'int':
        return int
      case 'long':
        return long
      case 'float':
        return () => bytes.readFloatLE(take(4))
      case 'double':
        return () => bytes.readDoubleLE(take(8))
      case 'bytes':
        return () => slice(length())
      case 'string':
        return () => {
          const from = take(length())
          return text(bytes, from, at)
        }
    }
    return undefined
  }

  function known(name: string, namespace: string): Read {
    const reader = named.get(name) ?? named.get(`${namespace}.${name}`)
    if (!reader) throw new AvroError(`the schema has no type ${name}`)
    return reader
  }

  /** @param nullFirst what is not given, as most fields of an event are not, is one zero byte */
  function union(branches: readonly Read[], nullFirst: boolean): Read {
    return () => {
      if (nullFirst && bytes[at] === 0 && at < end) {
        at++
        return null
      }
      return branches[index(branches.length)]!()
    }
  }

  function arrayOf(item: Read): Read {
    return () => {
      enter()
      const values: unknown[] = []
      for (let more = block(); more > 0; more = block())
        for (; more > 0; more--) values.push(item())
      depth--
      return values
    }
  }

  function mapOf(value: Read): Read {
    let names: string[] = []
    const areDistinct = perShape((of) => new Set(of).size === of.length)
    return () => {
      enter()
      const values: unknown[] = []
      // Mostly the names of the map before: then they are that very array.
      let found = names
      for (let more = block(); more > 0; more = block())
        for (; more > 0; more--) {
          const from = take(length())
          const name = textAt(bytes, from, at)
          const k = values.length
          if (name !== found[k]) {
            if (found === names) found = names.slice(0, k)
            found[k] = name
          }
          values.push(value())
        }
      if (found.length > values.length) found = found.slice(0, values.length)
      names = found
      if (!areDistinct.of(names)) throw new AvroError('a map gives a key twice')
      depth--
      return new FlatRecord(names, values, values.every(Number.isFinite))
    }
  }

  /** The place of so many bytes, which are then behind. */
  function take(bytesTaken: number): number {
    const from = at
    at += bytesTaken
    if (!(bytesTaken >= 0 && at <= end)) throw new AvroError('the value is longer than its bytes')
    return from
  }

  function slice(bytesTaken: number): Buffer {
    const from = take(bytesTaken)
    return bytes.subarray(from, at)
  }

  function index(choices: number): number {
    const place = length()
    if (!(place >= 0 && place < choices)) throw new AvroError(`there is no choice ${place}`)
    return place
  }

  /** Elements in the block that begins here; 0 where there is none. */
  function block(): number {
    const count = length()
    // A negative count is followed by the block's size, for readers that skip it.
    if (count < 0) long()
    const elements = Math.abs(count)
    spend(elements)
    return elements
  }

  /** A long that tells how many, or which. */
  function length(): number {
    const value = long()
    if (typeof value === 'bigint') throw new AvroError(`a length of ${value} is too long`)
    return value
  }

  /** A long of 32 bits. */
  function int(): number {
    const value = long()
    if (value !== Number(value) >> 0)
      throw new AvroError(`an int of ${value} is longer than 32 bits`)
    return value
  }

  /** A zigzag varint; a bigint from 2^53 on. */
  function long(): number | bigint {
    const from = at
    let byte = bytes[take(1)]!
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 127
    for (let scale = 128; byte >= 128; scale *= 128) {
      if (at - from === LONGEST_VARINT) throw new AvroError('a long is longer than 64 bits')
      byte = bytes[take(1)]!
      value += (byte & 127) * scale
    }
    // Beyond that the sum is not exact.
    if (!Number.isSafeInteger(value)) return exactLong(bytes.subarray(from, at))
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

const LONGEST_VARINT = 10

function exactLong(varint: Buffer): number | bigint {
  let zigzag = 0n
  for (let i = varint.length - 1; i >= 0; i--) zigzag = (zigzag << 7n) | BigInt(varint[i]! & 127)
  zigzag = BigInt.asUintN(64, zigzag)
  const value = (zigzag >> 1n) ^ -(zigzag & 1n)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

const asDecimal = (reader: Read) => () => {
  reader()
  return DECIMAL
}

/** How a type is read that says more than the one it rests on. */
function logical({ type, logicalType = '' }: Complex, reader: Read): Read {
  if (logicalType === 'decimal' && type === 'bytes') return asDecimal(reader)
  const perMs = type === 'long' ? PER_MS.get(logicalType) : undefined
  if (perMs === undefined) return reader
  return () => {
    const time = reader() as number | bigint
    return typeof time === 'bigint' ? time : new Date(Math.floor(time / perMs))
  }
}

function valuesOf(readers: readonly Read[]): unknown[] {
  const values: unknown[] = []
  for (let i = 0; i < readers.length; i++) values.push(readers[i]!())
  return values
}

/** How many of a timestamp's units a millisecond has. */
const PER_MS: ReadonlyMap<string, number> = new Map([
  ['timestamp-millis', 1],
  ['timestamp-micros', 1000],
])

/** A type's name with its namespace, and the namespace within it. */
function nameOf({ name, namespace }: Complex, outer: string) {
  if (!name) return { fullName: '', within: outer }
  if (name.includes('.')) return { fullName: name, within: name.slice(0, name.lastIndexOf('.')) }
  const within = namespace ?? outer
  return { fullName: within ? `${within}.${name}` : name, within }
}
