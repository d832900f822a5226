/**
 * Reads data of an Avro schema as its writer wrote them, in place and without an object an event: what a library makes of a record
 * of thirty fields costs as much as all that comes after it. A property test holds it to avsc, the library.
 *
 * Records and maps become {@link Members}, timestamps `Date`s, enums strings, bytes and `fixed` a `Buffer`; other logical types
 * are read as what they rest on.
 *
 * Format: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
import { byNames, Members } from './members.ts'
import { recurringTexts } from './recurring-texts.ts'

/** The value that fills the bytes from one place to another. @throws AvroError where there is none */
export type AvroDecoder = (bytes: Buffer, from: number, to: number) => unknown

export class AvroError extends Error {}

/** How a string is read. */
export type ReadText = (bytes: Buffer, from: number, to: number) => unknown

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

/** More elements than an event has bytes are a fault, also where an element takes none. */
const MOST_ELEMENTS = 2 ** 20

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
  const textAt = recurringTexts('utf8')
  const named = new Map<string, Read>()
  const read = readerOf(schema, '', textAt, texts)
  return (input, from, to) => {
    bytes = input
    at = from
    end = to
    const value = read()
    if (at !== end) throw new AvroError('the value does not end where its bytes do')
    return value
  }

  /** @param fieldTexts what `texts` says, within the outermost record alone */
  function readerOf(
    type: unknown,
    namespace: string,
    text: ReadText,
    fieldTexts: Readonly<Record<string, ReadText>> = {},
  ): Read {
    if (Array.isArray(type))
      return union(
        type.map((branch) => readerOf(branch, namespace, text)),
        type[0] === 'null',
      )
    if (typeof type === 'string') return plain(type, text) ?? known(type, namespace)
    if (typeof type !== 'object' || type === null) throw new AvroError('a schema has no type')
    const complex = type as Complex
    const { fullName, within } = nameOf(complex, namespace)
    const keep = (reader: Read) => {
      if (fullName) named.set(fullName, reader)
      return reader
    }
    switch (complex.type) {
      case 'record':
      case 'error': {
        // A record may hold itself.
        const readers: Read[] = []
        const names = (complex.fields ?? []).map((field) => field.name)
        const reader = keep(() => new Members(names, valuesOf(readers), false))
        for (const field of complex.fields ?? [])
          readers.push(readerOf(field.type, within, fieldTexts[field.name] ?? textAt))
        return reader
      }
      case 'enum': {
        const symbols = complex.symbols ?? []
        return keep(() => symbols[index(symbols.length)])
      }
      case 'fixed': {
        const size = complex.size ?? 0
        return keep(() => slice(size))
      }
      case 'array':
        return arrayOf(readerOf(complex.items, namespace, textAt))
      case 'map':
        return mapOf(readerOf(complex.values, namespace, textAt))
      default: {
        const reader = readerOf(complex.type, namespace, text)
        const perMs = complex.type === 'long' ? PER_MS[complex.logicalType ?? ''] : undefined
        return perMs ? () => new Date(Math.floor((reader() as number) / perMs)) : reader
      }
    }
  }

  function plain(type: string, text: ReadText): Read | undefined {
    switch (type) {
      case 'null':
        return () => null
      case 'boolean':
        return () => bytes[take(1)] !== 0
      case 'int':
      case 'long':
        return long
      case 'float':
        return () => bytes.readFloatLE(take(4))
      case 'double':
        return () => bytes.readDoubleLE(take(8))
      case 'bytes':
        return () => slice(long())
      case 'string':
        return () => {
          const from = take(long())
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
      const values: unknown[] = []
      for (let left = block(); left > 0; left = block())
        for (; left > 0; left--) values.push(item())
      return values
    }
  }

  function mapOf(value: Read): Read {
    let names: string[] = []
    const areDistinct = byNames((of) => new Set(of).size === of.length)
    return () => {
      const values: unknown[] = []
      // Mostly the names of the map before: then they are that very array.
      let found = names
      for (let left = block(); left > 0; left = block())
        for (; left > 0; left--) {
          const from = take(long())
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
      return new Members(names, values, values.every(Number.isFinite))
    }
  }

  /** The place of so many bytes, which are then behind. */
  function take(length: number): number {
    const from = at
    at += length
    if (!(length >= 0 && at <= end)) throw new AvroError('the value is longer than its bytes')
    return from
  }

  function slice(length: number): Buffer {
    const from = take(length)
    return bytes.subarray(from, at)
  }

  function index(choices: number): number {
    const place = long()
    if (!(place >= 0 && place < choices)) throw new AvroError(`there is no choice ${place}`)
    return place
  }

  /** Elements in the block that begins here; 0 where there is none. */
  function block(): number {
    const count = long()
    // A negative count is followed by the block's size, for readers that skip it.
    if (count < 0) long()
    const elements = Math.abs(count)
    if (elements > MOST_ELEMENTS) throw new AvroError(`${elements} elements are too many`)
    return elements
  }

  /** A zigzag varint; exact to 2^53. */
  function long(): number {
    let byte = bytes[take(1)]!
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 127
    for (let scale = 128; byte >= 128; scale *= 128) {
      byte = bytes[take(1)]!
      value += (byte & 127) * scale
    }
    const number = value % 2 === 0 ? value / 2 : -(value + 1) / 2
    if (!Number.isSafeInteger(number)) throw new AvroError('a long is beyond 2^53')
    return number
  }
}

function valuesOf(readers: readonly Read[]): unknown[] {
  const values: unknown[] = []
  for (let i = 0; i < readers.length; i++) values.push(readers[i]!())
  return values
}

/** How many of a timestamp's units a millisecond has. */
const PER_MS: Readonly<Record<string, number>> = { 'timestamp-millis': 1, 'timestamp-micros': 1000 }

/** A type's name with its namespace, and the namespace within it. */
function nameOf({ name, namespace }: Complex, outer: string) {
  if (!name) return { fullName: '', within: outer }
  if (name.includes('.')) return { fullName: name, within: name.slice(0, name.lastIndexOf('.')) }
  const within = namespace ?? outer
  return { fullName: within ? `${within}.${name}` : name, within }
}
