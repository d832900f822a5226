/**
 * Record batches split in one pass: what kafkajs' own decoder does with a dozen objects a message
 * costs as much as everything after it. Messages keep pointing into the fetched bytes until
 * somebody reads them. The checksum is verified too, which kafkajs 2.2.4 leaves out.
 *
 * Format: https://kafka.apache.org/documentation/#recordbatch (magic 2; older ones stay with
 * kafkajs).
 */
import { createRequire } from 'node:module'
import { crc32c } from '@node-rs/crc32'
import type { LoggedMessage, Span } from '../port.ts'
import { MAX_BATCH_BYTES, UnreadableBatch } from './codecs.ts'
import { unreadBatch, type UnreadBatch } from './unreadable-batch.ts'

const require = createRequire(import.meta.url)
const RECORD = require.resolve('kafkajs/src/protocol/recordBatch/record/v0')
const DECODE_MESSAGES = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')

interface Codec {
  decompress: (bytes: Buffer) => Promise<Buffer>
}
interface FetchDecoder {
  readInt32: () => number
  canReadBytes: (length: number) => boolean
  readBytes: (length: number) => Buffer
}

/**
 * Puts the splitter and the writer in place of kafkajs' own, before its first fetch and its first
 * produce.
 */
export function useFastRecords(): void {
  const records = require('kafkajs/src/protocol/recordBatch/v0') as Record<string, unknown>
  const Encoder = require('kafkajs/src/protocol/encoder') as {
    new (): { writeBufferInternal: (bytes: Buffer) => unknown }
  }
  require(RECORD)
  require.cache[RECORD]!.exports = (record: unknown) => record
  records['RecordBatch'] = async (batch: OutgoingBatch) => {
    const encoder = new Encoder()
    encoder.writeBufferInternal(writeRecordBatch(batch))
    return encoder
  }
  require(DECODE_MESSAGES)
  const { lookupCodecByAttributes } = require('kafkajs/src/protocol/message/compression') as {
    lookupCodecByAttributes: (attributes: number) => Codec | null
  }
  const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown
  const olderMessages = require('kafkajs/src/protocol/messageSet/decoder') as (
    decoder: unknown,
    size: number,
  ) => unknown
  require.cache[DECODE_MESSAGES]!.exports = async (decoder: FetchDecoder) => {
    const size = decoder.readInt32()
    if (size <= 0 || !decoder.canReadBytes(size)) return []
    const bytes = decoder.readBytes(size)
    return bytes[MAGIC_AT] === 2
      ? splitRecordBatches(bytes, lookupCodecByAttributes)
      : olderMessages(new Decoder(bytes), size)
  }
}

/** What kafkajs looks at to leave out aborted transactions. */
interface BatchContext {
  producerId: string
  inTransaction: boolean
}

const NOTHING = Buffer.alloc(0)

/**
 * One record; also what kafkajs calls a message. A batch of them waits in memory: each is as small
 * as it can be.
 */
export class LogRecord implements LoggedMessage {
  readonly offset: number
  readonly from: number
  readonly to: number
  readonly #batch: BatchHeader
  readonly #timestampDelta: number
  readonly #keyAt: number
  readonly #keyEnd: number
  readonly #headersAt: number

  /** The record at the cursor, which goes on to the next one. */
  constructor(cursor: Cursor, batch: BatchHeader) {
    const length = varint(cursor)
    const end = cursor.at + length
    cursor.at++
    this.#batch = batch
    this.#timestampDelta = varint(cursor)
    this.offset = batch.firstOffset + varint(cursor)
    const keyLength = Math.max(0, varint(cursor))
    this.#keyAt = cursor.at
    cursor.at += keyLength
    this.#keyEnd = cursor.at
    const valueLength = Math.max(0, varint(cursor))
    this.from = cursor.at
    cursor.at += valueLength
    this.to = cursor.at
    this.#headersAt = cursor.bytes[cursor.at] === 0 ? 0 : cursor.at
    cursor.at = end
  }

  get bytes(): Buffer {
    return this.#batch.bytes
  }

  get timestampMs(): number {
    return this.#batch.appendTime ?? this.#batch.firstTimestamp + this.#timestampDelta
  }

  get isProducersTime(): boolean {
    return this.#batch.appendTime === undefined
  }

  get timestamp(): string {
    return String(this.timestampMs)
  }

  get batchContext(): BatchContext {
    return this.#batch.context
  }

  get isControlRecord(): boolean {
    return this.#batch.isControl
  }

  /** Empty when the producer gave none. */
  get key(): Buffer {
    return this.#keyEnd === this.#keyAt ? NOTHING : this.bytes.subarray(this.#keyAt, this.#keyEnd)
  }

  get value(): Buffer {
    return this.to === this.from ? NOTHING : this.bytes.subarray(this.from, this.to)
  }

  get unreadable(): undefined {
    return undefined
  }

