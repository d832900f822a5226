/**
 * Reads data of an Avro schema as its writer wrote them, in place and without an object an event:
 * what a library makes of a record of thirty fields costs as much as all that comes after it. A
 * property test holds it to avsc, the library.
 *
 * Records and maps become {@link FlatRecord}, timestamps `Date`s, enums strings, bytes and `fixed`
 * a `Buffer`, longs beyond 2^53 a bigint, decimals {@link DECIMAL}; other logical types are read as
 * the type they rest on.
 *
 * A schema comes from whoever may register one: its depth is bounded here, that of a value in
 * {@link AvroInput}.
 *
 * Format: https://avro.apache.org/docs/1.12.0/specification/#schema-declaration
 */
import { perShape, FlatRecord } from '../flat-record.ts'
import { recurringTexts } from '../json/string-cache.ts'
import { AvroError, AvroInput, MAX_DEPTH } from './input.ts'

/**
 * Reads the value that fills the bytes from one index to another. @throws AvroError where there is
 * none
 */
export type AvroDecoder = (bytes: Buffer, from: number, to: number) => unknown

/** Reads the bytes of a string, from one index to another. */
export type ReadText = (bytes: Buffer, from: number, to: number) => unknown

/**
 * Stands for a value of the logical type decimal, which is not read: a double would not be exactly
 * it.
 */
export const DECIMAL = Symbol('decimal')

/** Reads the value of one type where the input is. */
type Read = (input: AvroInput) => unknown

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

/** What is known while the readers of one schema are made. */
interface Schema {
  named: Map<string, Read>
  /** Reads strings without a reader of their own. */
  textAt: (bytes: Buffer, from: number, to: number) => string
  /** Depth of the type whose reader is made now. */
  depth: number
}

/** Where a type stands in its schema. */
interface Position {
  namespace: string
  /** Reads the strings of this type. */
  text: ReadText
  /** Readers of the strings of some fields, by name; given for the outermost record alone. */
  fieldTexts?: ReadonlyMap<string, ReadText> | undefined
}

/**
 * Makes the decoder of a schema; it keeps its input between calls, so it must not be called within
 * itself.
 *
 * @param schema as parsed from JSON
 * @param texts readers of the strings of some fields of the outermost record, by field; strings
 *   within their arrays and maps,
 *   and those of all other fields, are text
 * @throws AvroError for a schema that is none
 */
export function avroDecoder(
  schema: unknown,
  texts: Readonly<Record<string, ReadText>> = {},
): AvroDecoder {
  const textAt = recurringTexts('utf8')
  const fieldTexts = new Map(Object.entries(texts))
  const read = readerOf({ named: new Map(), textAt, depth: 0 }, schema, {
    namespace: '',
    text: textAt,
    fieldTexts,
  })
  const input = new AvroInput()
  return (bytes, from, to) => {
    input.begin(bytes, from, to)
    const value = read(input)
    if (input.at !== input.end) throw new AvroError('the value does not end where its bytes do')
    return value
  }
}

function readerOf(schema: Schema, type: unknown, position: Position): Read {
  if (typeof type === 'string')
    return primitive(type, position.text) ?? known(schema, type, position.namespace)
  if (typeof type !== 'object' || type === null) throw new AvroError('a schema has no type')
  if (++schema.depth > MAX_DEPTH) throw new AvroError(`it is deeper than ${MAX_DEPTH}`)
  const reader = Array.isArray(type)
    ? union(
        type.map((branch) => readerOf(schema, branch, { ...position, fieldTexts: undefined })),
        type[0] === 'null',
      )
    : complexReader(schema, type as Complex, position)
  schema.depth--
  return reader
}

