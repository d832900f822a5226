/**
 * Avro in Confluent's wire format: a zero byte, the writer schema's id (4 bytes, big-endian), the datum.
 *
 * Read with the writer's schema, ours or a service owner's own: what counts is that the decoded record is a valid event.
 * Times may be `timestamp-millis` or `-micros`; `features` a map, or a string that holds a JSON object.
 */
import { isUtf8 } from 'node:buffer'
import { avroDecoder, AvroError, type AvroDecoder } from './avro-decoder.ts'
import { spanOf, type LoggedMessage, type Span } from './event-log.ts'
import { distinctJson, type Event } from './event-verdict.ts'
import { Members } from './members.ts'
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
  const decoders = new Map<number, AvroDecoder | undefined>()
  const readPlain = plainJsonReader()
  return {
    prepare: async (messages) => {
      const wanted = new Set<number>()
      for (const message of messages) {
        const value = message.within ?? spanOf(message.value)
        if (isFramed(value) && decoders.get(idOf(value)) === undefined) wanted.add(idOf(value))
      }
      for (const id of wanted) {
        const schema = await registry.byId(id)
        decoders.set(id, schema === undefined ? undefined : decoderOf(schema))
      }
    },
    decode: (value) => {
      const decode = isFramed(value) ? decoders.get(idOf(value)) : undefined
      if (!decode) return 'unknown_schema'
      try {
        const event = decode(value.bytes, value.from + HEADER_BYTES, value.to)
        // What is no record can be no event.
        return event instanceof Members ? event : 'unknown_schema'
      } catch (error) {
        if (error instanceof RepeatedKey) return 'repeated_key'
        if (error instanceof AvroError) return 'invalid_avro'
        throw error
      }
    },
  }

  function decoderOf(schema: string): AvroDecoder | undefined {
    try {
      return avroDecoder(JSON.parse(schema), { features: objectOf })
    } catch (error) {
      // What a registry took for a schema and is none reads nothing.
      if (error instanceof AvroError || error instanceof SyntaxError) return undefined
      throw error
    }
  }

  /** JSON in a string. What is no object is no map of features either: the judge refuses it. */
  function objectOf(bytes: Buffer, from: number, to: number): unknown {
    const plain = readPlain.flat(bytes, from, to)
    if (plain) return plain
    const json = bytes.subarray(from, to)
    const value = isUtf8(json) ? distinctJson(json.toString()) : ''
    if (value === undefined) throw new RepeatedKey()
    return value
  }
}

class RepeatedKey extends Error {}
