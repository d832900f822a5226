/**
 * OTLP's protocol buffers as the objects that its JSON has, so that one translation serves both;
 * attributes come decoded. Only what `otlp.ts` reads is decoded, everything else is stepped over by
 * its length. The numbers are in `otlp-shapes.ts`.
 */
import protobuf from 'protobufjs/minimal.js'
import { recurringTexts } from '../../../lib/events/json/string-cache.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Field, Scalar, Shape } from './otlp-shapes.ts'

/** Messages inside one another, and messages in all, that one body may have. */
export const PROTOBUF_BOUNDS = { maxDepth: 64, maxMessages: 1_000_000 }

/** Where the decoding of one body is. */
interface Decoding {
  bytes: Buffer
  reader: protobuf.Reader
  messages: number
  /** Names of attributes, most of which come again. */
  nameAt: ReturnType<typeof recurringTexts>
}

const LONGEST_RECURRING_NAME = 64

/**
 * A body as the object that the same request has in OTLP's JSON: ids as hexadecimal, times of log
 * records as decimal text, those of spans the nearest number. Attributes are maps of their values instead, 64-bit integers the nearest number. A
 * field that is absent is absent. O(bytes).
 *
 * Spans and log records are iterators that decode one after the other, and throw as this does: what
 * came before is known to be whole only when they are through.
 *
 * @param shape `TRACES` or `LOGS`
 * @throws {Problem} 400 `invalid_protobuf` for bytes that are no such message, or beyond {@link
 *   PROTOBUF_BOUNDS}
 */
export function decodedProtobuf(bytes: Buffer, shape: Shape): unknown {
  const reader = protobuf.Reader.create(bytes)
  const nameAt = recurringTexts('utf8', LONGEST_RECURRING_NAME)
  const decoding = { bytes, reader, messages: 0, nameAt }
  try {
    return messageOf(decoding, shape, bytes.length, 1)
  } catch (error) {
    throw faultOf(error)
  }
}

/** What the reader throws is about numbers: lengths are held against the message they are in. */
const faultOf = (error: unknown) =>
  error instanceof Problem
    ? error
    : broken('a number ends beyond it, or has more bytes than a number may')

/** The records of a message from the first one on, each decoded when it is asked for. */
function* recordsOf(
  decoding: Decoding,
  shape: Shape,
  { from, end, depth }: Place & { from: number },
): Generator<unknown, void> {
  const { reader } = decoding
  let first: number | undefined
  for (let at = from; at < end; at = reader.pos) {
    reader.pos = at
    try {
      const tag = reader.uint32()
      first ??= tag
      if (tag !== first) {
        stepOver(reader, tag, end)
        continue
      }
    } catch (error) {
      throw faultOf(error)
    }
    yield recordOf(decoding, shape, { end, depth })
  }
}

function recordOf(decoding: Decoding, shape: Shape, { end, depth }: Place): unknown {
  try {
    return messageOf(decoding, shape, delimitedEnd(decoding.reader, end), depth + 1)
  } catch (error) {
    throw faultOf(error)
  }
}

/** @param end the offset behind the message; the reader stands at its first byte */
function messageOf(decoding: Decoding, shape: Shape, end: number, depth: number): unknown {
  const { reader } = decoding
  begin(decoding, depth)
  const message: Record<string, unknown> = {}
  while (reader.pos < end) {
    const from = reader.pos
    const tag = reader.uint32()
    const field = shape[tag >>> 3]
    if (!field || wireTypeOf(field) !== (tag & 7)) stepOver(reader, tag, end)
    else if (field.isLazy) {
      message[field.name] ??= recordsOf(decoding, field.read as Shape, { from, end, depth })
      stepOver(reader, tag, end)
    } else if (field.read === 'attributes') {
      const pairs = (message['attributes'] ??= new Map()) as Map<string, unknown>
      pairInto(pairs, decoding, delimitedEnd(reader, end), depth + 1)
    } else {
      const value = valueOf(decoding, field.read, end, depth)
      if (field.isRepeated) ((message[field.name] ??= []) as unknown[]).push(value)
      else message[field.name] = value
    }
  }
  finish(reader, end)
  return message
}

/** Counts a message. @throws {Problem} where it is one too many, or too deep */
function begin(decoding: Decoding, depth: number): void {
  const { maxDepth, maxMessages } = PROTOBUF_BOUNDS
  if (depth > maxDepth)
    throw new Problem(400, 'invalid_protobuf', `the protobuf is nested deeper than ${maxDepth}`)
  if (++decoding.messages > maxMessages)
    throw new Problem(400, 'invalid_protobuf', `the protobuf has more than ${maxMessages} messages`)
}

function finish(reader: protobuf.Reader, end: number): void {
  if (reader.pos > end) throw broken('a field is longer than the message it is in')
}

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

function wireTypeOf({ read }: Field): number {
  if (read === 'nanos' || read === 'fixed64') return FIXED64
  return read === 'enum' ? VARINT : DELIMITED
}