function complexReader(schema: Schema, complex: Complex, position: Position): Read {
  const { fullName, within } = nameOf(complex, position.namespace)
  const keep = (reader: Read) => {
    const read = complex.logicalType === 'decimal' ? asDecimal(reader) : reader
    if (fullName) schema.named.set(fullName, read)
    return read
  }
  const inner = { namespace: position.namespace, text: schema.textAt }
  switch (complex.type) {
    case 'record':
    case 'error': {
      const fields = complex.fields ?? []
      const readers: Read[] = []
      // The record's name is known before its fields are read: a record may hold itself.
      const reader = keep(
        recordOf(
          fields.map(({ name }) => name),
          readers,
        ),
      )
      for (const { name, type } of fields) {
        const text = position.fieldTexts?.get(name) ?? schema.textAt
        readers.push(readerOf(schema, type, { namespace: within, text }))
      }
      return reader
    }
    case 'enum': {
      const symbols = complex.symbols ?? []
      return keep((input) => symbols[input.index(symbols.length)])
    }
    case 'fixed': {
      const { size } = complex
      if (!Number.isSafeInteger(size)) throw new AvroError('a fixed type has no size')
      return keep((input) => input.slice(size!))
    }
    case 'array':
      return arrayOf(readerOf(schema, complex.items, inner))
    case 'map':
      return mapOf(readerOf(schema, complex.values, inner), schema.textAt)
    default:
      return logical(
        complex,
        readerOf(schema, complex.type, { ...position, fieldTexts: undefined }),
      )
  }
}

function primitive(type: string, text: ReadText): Read | undefined {
  switch (type) {
    case 'null':
      return () => null
    case 'boolean':
      return (input) => input.bytes[input.take(1)] !== 0
    case 'int':
      return (input) => input.int()
    case 'long':
      return (input) => input.long()
    case 'float':
      return (input) => input.bytes.readFloatLE(input.take(4))
    case 'double':
      return (input) => input.bytes.readDoubleLE(input.take(8))
    case 'bytes':
      return (input) => input.slice(input.length())
    case 'string':
      return (input) => {
        const from = input.take(input.length())
        return text(input.bytes, from, input.at)
      }
  }
  return undefined
}

function known({ named }: Schema, name: string, namespace: string): Read {
  const reader = named.get(name) ?? named.get(`${namespace}.${name}`)
  if (!reader) throw new AvroError(`the schema has no type ${name}`)
  return reader
}

/** @param readers of the fields, in their order; filled after this call */
function recordOf(names: readonly string[], readers: readonly Read[]): Read {
  return (input) => {
    input.enter()
    input.spend(readers.length)
    const values: unknown[] = []
    for (let i = 0; i < readers.length; i++) values.push(readers[i]!(input))
    input.leave()
    return new FlatRecord(names, values, false)
  }
}

/**
 * @param nullFirst a field that is not given, as most fields of an event are not, is one zero byte
 */
function union(branches: readonly Read[], nullFirst: boolean): Read {
  return (input) => {
    if (nullFirst && input.bytes[input.at] === 0 && input.at < input.end) {
      input.at++
      return null
    }
    return branches[input.index(branches.length)]!(input)
  }
}

function arrayOf(item: Read): Read {
  return (input) => {
    input.enter()
    const values: unknown[] = []
    for (let more = input.block(); more > 0; more = input.block())
      for (; more > 0; more--) values.push(item(input))
    input.leave()
    return values
  }
}

function mapOf(value: Read, textAt: Schema['textAt']): Read {
  let names: string[] = []
  const areDistinct = perShape((of) => new Set(of).size === of.length)
  return (input) => {
    input.enter()
    const values: unknown[] = []
    // Most maps have the names of the map before: then the array of names is that very array.
    let found = names
    for (let more = input.block(); more > 0; more = input.block())
      for (; more > 0; more--) {
        const from = input.take(input.length())
        const name = textAt(input.bytes, from, input.at)
        const k = values.length
        if (name !== found[k]) {
          if (found === names) found = names.slice(0, k)
          found[k] = name
        }
        values.push(value(input))
      }
    if (found.length > values.length) found = found.slice(0, values.length)
    names = found
    if (!areDistinct.of(names)) throw new AvroError('a map gives a key twice')
    input.leave()
    return new FlatRecord(names, values, values.every(Number.isFinite))
  }
}

const asDecimal =
  (reader: Read): Read =>
  (input) => {
    reader(input)
    return DECIMAL
  }

/** The reader of a type whose `logicalType` says more than the type it rests on. */
function logical({ type, logicalType = '' }: Complex, reader: Read): Read {
  if (logicalType === 'decimal' && type === 'bytes') return asDecimal(reader)
  const perMs = type === 'long' ? PER_MS.get(logicalType) : undefined
  if (perMs === undefined) return reader
  return (input) => {
    const time = reader(input) as number | bigint
    return typeof time === 'bigint' ? time : new Date(Math.floor(time / perMs))
  }
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
