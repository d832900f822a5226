/**
 * OTLP's protocol buffers as the objects that its JSON has, so that one translation serves both. Only what `otlp.ts` reads is
 * decoded; everything else is stepped over by its length. The numbers are those of `schemas/otlp`, held by the test.
 */
import protobuf from 'protobufjs/minimal.js'
import { Problem } from '../../../lib/runtime/errors.ts'

/** Messages inside one another, and messages in all, that one body may have. */
export const PROTOBUF_BOUNDS = { maxDepth: 64, maxMessages: 1_000_000 }

type Scalar = 'string' | 'hex' | 'nanos' | 'int64' | 'double' | 'bool' | 'enum'

interface Field {
  /** As in OTLP's JSON. */
  name: string
  read: Scalar | Shape
  isRepeated: boolean
}

/** The fields of a message by their numbers. */
export type Shape = Record<number, Field>

const one = (name: string, read: Scalar | Shape): Field => ({ name, read, isRepeated: false })
const many = (name: string, read: Shape): Field => ({ name, read, isRepeated: true })

const ANY_VALUE: Shape = {
  1: one('stringValue', 'string'),
  2: one('boolValue', 'bool'),
  3: one('intValue', 'int64'),
  4: one('doubleValue', 'double'),
}
const KEY_VALUE: Shape = { 1: one('key', 'string'), 2: one('value', ANY_VALUE) }
ANY_VALUE[5] = one('arrayValue', { 1: many('values', ANY_VALUE) })
ANY_VALUE[6] = one('kvlistValue', { 1: many('values', KEY_VALUE) })

const RESOURCE: Shape = { 1: many('attributes', KEY_VALUE) }
const SPAN_EVENT: Shape = { 2: one('name', 'string'), 3: many('attributes', KEY_VALUE) }
const SPAN: Shape = {
  1: one('traceId', 'hex'),
  2: one('spanId', 'hex'),
  5: one('name', 'string'),
  7: one('startTimeUnixNano', 'nanos'),
  8: one('endTimeUnixNano', 'nanos'),
  9: many('attributes', KEY_VALUE),
  11: many('events', SPAN_EVENT),
  15: one('status', { 3: one('code', 'enum') }),
}
const LOG_RECORD: Shape = {
  1: one('timeUnixNano', 'nanos'),
  6: many('attributes', KEY_VALUE),
  9: one('traceId', 'hex'),
  10: one('spanId', 'hex'),
  11: one('observedTimeUnixNano', 'nanos'),
  12: one('eventName', 'string'),
}

/** `ExportTraceServiceRequest`. */
export const TRACES: Shape = {
  1: many('resourceSpans', {
    1: one('resource', RESOURCE),
    2: many('scopeSpans', { 2: many('spans', SPAN) }),
  }),
}
/** `ExportLogsServiceRequest`. */
export const LOGS: Shape = {
  1: many('resourceLogs', {
    1: one('resource', RESOURCE),
    2: many('scopeLogs', { 2: many('logRecords', LOG_RECORD) }),
  }),
}

/** Where the decoding of one body is. */
interface Decoding {
  bytes: Buffer
  reader: protobuf.Reader
  messages: number
}

/**
 * A body as the object that the same request has in OTLP's JSON: ids as hexadecimal, times as decimal text, 64-bit integers as
 * the nearest number. A field that is absent is absent. O(bytes).
 *
 * @param shape {@link TRACES} or {@link LOGS}
 * @throws {Problem} 400 `invalid_protobuf` for bytes that are no such message, or beyond {@link PROTOBUF_BOUNDS}
 */
export function decodedProtobuf(bytes: Buffer, shape: Shape): unknown {
  try {
    const decoding = { bytes, reader: protobuf.Reader.create(bytes), messages: 0 }
    return messageOf(decoding, shape, bytes.length, 1)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw broken('a number ends beyond it, or has more bytes than a number may')
  }
}

/** @param end the offset behind the message; the reader stands at its first byte */
function messageOf(decoding: Decoding, shape: Shape, end: number, depth: number): unknown {
  const { reader } = decoding
  if (depth > PROTOBUF_BOUNDS.maxDepth)
    throw new Problem(
      400,
      'invalid_protobuf',
      `the protobuf is nested deeper than ${PROTOBUF_BOUNDS.maxDepth}`,
    )
  if (++decoding.messages > PROTOBUF_BOUNDS.maxMessages)
    throw new Problem(
      400,
      'invalid_protobuf',
      `the protobuf has more than ${PROTOBUF_BOUNDS.maxMessages} messages`,
    )
  const message: Record<string, unknown> = {}
  while (reader.pos < end) {
    const tag = reader.uint32()
    const wireType = tag & 7
    const field = shape[tag >>> 3]
    if (tag >>> 3 === 0) throw broken('a field has the number 0')
    if (field && WIRE_TYPES[typeof field.read === 'string' ? field.read : 'message'] === wireType) {
      const value = valueOf(decoding, field.read, end, depth)
      if (field.isRepeated) ((message[field.name] ??= []) as unknown[]).push(value)
      else message[field.name] = value
    } else stepOver(decoding, wireType, end)
  }
  if (reader.pos > end) throw broken('a field is longer than the message it is in')
  return message
}

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5
const WIRE_TYPES: Record<Scalar | 'message', number> = {
  string: DELIMITED,
  hex: DELIMITED,
  message: DELIMITED,
  nanos: FIXED64,
  double: FIXED64,
  int64: VARINT,
  bool: VARINT,
  enum: VARINT,
}

function valueOf(decoding: Decoding, read: Scalar | Shape, end: number, depth: number): unknown {
  const { bytes, reader } = decoding
  switch (read) {
    case 'string':
    case 'hex': {
      const stop = delimitedEnd(reader, end)
      const from = reader.pos
      reader.pos = stop
      return bytes.toString(read === 'hex' ? 'hex' : 'utf8', from, stop)
    }
    case 'nanos':
      return nanosOf(reader)
    case 'int64': {
      const value = reader.int64() as unknown as number | { toNumber: () => number }
      return typeof value === 'number' ? value : value.toNumber()
    }
    case 'double':
      return reader.double()
    case 'bool':
      return reader.bool()
    case 'enum':
      return reader.int32()
    default:
      return messageOf(decoding, read, delimitedEnd(reader, end), depth + 1)
  }
}

/** Reads a length, and tells where what follows ends. */
function delimitedEnd(reader: protobuf.Reader, end: number): number {
  const length = reader.uint32()
  const stop = reader.pos + length
  if (stop > end) throw broken('a field is longer than the message it is in')
  return stop
}

/** Text, since a number would lose what tells two records apart. */
function nanosOf(reader: protobuf.Reader): string {
  const low = reader.fixed32()
  const high = reader.fixed32()
  return String((BigInt(high) << 32n) | BigInt(low))
}

function stepOver({ reader }: Decoding, wireType: number, end: number): void {
  if (wireType === VARINT) reader.skip()
  else if (wireType === FIXED64) reader.skip(8)
  else if (wireType === DELIMITED) reader.pos = delimitedEnd(reader, end)
  else if (wireType === FIXED32) reader.skip(4)
  else throw broken(`a field has the wire type ${wireType}, which OTLP does not use`)
}

const broken = (why: string) =>
  new Problem(400, 'invalid_protobuf', `the body is no OTLP protobuf message: ${why}`)
