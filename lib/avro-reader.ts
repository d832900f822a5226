/**
 * Avro in Confluent's wire format: a zero byte, the writer schema's id (4 bytes, big-endian), the datum.
 *
 * Read with the writer's schema, ours or a service owner's own: what counts is that the decoded record is a valid event.
 * Times may be `timestamp-millis` or `-micros`; `features` a map, or a string that holds a JSON object.
 */
import avsc from 'avsc'
import { isUtf8 } from 'node:buffer'
import { spanOf, type LoggedMessage, type Span } from './event-log.ts'
import { distinctJson, type Event } from './event-verdict.ts'
import { plainJsonReader } from './plain-json.ts'
import type { SchemaRegistry } from './schema-registry.ts'

export interface AvroReader {
  /** Fetches the schemas of these messages. @throws when the registry cannot be asked: the range waits */
  prepare: (messages: readonly LoggedMessage[]) => Promise<void>
  decode: (value: Span) => Event | 'unknown_schema' | 'invalid_avro' | 'repeated_key'
}

const HEADER_BYTES = 5
const idOf = ({ bytes, from }: Span) => bytes.readInt32BE(from + 1)
const isFramed = ({ bytes, from, to }: Span) => bytes[from] === 0 && to - from >= HEADER_BYTES

export function avroReader(registry: SchemaRegistry): AvroReader {
  /** Of schemas the registry does not have, `undefined`; asked again with the next range that names them. */
  const types = new Map<number, WriterType | undefined>()
  const readPlain = plainJsonReader()
  const objectOf = (json: Buffer): unknown =>
    readPlain.flat(json) ?? (isUtf8(json) ? distinctJson(json.toString()) : json)
  return {
    prepare: async (messages) => {
      const wanted = new Set<number>()
      for (const message of messages) {
        const value = message.within ?? spanOf(message.value)
        if (isFramed(value) && types.get(idOf(value)) === undefined) wanted.add(idOf(value))
      }
      for (const id of wanted) {
        const schema = await registry.byId(id)
        types.set(id, schema === undefined ? undefined : typeOf(schema))
      }
    },
    decode: (value) => {
      const type = isFramed(value) ? types.get(idOf(value)) : undefined
      if (!type) return 'unknown_schema'
      const record = datumOf(type.avro, value)
      if (record === undefined) return 'invalid_avro'
      const event: Event = {}
      for (const name of type.names) {
        const given = record[name]
        if (given !== null) event[name] = given
      }
      if (Buffer.isBuffer(event['features'])) {
        event['features'] = objectOf(event['features'])
        if (event['features'] === undefined) return 'repeated_key'
      }
      return event
    },
  }
}

/** The record behind the header, which must fill the value; undefined where it does not. */
function datumOf(type: avsc.Type, { bytes, from, to }: Span): Event | undefined {
  try {
    const { value, offset } = type.decode(bytes, from + HEADER_BYTES)
    return offset === to ? (value as Event) : undefined
  } catch {
    return undefined
  }
}

interface WriterType {
  avro: avsc.Type
  /** Of the record's fields. */
  names: string[]
}

/** @returns undefined for what is no record: it cannot be an event */
function typeOf(schema: string): WriterType | undefined {
  const avro = avsc.Type.forSchema(withFeaturesAsBytes(JSON.parse(schema)) as avsc.Schema, {
    wrapUnions: 'never' as never,
    logicalTypes: { 'timestamp-millis': Millis, 'timestamp-micros': Micros },
  })
  return avro instanceof avsc.types.RecordType
    ? { avro, names: avro.fields.map((field) => field.name) }
    : undefined
}

/** A string and bytes are the same on the wire; as bytes the JSON of `features` needs no decoding first. */
function withFeaturesAsBytes(schema: { fields?: { name: string; type: unknown }[] }) {
  const asBytes = (type: unknown): unknown =>
    Array.isArray(type) ? type.map(asBytes) : isString(type) ? 'bytes' : type
  const fields = schema.fields?.map((field) =>
    field.name === 'features' ? { name: field.name, type: asBytes(field.type) } : field,
  )
  return fields ? { ...schema, fields } : schema
}

/** Java's serializers say `{ type: 'string', 'avro.java.string': … }`. */
const isString = (type: unknown) =>
  type === 'string' || (type as { type?: unknown } | null)?.type === 'string'

/** Times out of the range of `Date` stay numbers, and are refused as any wrong value is. */
function isoTime(ms: number): string | number {
  if (!(Math.abs(ms) <= 8.64e15)) return ms
  const day = Math.floor(ms / DAY_MS)
  // Most times are of the day of the time before.
  if (day !== lastDay) {
    lastDay = day
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, -13)
  }
  const clock = ms - day * DAY_MS
  const two = (value: number) => TWO_DIGITS[value]!
  const millis = clock % 1000
  return `${lastDate}${two(Math.floor(clock / 3_600_000))}:${two(Math.floor(clock / 60_000) % 60)}:${two(Math.floor(clock / 1000) % 60)}.${Math.floor(millis / 100)}${two(millis % 100)}Z`
}

const DAY_MS = 86_400_000
const TWO_DIGITS = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'))
let lastDay = NaN
let lastDate = ''

abstract class Time extends avsc.types.LogicalType {
  /** Nothing is written with the schemas of others. */
  override _toValue(): never {
    throw new Error('times are read only')
  }
}

class Millis extends Time {
  override _fromValue(value: number) {
    return isoTime(value)
  }
}

class Micros extends Time {
  override _fromValue(value: number) {
    return isoTime(Math.floor(value / 1000))
  }
}