function valueOf(
  decoding: Decoding,
  read: Exclude<Scalar, 'attributes'> | Shape,
  end: number,
  depth: number,
): unknown {
  const { bytes, reader } = decoding
  switch (read) {
    case 'string':
      return textOf(decoding, end)
    case 'hex': {
      const stop = delimitedEnd(reader, end)
      const from = reader.pos
      reader.pos = stop
      return bytes.toString('hex', from, stop)
    }
    case 'nanos':
      return nanosOf(reader)
    case 'fixed64':
      return fixed64Of(reader)
    case 'enum':
      return reader.int32()
    default:
      return messageOf(decoding, read, delimitedEnd(reader, end), depth + 1)
  }
}

/** Where a message ends, and how many hold it. */
interface Place {
  end: number
  depth: number
}

/** `KeyValue`: key 1, value 2. */
function pairInto(
  pairs: Map<string, unknown>,
  decoding: Decoding,
  end: number,
  depth: number,
): void {
  const { bytes, reader, nameAt } = decoding
  begin(decoding, depth)
  let key = ''
  let value: unknown
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === ((1 << 3) | DELIMITED)) {
      const stop = delimitedEnd(reader, end)
      key = nameAt(bytes, reader.pos, stop)
      reader.pos = stop
    } else if (tag === ((2 << 3) | DELIMITED)) {
      value = anyValueOf(decoding, delimitedEnd(reader, end), depth + 1)
    } else stepOver(reader, tag, end)
  }
  finish(reader, end)
  pairs.set(key, value)
}

/** `AnyValue`: string 1, bool 2, int 3, double 4, array 5, list of pairs 6; bytes are not read. */
function anyValueOf(decoding: Decoding, end: number, depth: number): unknown {
  const { reader } = decoding
  begin(decoding, depth)
  let value: unknown
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === ((1 << 3) | DELIMITED)) value = textOf(decoding, end)
    else if (tag === ((2 << 3) | VARINT)) value = reader.bool()
    else if (tag === ((3 << 3) | VARINT)) value = integerOf(reader)
    else if (tag === ((4 << 3) | FIXED64)) value = reader.double()
    else if (tag === ((5 << 3) | DELIMITED)) {
      const values: unknown[] = []
      const place = { end: delimitedEnd(reader, end), depth: depth + 1 }
      elements(
        decoding,
        place,
        (inner) => void values.push(anyValueOf(decoding, inner.end, inner.depth)),
      )
      value = values
    } else if (tag === ((6 << 3) | DELIMITED)) {
      const pairs = new Map<string, unknown>()
      const place = { end: delimitedEnd(reader, end), depth: depth + 1 }
      elements(decoding, place, (inner) => pairInto(pairs, decoding, inner.end, inner.depth))
      value = Object.fromEntries(pairs)
    } else stepOver(reader, tag, end)
  }
  finish(reader, end)
  return value
}

/** The messages `values`, 1, of `ArrayValue` and `KeyValueList`. */
function elements(decoding: Decoding, { end, depth }: Place, each: (inner: Place) => void): void {
  const { reader } = decoding
  begin(decoding, depth)
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === ((1 << 3) | DELIMITED)) each({ end: delimitedEnd(reader, end), depth: depth + 1 })
    else stepOver(reader, tag, end)
  }
  finish(reader, end)
}

function textOf({ bytes, reader }: Decoding, end: number): string {
  const stop = delimitedEnd(reader, end)
  const from = reader.pos
  reader.pos = stop
  return bytes.toString('utf8', from, stop)
}

/** Reads a length, and tells where what follows ends. */
function delimitedEnd(reader: protobuf.Reader, end: number): number {
  const length = reader.uint32()
  const stop = reader.pos + length
  if (stop > end) throw broken('a field is longer than the message it is in')
  return stop
}

/** The nearest number. */
function integerOf(reader: protobuf.Reader): number {
  const value = reader.int64() as unknown as number | { toNumber: () => number }
  return typeof value === 'number' ? value : value.toNumber()
}

/** Text, since a number would lose what tells two records apart. */
function nanosOf(reader: protobuf.Reader): string {
  const low = reader.fixed32()
  const high = reader.fixed32()
  return String((BigInt(high) << 32n) | BigInt(low))
}

/** The number nearest to the integer, as its decimal text would be read. */
function fixed64Of(reader: protobuf.Reader): number {
  const low = reader.fixed32()
  return reader.fixed32() * 2 ** 32 + low
}

function stepOver(reader: protobuf.Reader, tag: number, end: number): void {
  const wireType = tag & 7
  if (tag >>> 3 === 0) throw broken('a field has the number 0')
  if (wireType === VARINT) reader.skip()
  else if (wireType === FIXED64) reader.skip(8)
  else if (wireType === DELIMITED) reader.pos = delimitedEnd(reader, end)
  else if (wireType === FIXED32) reader.skip(4)
  else throw broken(`a field has the wire type ${wireType}, which OTLP does not use`)
}

const broken = (why: string) =>
  new Problem(400, 'invalid_protobuf', `the body is no OTLP protobuf message: ${why}`)
