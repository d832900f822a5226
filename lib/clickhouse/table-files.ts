/** Files that people bring, read by ClickHouse: Parquet, CSV with a line of names, NDJSON. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedEngine } from './embedded.ts'
import { escape, type BlockColumn, type ClickHouse } from './port.ts'

/** How a table is written by people; also the end of its file's name. */
export type TableFormat = 'parquet' | 'csv' | 'ndjson'

/** Rows as arrays of JSON, after a row of names and one of types: how we write one ourselves. */
type OwnFormat = 'rows'

/** A file with a table in it; the path is absolute. */
export interface TableFile {
  path: string
  format: TableFormat | OwnFormat
}

/** Rows of a file that become rows of a table of ClickHouse. */
export interface TableInsert {
  table: string
  columns: readonly BlockColumn[]
  /** SQL of the columns, in their order, over the columns of the file. */
  select: readonly string[]
  /** The first row, from 0, and how many. */
  from: number
  rows: number
  token: string
}

/** Reads one file. Every function rejects with what ClickHouse says of it. */
export interface TableReader {
  /** Names and ClickHouse types of its columns; all may be NULL. */
  columns: () => Promise<BlockColumn[]>
  rows: () => Promise<number>
  insert: (insert: TableInsert) => Promise<void>
  /** Values of some SQL columns of some rows, from the row `from` (0 is the first) on. */
  values: (select: readonly string[], from: number, rows: number) => Promise<unknown[][]>
}

const FORMATS = {
  parquet: 'Parquet',
  csv: 'CSVWithNames',
  ndjson: 'JSONEachRow',
  rows: 'JSONCompactEachRowWithNamesAndTypes',
} as const

/**
 * One thread, so that rows have an order, and numbers and texts alone: a date stays the text that
 * it is, as it does in an event.
 */
const READING =
  'max_threads = 1, max_parsing_threads = 1, input_format_parallel_parsing = 0, input_format_parquet_preserve_order = 1, input_format_try_infer_dates = 0, input_format_try_infer_datetimes = 0, schema_inference_make_columns_nullable = 1, input_format_json_read_numbers_as_strings = 0, max_execution_time = 60'

/** SQL of a file as a table. */
const source = ({ path, format }: TableFile) => `file('${escape(path)}', ${FORMATS[format]})`

/**
 * Reads a file with the engine in this process, which is ClickHouse's own reader of each format.
 * Where ClickHouse is elsewhere an engine is opened for the reading, and what it reads goes there
 * in blocks.
 *
 * @param db where rows are stored
 */
export async function withTableReader<T>(
  db: ClickHouse,
  file: TableFile,
  use: (reader: TableReader) => Promise<T>,
): Promise<T> {
  if (db.isEmbedded) return use(embeddedReader(db, file))
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-table-'))
  const engine = embeddedEngine(join(folder, 'engine'))
  try {
    const session = engine.rawSession('plumbline_owner', [])
    const run = async (sql: string, format: string) => (await session.run(sql, {}, format)).bytes
    return await use(remoteReader(db, file, { run, block: join(folder, 'block') }))
  } finally {
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const describeSql = (file: TableFile) => `DESCRIBE TABLE ${source(file)} SETTINGS ${READING}`
const countSql = (file: TableFile) => `SELECT count() AS n FROM ${source(file)} SETTINGS ${READING}`
const rowsSql = (file: TableFile, { select, from, rows }: TableInsert) =>
  `SELECT ${select.join(', ')} FROM (SELECT *, ${from} + rowNumberInAllBlocks() AS ${ROW} FROM (SELECT * FROM ${source(file)} LIMIT ${rows} OFFSET ${from}))`

/** One column, an array of values: names of columns are the file's, and may be anything. */
const valuesSql = (file: TableFile, select: readonly string[], from: number, rows: number) =>
  `SELECT [${select.map((sql) => `CAST(${sql}, 'Variant(Float64, String, Bool)')`).join(', ')}] AS row FROM (SELECT * FROM ${source(file)} LIMIT ${rows} OFFSET ${from}) SETTINGS ${READING}`

interface ValuesRow {
  row: unknown[]
}

/** SQL of the number of a row, from 0, beside the columns of a file. */
export const ROW = '`@@row`'

function embeddedReader(db: ClickHouse, file: TableFile): TableReader {
  return {
    columns: () => db.query<BlockColumn>(describeSql(file)),
    rows: async () => Number((await db.query<{ n: string }>(countSql(file)))[0]!.n),
    values: async (...question) =>
      (await db.query<ValuesRow>(valuesSql(file, ...question))).map(({ row }) => row),
    insert: (insert) =>
      db.command(
        `INSERT INTO ${insert.table} (${namesOf(insert)}) SETTINGS async_insert = 0, insert_deduplication_token = '${escape(insert.token)}', min_insert_block_size_rows = 10000000, min_insert_block_size_bytes = 0, max_insert_block_size = 10000000, ${READING} ${rowsSql(file, insert)}`,
      ),
  }
}

/** What a remote reader reads with, and the file in which a block waits. */
interface RemoteParts {
  run: (sql: string, format: string) => Promise<Buffer>
  block: string
}

function remoteReader(db: ClickHouse, file: TableFile, { run, block }: RemoteParts): TableReader {
  const read = async <T>(sql: string): Promise<T[]> =>
    (await run(sql, 'JSONEachRow'))
      .toString()
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]))
  return {
    columns: () => read<BlockColumn>(describeSql(file)),
    rows: async () => Number((await read<{ n: string }>(countSql(file)))[0]!.n),
    values: async (...question) =>
      (await read<ValuesRow>(valuesSql(file, ...question))).map(({ row }) => row),
    insert: async (insert) => {
      const { table, columns, token } = insert
      await writeFile(block, await run(`${rowsSql(file, insert)} SETTINGS ${READING}`, 'Native'))
      await db.insertFile({ table, columns, path: block, token })
    },
  }
}

const namesOf = ({ columns }: TableInsert) => columns.map(({ name }) => name).join(', ')
