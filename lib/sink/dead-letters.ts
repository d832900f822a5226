/**
 * Dead letters, as rows and as messages: cut to fit, so that no message is too large to be set
 * aside. Pure.
 *
 * A broker takes batches of one mebibyte unless set otherwise, and a gzip batch of that size holds
 * messages of any size.
 */
import { createHash } from 'node:crypto'
import {
  arrivalOf,
  type LoggedMessage,
  type OffsetRange,
  type OutgoingMessage,
} from '../event-log/port.ts'
import { FlatRecord } from '../events/flat-record.ts'
import { refusalText, type RejectCode, type Rejection } from '../events/rejections.ts'
import * as native from '../clickhouse/native/block.ts'
import { monthsOf } from './month-pieces.ts'
import type { TableRows } from './table-rows.ts'

/** A message that is refused, with the code and the sentence of its rejection. */
export interface DeadLetter {
  message: LoggedMessage
  code: string
  text: string
}

/** What is said where a sentence may quote the message, and not all of that may be kept. */
const WITHOUT_QUOTES: Partial<Record<RejectCode, string>> = {
  unstorable: 'the event cannot be stored',
  unmapped: 'the mapping of its source does not fit the message',
  invalid_csv: 'the message is no CSV by RFC 4180',
  label_mismatch: 'the label is none that its model has',
  invalid_protobuf: 'the message does not decode by the schema of its source',
}

/**
 * The dead letter of a message that is refused.
 *
 * @param kept what may be kept of it; the message itself where that is all of it
 */
export function refusedLetter(
  rejection: Rejection,
  message: LoggedMessage,
  kept: LoggedMessage,
): DeadLetter {
  const { code } = rejection
  const text = kept === message ? refusalText(rejection) : WITHOUT_QUOTES[code]
  return { message: kept, code, text: text ?? rejection.message }
}

/** Bytes of a value that are kept; every event that could be valid is smaller. */
export const MAX_LETTER_BYTES = 512 << 10
/** Bytes of a key that are kept: two ids and more. */
const MAX_LETTER_KEY_BYTES = 4096
/** Headers that are kept, and the bytes of all of their names and values. */
export const MAX_LETTER_HEADERS = 64
const MAX_LETTER_HEADER_BYTES = 64 << 10
const MAX_TEXT_BYTES = 4096

/** What is kept of a message. */
interface Kept {
  key: Buffer
  value: Buffer
  headers: Record<string, string>
  /** Set where the value was cut. */
  sha256: string | undefined
}

function keptOf(message: LoggedMessage): Kept {
  const { key, value } = message
  const isCut = value.length > MAX_LETTER_BYTES
  return {
    key: key.subarray(0, MAX_LETTER_KEY_BYTES),
    value: isCut ? value.subarray(0, MAX_LETTER_BYTES) : value,
    headers: keptHeaders(message.headers ?? {}),
    sha256: isCut ? createHash('sha256').update(value).digest('hex') : undefined,
  }
}

/** Headers in their order, as many as fit; longer ones are left out, not cut. */
function keptHeaders(headers: Record<string, string>): Record<string, string> {
  const kept: [string, string][] = []
  let bytes = 0
  for (const [name, value] of Object.entries(headers)) {
    if (kept.length === MAX_LETTER_HEADERS) break
    const size = Buffer.byteLength(name) + Buffer.byteLength(value)
    if (bytes + size > MAX_LETTER_HEADER_BYTES) continue
    bytes += size
    kept.push([name, value])
  }
  return Object.fromEntries(kept)
}

/** The first bytes of a text, and never half a character. */
const shortened = (text: string) =>
  Buffer.byteLength(text) <= MAX_TEXT_BYTES
    ? text
    : `${text.slice(0, MAX_TEXT_BYTES / 4).replace(/[\uD800-\uDBFF]$/, '')}…`

/**
 * The message for the dead-letter topic, below the batch size that brokers take unless set
 * otherwise. Headers have the names that Kafka Connect gives its dead letters; a value that was cut
 * has its length and SHA-256 beside them.
 */
export function deadLetterMessage(
  { topic, partition }: Pick<OffsetRange, 'topic' | 'partition'>,
  service: string,
  { message, code, text }: DeadLetter,
): OutgoingMessage {
  const { key, value, headers, sha256 } = keptOf(message)
  return {
    key: key.toString(),
    value,
    headers: {
      ...headers,
      '__connect.errors.topic': topic,
      '__connect.errors.partition': partition,
      '__connect.errors.offset': String(message.offset),
      '__connect.errors.connector.name': `plumbline-${service}`,
      '__connect.errors.task.id': '0',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.class.name': 'plumbline.EventMapping',
      '__connect.errors.exception.class.name': code,
      '__connect.errors.exception.message': shortened(text),
      '__connect.errors.exception.stacktrace': '',
      ...(sha256 !== undefined && {
        'plumbline.value.bytes': String(message.value.length),
        'plumbline.value.sha256': sha256,
      }),
    },
  }
}

/** Writes the dead letters of a range as rows; none where there are none. */
export type DeadLetterRows = (range: OffsetRange, dead: readonly DeadLetter[]) => TableRows

/** Writes dead letters into the columns of their table, which are used again. */
export function deadLetterRows(service: string): DeadLetterRows {
  const columns = {
    topic: native.lowCardinality(),
    partition: native.lowCardinality(),
    offset: native.fixed('UInt64'),
    key: native.byteStrings(),
    value: native.byteStrings(),
    value_bytes: native.fixed('UInt64'),
    value_sha256: native.strings(),
    headers: native.mapOf(native.strings()),
    reason: native.lowCardinality(),
    message: native.strings(),
    service: native.lowCardinality(),
    received_at: native.fixed("DateTime64(3, 'UTC')"),
    log_epoch: native.lowCardinality(),
  }
  return (range, dead) => {
    native.clear(columns)
    dead.forEach(({ message, code, text }, row) => {
      const { key, value, headers, sha256 } = keptOf(message)
      columns.topic.set(row, range.topic)
      columns.partition.set(row, range.partition)
      columns.offset.set(row, message.offset)
      columns.key.set(row, key)
      columns.value.set(row, value)
      columns.value_bytes.set(row, message.value.length)
      columns.value_sha256.set(
        row,
        sha256 ?? createHash('sha256').update(message.value).digest('hex'),
      )
      columns.headers.set(row, FlatRecord.of(headers))
      columns.reason.set(row, code)
      columns.message.set(row, shortened(text))
      columns.service.set(row, service)
      columns.received_at.set(row, arrivalOf(range, message))
      columns.log_epoch.set(row, range.logEpoch)
    })
    return { table: 'dead_letters', columns, rows: dead.length, months: letterMonths(range, dead) }
  }
}

/** The table is partitioned by the month of the arrival. */
function letterMonths(range: OffsetRange, dead: readonly DeadLetter[]): TableRows['months'] {
  const of = monthsOf(dead.map(({ message }) => arrivalOf(range, message)))
  return of && { column: 'received_at', of }
}
