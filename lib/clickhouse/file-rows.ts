/** Rows of files that the embedded engine reads: of Parquet block by block, of texts as bytes. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Session } from 'chdb'
import { S3_SETTINGS, s3Table, toldWithoutSecrets, type S3Object } from './s3-objects.ts'

/** Rows in their order, each with a value for each column. */
export interface ParquetBlock {
  columns: readonly string[]
  rows: unknown[][]
}

/** A file on this machine, by its path, or an object of S3. */
export type FileOrigin = string | S3Object

/** Rows of one block: a block is what young memory holds. */
const BLOCK_ROWS = 2048
/** One thread, so that rows come in their order; memory is bounded, whatever a file says of itself. */
const BOUNDS = `max_threads=1, max_parsing_threads=1, max_memory_usage=2000000000, max_block_size=${BLOCK_ROWS}`
/** A row has a number. Whole numbers of 64 bits come as text: a double would round them. */
const SETTINGS = `${BOUNDS}, input_format_parquet_preserve_order=1, input_format_parquet_max_block_size=${BLOCK_ROWS},
  output_format_json_quote_64bit_integers=1, output_format_json_quote_denormals=0, date_time_output_format='iso',
  session_timezone='UTC'`

/**
 * Reads a file from a row on. Times are RFC 3339, structs and maps objects, whole numbers beyond 2^53
 * bigints; NaN and the infinities are null.
 *
 * @param skip rows that are left out at the beginning
 * @throws Error with the engine's own sentence where the file is no Parquet
 */
export async function* parquetRows(from: FileOrigin, skip: number): AsyncGenerator<ParquetBlock> {
  const reading = readingOf(from)
  try {
    const { session } = reading
    const table = reading.table('Parquet')
    const described = await session.queryAsync(
      `DESCRIBE ${table} SETTINGS ${reading.settings(SETTINGS)}`,
      { format: 'JSONCompact' },
    )
    const { data } = described.json<{ data: [string, string][] }>()
    const columns = data.map(([name]) => name)
    const converters = data.map(([, type]) => converterOf(type))
    const stream = session.queryStream(
      `SELECT * FROM ${table} LIMIT 18446744073709551615 OFFSET ${skip} SETTINGS ${reading.settings(SETTINGS)}`,
      { format: 'JSONCompactEachRow' },
    )
    for await (const chunk of stream) {
      const rows = JSON.parse(`[${chunk.text().trimEnd().replaceAll('\n', ',')}]`) as unknown[][]
      converters.forEach((convert, i) => {
        if (convert) for (const row of rows) row[i] = convert(row[i])
      })
      yield { columns, rows }
    }
  } catch (error) {
    throw reading.told(error)
  } finally {
    reading.close()
  }
}

/**
 * The bytes of an object of S3, line by line; `.gz` and `.zst` are decompressed.
 *
 * @throws Error with what the endpoint said, without a secret in it
 */
export async function* s3Bytes(from: S3Object): AsyncGenerator<Buffer> {
  const reading = readingOf(from)
  try {
    const stream = reading.session.queryStream(
      `SELECT line FROM ${reading.table('LineAsString')} SETTINGS ${reading.settings(BOUNDS)}, input_format_parallel_parsing=0`,
      { format: 'TSVRaw' },
    )
    for await (const chunk of stream) yield Buffer.from(chunk.raw())
  } catch (error) {
    throw reading.told(error)
  } finally {
    reading.close()
  }
}

/** An engine of its own for one file. */
interface Reading {
  session: Session
  /** The table function that reads the file in a format. */
  table: (format: string) => string
  settings: (more: string) => string
  /** An error as it may be told. */
  told: (error: unknown) => unknown
  close: () => void
}

function readingOf(from: FileOrigin): Reading {
  if (typeof from !== 'string') {
    const session = new Session()
    return {
      session,
      table: (format) => s3Table(from.access, from.path, format),
      settings: (more) => `${more}, ${S3_SETTINGS}`,
      told: (error) => toldWithoutSecrets(error, from.access),
      close: () => session.close(),
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-parquet-'))
  // A name of our own: the engine takes `*` and `{a,b}` in a name for a pattern.
  const link = join(folder, 'rows')
  symlinkSync(resolve(from), link)
  const session = new Session()
  return {
    session,
    table: (format) => `file('${link}', ${format})`,
    settings: (more) => more,
    told: (error) => error,
    close: () => {
      session.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What makes a column's texts of digits numbers; undefined where there are none. */
function converterOf(type: string): ((value: unknown) => unknown) | undefined {
  if (/^(Nullable\()?U?Int64\)?$/.test(type)) return wholeNumber
  if (!/^Array\((Nullable\()?U?Int64/.test(type)) return undefined
  return (value) => (Array.isArray(value) ? value.map(wholeNumber) : value)
}

function wholeNumber(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt(value)
}
