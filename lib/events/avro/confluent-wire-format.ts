/**
 * Avro in Confluent's wire format: a zero byte, the writer schema's id (4 bytes, big-endian), the
 * datum.
 *
 * The datum is read with the writer's schema, ours or a service owner's own: the decoded record
 * must be a valid event. Times may be `timestamp-millis` or `-micros`; `features` a map, or a
 * string that holds a JSON object. NaN and the infinities are missing values. What a message's
 * schema is decides over that message alone: one that is not read is a dead letter that says so,
 * and only a registry that gives no answer makes a range wait.
 */
import { isUtf8 } from 'node:buffer'
import { avroDecoder, DECIMAL, type AvroDecoder, type ReadText } from './decoder.ts'
import { spanOf, type LoggedMessage, type Span } from '../../event-log/port.ts'
import { distinctJson, type Validator, type ValidationResult } from '../validator.ts'
import { messageOf } from '../../runtime/errors.ts'
import { FlatRecord } from '../flat-record.ts'
import { plainJsonReader } from '../json/fast-reader.ts'
import type { RejectCode } from '../rejections.ts'
import { MAX_SCHEMA_BYTES } from './registry-requests.ts'
import type { SchemaRegistry } from './schema-registry.ts'

/** Reads the Avro of one consumer; it remembers schemas between ranges. */
export interface AvroReader {
  /**
   * Fetches the schemas of these messages. @throws when the registry cannot be asked: the range
   * waits
   */
  prepare: (messages: readonly LoggedMessage[]) => Promise<void>
  /** Validates the event in a value whose schema was fetched. */
  read: (value: Span, validator: Validator) => ValidationResult
  /** The record in a value whose schema was fetched, whatever it is of; or why it is not read. */
  decode: (value: Span) => { value: unknown } | { code: RejectCode; text: string }
}

/** Schemas that one range may name; the registry is asked for each that is not known. */
export const MAX_SCHEMAS_PER_RANGE = 1000
/** Schemas that are remembered; those named last stay. */
const MAX_KNOWN = 10_000
/** Schemas asked for at the same time. */
const QUESTIONS_AT_ONCE = 8

const HEADER_BYTES = 5
const idOf = ({ bytes, from }: Span) => bytes.readInt32BE(from + 1)
const isFramed = ({ bytes, from, to }: Span) => bytes[from] === 0 && to - from >= HEADER_BYTES

/** Why values of a schema are not read. */
interface Unread {
  code: RejectCode
  text: string
}

/** The schemas that are known, by id; the one named last at the end. */
type Known = Map<number, AvroDecoder | Unread>

/** Makes a reader that asks this registry for schemas. */
export function avroReader(registry: SchemaRegistry): AvroReader {
  const known: Known = new Map()
  const readObject = objectReader()
  return {
    prepare: async (messages) => {
      const asked: number[] = []
      for (const id of idsOf(messages)) {
        const found = known.get(id)
        // A schema that the registry did not have may be registered by now.
        if (found === undefined || ('code' in found && found.code === 'unknown_schema'))
          asked.push(id)
        else remember(known, id, found)
      }
      for (let at = 0; at < asked.length; at += QUESTIONS_AT_ONCE)
        await Promise.all(
          asked
            .slice(at, at + QUESTIONS_AT_ONCE)
            .map(async (id) => remember(known, id, await decoderOf(registry, id, readObject))),
        )
    },
    read: (value, validator) => {
      if (!isFramed(value)) return validator.refuse('invalid_avro', undefined, TOO_SHORT)
      const id = idOf(value)
      const decode = known.get(id) ?? notAskedFor(id)
      return typeof decode === 'object'
        ? validator.refuse(decode.code, undefined, decode.text)
        : readDatum({ id, decode }, value, validator)
    },
    decode: (value) => {
      if (!isFramed(value)) return { code: 'invalid_avro', text: NOT_FRAMED }
      const id = idOf(value)
      const decode = known.get(id) ?? notAskedFor(id)
      return typeof decode === 'object' ? decode : decodeDatum({ id, decode }, value)
    },
  }
}

const TOO_SHORT =
  'the value begins with a zero byte, as Avro does, and is too short to name a schema'
const NOT_FRAMED =
  'the value is no Avro of a schema registry: it begins with a zero byte and the schema’s id'

function decodeDatum(
  { id, decode }: { id: number; decode: AvroDecoder },
  value: Span,
): ReturnType<AvroReader['decode']> {
  try {
    return { value: decode(value.bytes, value.from + HEADER_BYTES, value.to) }
  } catch (error) {
    if (error instanceof RepeatedKey)
      return { code: 'repeated_key', text: 'features gives a key twice' }
    const text = `the value does not decode with schema ${id}: ${messageOf(error)}`
    return { code: 'invalid_avro', text }
  }
}

