/**
 * Avro in Confluent's wire format: a zero byte, the writer schema's id (4 bytes, big-endian), the datum.
 *
 * Read with the writer's schema, ours or a service owner's own: what counts is that the decoded record is a valid event.
 * Times may be `timestamp-millis` or `-micros`; `features` a map, or a string that holds a JSON object.
 */
import avsc from 'avsc'
import { EVENT_TIME_FIELDS } from '../schemas/fields.ts'
import type { LoggedMessage } from './event-log.ts'
import { distinctJson, type Event } from './event-verdict.ts'
import type { SchemaRegistry } from './schema-registry.ts'

export interface AvroReader {
  /** Fetches the schemas of these messages. @throws when the registry cannot be asked: the range waits */
  prepare: (messages: readonly LoggedMessage[]) => Promise<void>
  decode: (value: Buffer) => Event | 'unknown_schema' | 'invalid_avro' | 'repeated_key'
}

const HEADER_BYTES = 5
const idOf = (value: Buffer) => value.readInt32BE(1)
const isFramed = (value: Buffer) => value[0] === 0 && value.length >= HEADER_BYTES

export function avroReader(registry: SchemaRegistry): AvroReader {
  /** Of schemas the registry does not have, `undefined`; asked again with the next range that names them. */
  const types = new Map<number, avsc.Type | undefined>()
  return {
    prepare: async (messages) => {
      const wanted = new Set<number>()
      for (const { value } of messages) {
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
      let event: Event
      try {
        // Its own fields alone: avsc gives records methods, too.
        event = { ...(type.fromBuffer(value.subarray(HEADER_BYTES)) as Event) }
      } catch {
        return 'invalid_avro'
      }
      for (const name of EVENT_TIME_FIELDS) {
        if (event[name] instanceof Date) event[name] = event[name].toISOString()
      }
      if (typeof event['features'] === 'string') {
        const features = distinctJson(event['features'])
        if (features === undefined) return 'repeated_key'
        event['features'] = features
      }
      return event
    },
  }
}

/** @returns undefined for what is no record: it cannot be an event */
function typeOf(schema: string): avsc.Type | undefined {
  const parsed = JSON.parse(schema) as avsc.Schema
  return avsc.Type.forSchema(parsed, {
    wrapUnions: 'never' as never,
    logicalTypes: { 'timestamp-millis': Millis, 'timestamp-micros': Micros },
  })
}

/** Times out of the range of `Date` stay numbers, and are refused as any wrong value is. */
const dateOf = (ms: number) => (Math.abs(ms) <= 8.64e15 ? new Date(ms) : ms)

class Millis extends avsc.types.LogicalType {
  override _fromValue(value: number) {
    return dateOf(value)
  }
  override _toValue(value: Date | number) {
    return value instanceof Date ? value.getTime() : value
  }
}

class Micros extends avsc.types.LogicalType {
  override _fromValue(value: number) {
    return dateOf(Math.floor(value / 1000))
  }
  override _toValue(value: Date | number) {
    return 1000 * (value instanceof Date ? value.getTime() : value)
  }
}
