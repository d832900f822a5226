/** Rows of a data set become a file: line by line, so that neither process nor engine holds them all. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ClickHouse, Row } from '../../../../lib/clickhouse/port.ts'
import { parquetTable } from '../../../../lib/disk/parquet-table.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import type { DatasetColumn, DatasetFile } from '../../../../schemas/http/labels/datasets.ts'
import {
  cellReader,
  textWriter,
  weightOf,
  type RowWriter,
  type WrittenCounts,
} from '../../data/datasets/writers.ts'
import { rowsStatement, type RowsQuestion } from './rows.ts'

/** A file that was written, and what it holds. */
export interface WrittenFile {
  path: string
  file: DatasetFile
}

/** What a data set may have. */
export interface DatasetBounds {
  rows: number
  bytes: number
}

/** Where rows go, one by one. */
interface Output {
  add: (row: Row) => Promise<void> | void
  /** Writes what is left, and says what there is. */
  end: () => Promise<WrittenCounts>
  close: () => Promise<void>
}

/** Characters that are written at once. */
const CHUNK = 256 * 1024

/**
 * Writes the rows into a folder.
 *
 * @throws {Problem} 400 `too_many_rows` or `too_many_bytes` beyond the bounds
 */
export async function writeDataset(
  db: ClickHouse,
  folder: string,
  asked: Omit<RowsQuestion, 'most'> & { columns: readonly DatasetColumn[] },
  bounds: DatasetBounds,
): Promise<WrittenFile> {
  const { sql, params } = rowsStatement({ ...asked, most: bounds.rows })
  const raw = join(folder, 'raw')
  await db.selectToFile(sql, params, raw)
  const path = join(folder, 'rows')
  const output =
    asked.question.format === 'parquet'
      ? parquetOutput(path, asked.columns, bounds.bytes)
      : await textOutput(path, textWriter(asked.question, asked.columns), bounds.bytes)
  const { rows, weight, defused, leftOut } = await writeRows(raw, output, bounds.rows)
  return {
    path,
    file: {
      rows,
      weight,
      ...(await digestOf(path)),
      columns: [...asked.columns],
      defused_cells: defused,
      left_out: leftOut,
    },
  }
}

async function writeRows(from: string, output: Output, most: number): Promise<WrittenCounts> {
  try {
    let read = 0
    const lines = createInterface({ input: createReadStream(from), crlfDelay: Infinity })
    for await (const line of lines) {
      if (line === '') continue
      if (++read > most)
        throw new Problem(
          400,
          'too_many_rows',
          `the data set has more than ${most} rows: ask for a shorter time, or where`,
        )
      await output.add(JSON.parse(line) as Row)
    }
    return await output.end()
  } finally {
    await output.close()
  }
}

function requireFits(bytes: number, most: number): void {
  if (bytes > most)
    throw new Problem(
      400,
      'too_many_bytes',
      `the data set has more than ${most} bytes: ask for a shorter time or fewer columns`,
    )
}

async function textOutput(path: string, writer: RowWriter, most: number): Promise<Output> {
  const file = await open(path, 'wx', 0o600)
  let text = writer.head
  let bytes = 0
  const flush = async () => {
    const chunk = Buffer.from(text)
    text = ''
    bytes += chunk.length
    requireFits(bytes, most)
    await file.appendFile(chunk)
  }
  return {
    add: (row) => {
      text += writer.row(row)
      if (text.length > CHUNK) return flush()
    },
    end: async () => {
      text += writer.end()
      await flush()
      return writer.counts
    },
    close: () => file.close(),
  }
}

function parquetOutput(path: string, columns: readonly DatasetColumn[], most: number): Output {
  const table = parquetTable(path, columns)
  const cellsOf = cellReader(columns)
  const counts = { rows: 0, weight: 0, defused: 0, leftOut: {} }
  return {
    add: (row) => {
      counts.rows++
      counts.weight += weightOf(row)
      table.add(cellsOf(row))
      requireFits(table.bytes(), most)
    },
    end: async () => {
      table.end()
      requireFits(table.bytes(), most)
      return counts
    },
    close: async () => {},
  }
}

async function digestOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}