const notAskedFor = (id: number): Unread => ({
  code: 'unknown_schema',
  text: `schema ${id} was not asked for: messages stored together may name ${MAX_SCHEMAS_PER_RANGE} schemas`,
})

/** Decodes and validates the datum behind the header. */
function readDatum(
  { id, decode }: { id: number; decode: AvroDecoder },
  value: Span,
  validator: Validator,
): ValidationResult {
  let event: unknown
  try {
    event = decode(value.bytes, value.from + HEADER_BYTES, value.to)
  } catch (error) {
    if (error instanceof RepeatedKey) return validator.refuse('repeated_key', 'features')
    // Whatever it is, the value and its schema alone are to blame.
    const text = `the value does not decode with schema ${id}: ${messageOf(error)}`
    return validator.refuse('invalid_avro', undefined, text)
  }
  if (!(event instanceof FlatRecord))
    return validator.refuse(
      'unsupported_schema',
      undefined,
      `schema ${id} is not of a record: an event is one`,
    )
  const result = validator.numbersOrNone(event)
  return result.ok ? result : (betterRefusal(event, result, { id, validator }) ?? result)
}

function remember(known: Known, id: number, reader: AvroDecoder | Unread): void {
  known.delete(id)
  known.set(id, reader)
  if (known.size > MAX_KNOWN) known.delete(known.keys().next().value!)
}

/** Fetches a schema and makes its decoder. @throws when the registry gives no answer */
async function decoderOf(
  registry: SchemaRegistry,
  id: number,
  readObject: ReadText,
): Promise<AvroDecoder | Unread> {
  // Ids are positive: what a registry would answer to another is not known.
  const found = id < 0 ? undefined : await registry.byId(id)
  if (found === undefined)
    return {
      code: 'unknown_schema',
      text: `the value is Avro of schema ${id}, which the registry does not have`,
    }
  const unread = (why: string): Unread => ({
    code: 'unsupported_schema',
    text: `schema ${id} ${why}`,
  })
  if (found === 'too_large') return unread(`is larger than ${MAX_SCHEMA_BYTES} bytes`)
  const { schema, type, references } = found
  if (type !== 'AVRO')
    return unread(`is of type ${type.slice(0, 100)}: only AVRO without references is read`)
  if (references > 0)
    return unread(
      `is of type AVRO with ${references} reference${references > 1 ? 's' : ''}: only AVRO without references is read`,
    )
  try {
    return avroDecoder(JSON.parse(schema), { features: readObject })
  } catch (error) {
    // What a registry took for a schema and is none reads nothing.
    return unread(`is of type AVRO, and is not read: ${messageOf(error).slice(0, 300)}`)
  }
}

/**
 * Reads JSON in a string. What is no object is no map of features either: the validator refuses it.
 */
function objectReader(): ReadText {
  const readPlain = plainJsonReader()
  return (bytes, from, to) => {
    const plain = readPlain.flat(bytes, from, to)
    if (plain) return plain
    const json = bytes.subarray(from, to)
    const value = isUtf8(json) ? distinctJson(json.toString()) : ''
    if (value === undefined) throw new RepeatedKey()
    return value
  }
}

class RepeatedKey extends Error {}

/** The ids of the schemas that messages name, as many as may be asked for. */
function idsOf(messages: readonly LoggedMessage[]): Set<number> {
  const ids = new Set<number>()
  let last = -1
  for (const message of messages) {
    const value = message.within ?? spanOf(message.value)
    if (!isFramed(value)) continue
    const id = idOf(value)
    if (id === last) continue
    last = id
    if (ids.size < MAX_SCHEMAS_PER_RANGE) ids.add(id)
  }
  return ids
}

/**
 * A refusal that says more, where a field is refused for what Avro has and events have not; else
 * undefined.
 */
function betterRefusal(
  event: FlatRecord,
  { rejection: { code, field } }: ValidationResult & { ok: false },
  { id, validator }: { id: number; validator: Validator },
): ValidationResult | undefined {
  if (code !== 'invalid_field' || field === undefined) return undefined
  const given = event.get(field)
  const values = given instanceof FlatRecord ? given.values : Array.isArray(given) ? given : [given]
  if (values.includes(DECIMAL))
    return validator.refuse(
      'unsupported_schema',
      undefined,
      `schema ${id} has ${field} as the logical type decimal, which is not read: send a double, or a string`,
    )
  const long = values.find((value) => typeof value === 'bigint')
  return long === undefined
    ? undefined
    : validator.refuse(
        'invalid_field',
        field,
        `${field} holds ${long}, a long beyond 2^53, which a number of an event cannot hold`,
      )
}