  /** Itself: it knows where its value lies. */
  get within(): this {
    return this
  }

  get keyWithin(): Span {
    return { bytes: this.bytes, from: this.#keyAt, to: this.#keyEnd }
  }

  /** Undefined when there are none; of a repeated header the last one counts. */
  get headers(): Record<string, string> | undefined {
    if (this.#headersAt === 0) return undefined
    const cursor = { bytes: this.bytes, at: this.#headersAt }
    const count = varint(cursor)
    const headers: Record<string, string> = {}
    for (let i = 0; i < count; i++) {
      const name = text(cursor)
      headers[name] = text(cursor)
    }
    return headers
  }
}

interface Cursor {
  bytes: Buffer
  at: number
}

const MAGIC_AT = 16
const LENGTH_END = 12
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const FIRST_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const COUNT_AT = 57
const RECORDS_AT = 61
const CODEC_BITS = 0x07
/** zstd. */
const LAST_CODEC = 4
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** What a message takes in memory beside its bytes, about. */
const MESSAGE_BYTES = 128

/**
 * The records of consecutive batches. The last batch may be cut off, as fetches end anywhere: it
 * comes again. So do those behind the first {@link MAX_BATCH_BYTES} of records, decompressed. One
 * message stands for a batch that cannot be read.
 *
 * @throws when a batch does not have its checksum
 */
export async function splitRecordBatches(
  bytes: Buffer,
  codecOf: (attributes: number) => Codec | null,
): Promise<(LogRecord | UnreadBatch)[]> {
  const records: (LogRecord | UnreadBatch)[] = []
  let weight = 0
  for (let at = 0; at + RECORDS_AT <= bytes.length && weight < MAX_BATCH_BYTES;) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + LENGTH_END - 4)
    if (end > bytes.length) break
    const firstOffset = int64(bytes, at)
    if (crc32c(bytes.subarray(at + ATTRIBUTES_AT, end)) !== bytes.readUInt32BE(at + CRC_AT))
      throw new Error(`the record batch at offset ${firstOffset} does not have its checksum`)
    const before = records.length
    const header = headerOf(bytes.subarray(at, end), firstOffset)
    try {
      await splitBatch(bytes.subarray(at, end), header, codecOf, records)
      weight += header.bytes.length + (records.length - before) * MESSAGE_BYTES
    } catch (error) {
      if (!(error instanceof UnreadableBatch)) throw error
      records.length = before
      records.push(
        unreadBatch(bytes.subarray(at, end), firstOffset, error.message, {
          context: header.context,
          timestampMs: header.appendTime ?? header.firstTimestamp,
          isProducersTime: header.appendTime === undefined,
        }),
      )
    }
    at = end
  }
  return records
}

function headerOf(batch: Buffer, firstOffset: number): BatchHeader {
  const attributes = batch.readInt16BE(ATTRIBUTES_AT)
  return {
    bytes: batch,
    context: {
      producerId: String(batch.readBigInt64BE(PRODUCER_ID_AT)),
      inTransaction: (attributes & TRANSACTIONAL) !== 0,
    },
    isControl: (attributes & CONTROL) !== 0,
    firstOffset,
    firstTimestamp: int64(batch, FIRST_TIMESTAMP_AT),
    appendTime: (attributes & LOG_APPEND_TIME) !== 0 ? int64(batch, MAX_TIMESTAMP_AT) : undefined,
  }
}

/** @throws UnreadableBatch when its records are not what its header says */
async function splitBatch(
  batch: Buffer,
  header: BatchHeader,
  codecOf: (attributes: number) => Codec | null,
  into: (LogRecord | UnreadBatch)[],
): Promise<void> {
  const type = batch.readInt16BE(ATTRIBUTES_AT) & CODEC_BITS
  const count = batch.readInt32BE(COUNT_AT)
  if (count * MESSAGE_BYTES > MAX_BATCH_BYTES)
    throw new UnreadableBatch(`its ${count} messages are too many`)
  const codec = codecOf(type)
  if (!codec && type > LAST_CODEC) throw new UnreadableBatch(`codec ${type} is not known`)
  const cursor = codec
    ? { bytes: await codec.decompress(batch.subarray(RECORDS_AT)), at: 0 }
    : { bytes: batch, at: RECORDS_AT }
  header.bytes = cursor.bytes
  for (let left = count; left > 0; left--) {
    const from = cursor.at
    const record = new LogRecord(cursor, header)
    if (!(cursor.at > from && cursor.at <= cursor.bytes.length && record.to <= cursor.at))
      throw new UnreadableBatch('a record is longer than its bytes')
    into.push(record)
  }
}

/** What the records of a batch have in common. */
interface BatchHeader {
  /** Its records, decompressed. */
  bytes: Buffer
  context: BatchContext
  isControl: boolean
  firstOffset: number
  firstTimestamp: number
  /** The broker's time, which then counts for every record. */
  appendTime: number | undefined
}

/** A zigzag varint of up to 64 bits; exact to 2^53. */
function varint(cursor: Cursor): number {
  const { bytes } = cursor
  let byte = bytes[cursor.at++]!
  let value = byte & 127
  for (let shift = 7; byte >= 128; shift += 7) {
    byte = bytes[cursor.at++]!
    // Shifts would stop at 32 bits.
    value += (byte & 127) * 2 ** shift
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

function text(cursor: Cursor): string {
  const length = Math.max(0, varint(cursor))
  const from = cursor.at
  cursor.at += length
  return cursor.bytes.toString('utf8', from, cursor.at)
}

const int64 = (bytes: Buffer, at: number) =>
  bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)

interface OutgoingRecord {
  key?: Buffer | string | null
  value: Buffer | string | null
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>
  offsetDelta: number
  timestampDelta: number
}

/** What kafkajs hands over; it compresses nothing unless asked, and we never ask. */
export interface OutgoingBatch {
  records: readonly OutgoingRecord[]
  firstTimestamp: number
  maxTimestamp: number
  transactional?: boolean
  producerId?: { toString: () => string }
  producerEpoch?: number
  firstSequence?: number
}

const PLENTY = 64

/** One record batch, its checksum included. */
export function writeRecordBatch(batch: OutgoingBatch): Buffer {
  const { records } = batch
  const fields = records.map(({ key, value, headers }) => ({
    key: bytesOf(key),
    value: bytesOf(value),
    headers: Object.entries(headers ?? {}).flatMap(([name, given]) =>
      (Array.isArray(given) ? given : [given]).map((one): [Buffer, Buffer | null] => [
        Buffer.from(name),
        bytesOf(one),
      ]),
    ),
  }))
  let room = RECORDS_AT
  for (const { key, value, headers } of fields) {
    room += PLENTY + (key?.length ?? 0) + (value?.length ?? 0)
    for (const [name, one] of headers) room += PLENTY + name.length + (one?.length ?? 0)
  }
  const out = Buffer.allocUnsafe(room)
  let at = RECORDS_AT
  fields.forEach(({ key, value, headers }, i) => {
    const { timestampDelta, offsetDelta } = records[i]!
    let length =
      1 + varintLength(timestampDelta) + varintLength(offsetDelta) + sized(key) + sized(value)
    length += varintLength(headers.length)
    for (const [name, one] of headers) length += sized(name) + sized(one)
    at = putVarint(out, at, length)
    out[at++] = 0
    at = putVarint(out, at, timestampDelta)
    at = putVarint(out, at, offsetDelta)
    at = putBytes(out, at, key)
    at = putBytes(out, at, value)
    at = putVarint(out, at, headers.length)
    for (const [name, one] of headers) at = putBytes(out, putBytes(out, at, name), one)
  })
  out.writeBigInt64BE(0n, 0)
  out.writeInt32BE(at - LENGTH_END, LENGTH_END - 4)
  out.writeInt32BE(0, LENGTH_END)
  out[MAGIC_AT] = 2
  out.writeInt16BE(batch.transactional ? TRANSACTIONAL : 0, ATTRIBUTES_AT)
  out.writeInt32BE(records.length - 1, ATTRIBUTES_AT + 2)
  out.writeBigInt64BE(BigInt(batch.firstTimestamp), FIRST_TIMESTAMP_AT)
  out.writeBigInt64BE(BigInt(batch.maxTimestamp), MAX_TIMESTAMP_AT)
  out.writeBigInt64BE(BigInt(batch.producerId?.toString() ?? -1), PRODUCER_ID_AT)
  out.writeInt16BE(batch.producerEpoch ?? 0, PRODUCER_ID_AT + 8)
  out.writeInt32BE(batch.firstSequence ?? 0, PRODUCER_ID_AT + 10)
  out.writeInt32BE(records.length, COUNT_AT)
  out.writeUInt32BE(crc32c(out.subarray(ATTRIBUTES_AT, at)), CRC_AT)
  return out.subarray(0, at)
}

const bytesOf = (given: Buffer | string | null | undefined): Buffer | null =>
  given === null || given === undefined ? null : Buffer.isBuffer(given) ? given : Buffer.from(given)

function varintLength(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let length = 1
  for (; rest >= 128; length++) rest = Math.floor(rest / 128)
  return length
}

const sized = (bytes: Buffer | null) =>
  bytes === null ? varintLength(-1) : varintLength(bytes.length) + bytes.length

function putVarint(out: Buffer, at: number, value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128
  out[at++] = rest
  return at
}

function putBytes(out: Buffer, at: number, bytes: Buffer | null): number {
  if (bytes === null) return putVarint(out, at, -1)
  const from = putVarint(out, at, bytes.length)
  return from + bytes.copy(out, from)
}
