/** The bytes of a message as a value, by the format of its source. */
import { isUtf8 } from 'node:buffer'
import { CsvError, parse as parseCsv } from 'csv-parse/sync'
import type { AvroReader } from '../events/avro/confluent-wire-format.ts'
import { FlatRecord } from '../events/flat-record.ts'
import { scanValue } from '../events/json/duplicate-keys.ts'
import { whyBeyond } from '../events/json/bounds.ts'
import { parseExactly } from '../events/json/exact-integers.ts'
import { plainJsonReader } from '../events/json/fast-reader.ts'
import type { RejectCode } from '../events/rejections.ts'
import { isPlain } from '../events/validator.ts'
import { messageOf } from '../runtime/errors.ts'
import { MESSAGE_BOUNDS } from './embedded.ts'
import { confluentStart, protobufDecoder } from './protobuf.ts'
import type { Source } from './source-files.ts'

/** A message as a value, or why it is none. */
export type Decoded = { value: unknown } | { code: RejectCode; text: string }

/** Decodes the messages of one source. */
export type Decode = (bytes: Buffer) => Decoded

/** Bytes of one message, of Kafka or of a file. */
export const MAX_MESSAGE_BYTES = 16 << 20

/**
 * Makes the decoder of a source's messages.
 *
 * @param avro reads Avro; undefined where no schema registry is configured
 */
export function decoderOf(
  { file, proto }: Pick<Source, 'file' | 'proto'>,
  avro?: AvroReader,
): Decode {
  const decode = formatDecoder({ file, proto }, avro)
  return (bytes) => {
    if (bytes.length === 0) return { code: 'empty', text: 'the message has no value' }
    return bytes.length > MAX_MESSAGE_BYTES
      ? { code: 'too_large', text: `the message is larger than ${MAX_MESSAGE_BYTES} bytes` }
      : decode(bytes)
  }
}

function formatDecoder({ file, proto }: Pick<Source, 'file' | 'proto'>, avro?: AvroReader): Decode {
  switch (file.format) {
    case 'avro':
      return (bytes) => avro?.decode({ bytes, from: 0, to: bytes.length }) ?? NO_REGISTRY
    case 'protobuf':
      return protobufOf(proto ?? '', file.protobuf!)
    case 'csv':
      return csvLine(file.csv?.columns ?? [], file.csv?.delimiter ?? ',')
    case 'json':
    case 'parquet':
      return jsonDecoder()
  }
}

const NO_REGISTRY: Decoded = {
  code: 'unknown_schema',
  text: 'the value is Avro, and no schema registry is set: PLUMBLINE_SCHEMA_REGISTRY_URL says where it is',
}

/** Makes the decoder of JSON within bounds, no member of an object given twice. */
function jsonDecoder(): Decode {
  const readPlain = plainJsonReader()
  return (bytes) => {
    const plain = readPlain.event(bytes)
    return plain ? { value: plain } : anyJson(bytes)
  }
}

function anyJson(bytes: Buffer): Decoded {
  const why = whyBeyond(bytes, MESSAGE_BOUNDS)
  if (why) return { code: 'invalid_json', text: `the message cannot be read: ${why}` }
  if (!isUtf8(bytes)) return { code: 'invalid_json', text: 'the message is not UTF-8' }
  const text = bytes.toString()
  try {
    const value = parseExactly(text)
    if (isPlain(text, value)) return { value }
    const { unparsable, repeated } = scanValue(text, 0)
    if (!unparsable && repeated)
      return {
        code: 'repeated_key',
        text: `the message gives ${repeated.field ?? 'a member'} twice`,
      }
    return { value }
  } catch {
    return { code: 'invalid_json', text: 'the message is no JSON' }
  }
}

function protobufOf(
  proto: string,
  { message, framing = 'none' }: { message: string; framing?: 'none' | 'confluent' },
): Decode {
  const decode = protobufDecoder(proto, message)
  return (bytes) => {
    try {
      return { value: decode(framing === 'none' ? bytes : bytes.subarray(confluentStart(bytes))) }
    } catch (error) {
      // Whatever it is, the bytes alone are to blame.
      return { code: 'invalid_protobuf', text: `the message is no ${message}: ${messageOf(error)}` }
    }
  }
}

/** One line of CSV; its cells are texts. */
function csvLine(columns: readonly string[], delimiter: string): Decode {
  return (bytes) => {
    try {
      if (!isUtf8(bytes)) return { code: 'invalid_csv', text: 'the message is not UTF-8' }
      const rows = parseCsv(bytes.toString().trimEnd(), { bom: true, delimiter })
      const [cells, ...others] = rows
      if (!cells || others.length > 0)
        return {
          code: 'invalid_csv',
          text: `the message has ${rows.length} lines of CSV, and may have one`,
        }
      return csvRecord(columns, cells)
    } catch (error) {
      if (!(error instanceof CsvError)) throw error
      return {
        code: 'invalid_csv',
        text: `the message is no CSV by RFC 4180: ${error.message.slice(0, 200)}`,
      }
    }
  }
}

/** The cells of a line by the names of their columns. */
export function csvRecord(columns: readonly string[], cells: readonly string[]): Decoded {
  if (cells.length !== columns.length)
    return {
      code: 'invalid_csv',
      text: `the line has ${cells.length} cells, and there are ${columns.length} columns`,
    }
  return { value: new FlatRecord(columns, [...cells], false) }
}
