/** Messages of a file, by its source's format, in their order and from any row on. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { CsvError, parse as csvParser } from 'csv-parse'
import { parquetRows, s3Bytes, type FileOrigin } from '../../clickhouse/file-rows.ts'
import { FlatRecord } from '../../events/flat-record.ts'
import { csvRecord, decoderOf, MAX_MESSAGE_BYTES, type Decode, type Decoded } from '../decode.ts'
import type { Source } from '../source-files.ts'
import { jsonSplitter, type Message } from './json-elements.ts'

/** A message of a file, and how many bytes it had there. */
export interface FileMessage {
  decoded: Decoded
  bytes: number
}

const MAX_LINE_BYTES = 4 << 20
/** What bytes a row of Parquet has, nobody says: each may become events as a message of so many. */
const PARQUET_ROW_BYTES = 65_536

/**
 * Reads a file in parts of some thousand messages; `.gz` and `.zst` are decompressed.
 *
 * @param skip messages that are left out at the beginning
 * @throws Error with the sentence why it cannot be read, after the messages before that place
 */
export async function* fileMessages(
  from: FileOrigin,
  source: Pick<Source, 'file' | 'proto'>,
  skip: number,
): AsyncGenerator<FileMessage[]> {
  const { format, csv } = source.file
  if (format === 'parquet') {
    for await (const { columns, rows } of parquetRows(from, skip))
      yield rows.map((row) => ({
        decoded: { value: new FlatRecord(columns, row, false) },
        bytes: PARQUET_ROW_BYTES,
      }))
    return
  }
  const bytes = bytesOf(from)
  const parts =
    format === 'csv' ? csvMessages(bytes, csv ?? {}) : jsonMessages(bytes, decoderOf(source))
  let left = skip
  for await (const part of parts) {
    const messages = part.slice(left)
    left = Math.max(0, left - part.length)
    if (messages.length > 0) yield messages.map((decode) => decode())
  }
}

/** Decoded only where it is not left out. */
type Undecoded = () => FileMessage

function bytesOf(from: FileOrigin): Readable {
  // The engine decompresses what it fetches by itself.
  if (typeof from !== 'string') return Readable.from(s3Bytes(from))
  const file = createReadStream(from, { highWaterMark: 1 << 20 })
  if (!/\.(gz|zst)$/.test(from)) return file
  const plain = from.endsWith('.gz') ? createGunzip() : createZstdDecompress()
  file.once('error', (error) => plain.destroy(error))
  return file.pipe(plain)
}

async function* jsonMessages(bytes: Readable, decode: Decode): AsyncGenerator<Undecoded[]> {
  const splitter = jsonSplitter(MAX_MESSAGE_BYTES)
  const undecoded = (message: Message) => () => ({
    decoded: message === undefined ? TOO_LARGE : decode(message),
    bytes: message?.length ?? 0,
  })
  for await (const chunk of bytes) yield splitter.push(chunk as Buffer).map(undecoded)
  yield splitter.end().map(undecoded)
}

const TOO_LARGE: Decoded = {
  code: 'too_large',
  text: `the message is larger than ${MAX_MESSAGE_BYTES} bytes`,
}
const CSV_PART = 1000

async function* csvMessages(
  bytes: Readable,
  { columns: given, delimiter = ',' }: { columns?: string[]; delimiter?: string },
): AsyncGenerator<Undecoded[]> {
  const parser = csvParser({
    bom: true,
    delimiter,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_LINE_BYTES,
  })
  bytes.once('error', (error) => parser.destroy(error))
  bytes.pipe(parser)
  let columns = given
  let part: Undecoded[] = []
  try {
    for await (const line of parser) {
      const cells = line as string[]
      if (!columns) {
        columns = headingOf(cells)
        continue
      }
      const of = columns
      part.push(() => ({ decoded: csvRecord(of, cells), bytes: bytesIn(cells) }))
      if (part.length < CSV_PART) continue
      yield part
      part = []
    }
  } catch (error) {
    yield part
    // Behind a quote that does not close no cell can be trusted.
    if (error instanceof CsvError)
      throw new Error(`is no CSV by RFC 4180: ${error.message}`, { cause: error })
    throw error
  }
  yield part
}

function headingOf(cells: readonly string[]): string[] {
  if (new Set(cells).size < cells.length) throw new Error('has two columns of one name')
  return [...cells]
}

const bytesIn = (cells: readonly string[]) => cells.reduce((sum, cell) => sum + cell.length + 1, 0)
