/** Rows of a Parquet file, read by the embedded engine block by block. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Session } from 'chdb'

/** Rows in their order, each with a value for each column. */
export interface ParquetBlock {
  columns: readonly string[]
  rows: unknown[][]
}

/**
 * One thread, so that rows come in their order and a row has a number; memory is bounded, whatever
 * the file says of itself. Whole numbers of 64 bits come as text: a double would round them.
 */
const SETTINGS = `max_threads=1, max_parsing_threads=1, input_format_parquet_preserve_order=1, max_memory_usage=2000000000,
  max_block_size=2048, input_format_parquet_max_block_size=2048, output_format_json_quote_64bit_integers=1,
  output_format_json_quote_denormals=0, date_time_output_format='iso', session_timezone='UTC'`

/**
 * Reads a file from a row on. Times are RFC 3339, structs and maps objects, whole numbers beyond 2^53
 * bigints; NaN and the infinities are null.
 *
 * @param skip rows that are left out at the beginning
 * @throws Error with the engine's own sentence where the file is no Parquet
 */
export async function* parquetRows(path: string, skip: number): AsyncGenerator<ParquetBlock> {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-parquet-'))
  // A name of our own: the engine takes `*` and `{a,b}` in a name for a pattern.
  const link = join(folder, 'rows.parquet')
  symlinkSync(resolve(path), link)
  const session = new Session()
  try {
    const described = await session.queryAsync(`DESCRIBE file('${link}', Parquet)`, {
      format: 'JSONCompact',
    })
    const { data } = described.json<{ data: [string, string][] }>()
    const columns = data.map(([name]) => name)
    const converters = data.map(([, type]) => converterOf(type))
    const stream = session.queryStream(
      `SELECT * FROM file('${link}', Parquet) LIMIT 18446744073709551615 OFFSET ${skip} SETTINGS ${SETTINGS}`,
      { format: 'JSONCompactEachRow' },
    )
    for await (const chunk of stream) {
      const rows = JSON.parse(`[${chunk.text().trimEnd().replaceAll('\n', ',')}]`) as unknown[][]
      converters.forEach((convert, i) => {
        if (convert) for (const row of rows) row[i] = convert(row[i])
      })
      yield { columns, rows }
    }
  } finally {
    session.close()
    rmSync(folder, { recursive: true, force: true })
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
