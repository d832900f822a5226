/** Stores a table as a reference: its rows, and the counts that are made of predictions. */
import { gridOf, splitKey } from '../../../../lib/sink/counts/stored-bins.ts'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { escape, type ClickHouse } from '../../../../lib/clickhouse/port.ts'
import {
  withTableReader,
  type TableFile,
  type TableReader,
} from '../../../../lib/clickhouse/table-files.ts'
import type { Privacy, Redactor } from '../../../../lib/events/privacy/redactor.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { resolutionBetween } from '../../../../lib/sink/counts/log-histogram.ts'
import { TABLE_SPAN } from '../../plan/stored-references.ts'
import { sqlTime } from '../../data/cohort.ts'
import { rawCategories, rawNumbers, rawValues } from '../raw-counts.ts'
import { writeRedacted } from './redacted-table.ts'
import { ROW_COLUMNS, tableReading, type TableReading } from './table-columns.ts'

/** Bytes of a table, at most. */
export const MAX_TABLE_BYTES = 256 << 20
/** Rows of a table, and values in all of them, at most. */
const MAX_ROWS = 1_000_000
const MAX_VALUES = 50_000_000
/** Values that are stored at once: what one block holds is in memory. */
const VALUES_AT_ONCE = 4_000_000

/** A file that is to be a reference. */
export interface TableQuestion {
  file: TableFile
  /** How people name it. */
  shown: string
  model: Model
  /** The rules of model files: nothing else of a column is stored than of an event's field. */
  privacy: Privacy
  /** Which column is what, where it is not named so. */
  columns: Readonly<Record<string, string>>
  /** Under what its rows and counts are to stand: nothing stands there yet. */
  under: string
}

/** What was stored. */
export interface StoredTable {
  rows: number
  /** Content in words, such as `45 000 rows with 12 features, scores and labels`. */
  note: string
}

/** A table that cannot be read, and why: the message is one sentence that begins with its name. */
export class UnreadableTable extends Error {}

/**
 * Reads a table and stores it.
 *
 * @throws {UnreadableTable} where the table is at fault; what ClickHouse throws where it is not
 */
export async function storeTable(db: ClickHouse, question: TableQuestion): Promise<StoredTable> {
  const { model, privacy } = question
  const redactor = privacy.of(model.modelId)
  if (redactor) return storeRedacted(db, question, redactor)
  if (model.privacy) throw new Error(`the rules of ${model.modelId} are not known here`)
  return storeWhole(db, question)
}

/** Stores what the rules of the model leave of a table: a copy of it that nobody else can read. */
async function storeRedacted(
  db: ClickHouse,
  question: TableQuestion,
  redactor: Redactor,
): Promise<StoredTable> {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-table-'))
  try {
    const path = join(folder, 'rows')
    const { dropped, leftOut } = await withTableReader(db, question.file, async (reader) => {
      const rows = await boundedRows(question, reader)
      return read(question, () =>
        writeRedacted(reader, { path, rows, columns: question.columns, redactor, atOnce }),
      )
    })
    const file = { path, format: 'rows' as const }
    const stored = await storeWhole(db, { ...question, file, columns: {} })
    const told = [dropped > 0 && `${dropped} columns dropped by its privacy rules`, leftOut]
    return { ...stored, note: [stored.note, ...told].filter((part) => part).join('; ') }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Rows of a block: what one holds is in memory. */
const atOnce = (columns: number) => Math.max(1000, Math.floor(VALUES_AT_ONCE / (columns + 1)))

/** @throws {UnreadableTable} for no rows, or more than a reference may have */
async function boundedRows(question: TableQuestion, reader: TableReader): Promise<number> {
  const rows = await read(question, reader.rows)
  if (rows > 0 && rows <= MAX_ROWS) return rows
  throw new UnreadableTable(
    `${question.shown} has ${rows} rows; a table that is a reference has 1 to ${MAX_ROWS}`,
  )
}

async function storeWhole(db: ClickHouse, question: TableQuestion): Promise<StoredTable> {
  const { file, shown, model, columns, under } = question
  const { rows, reading } = await withTableReader(db, file, async (reader) => {
    const found = await boundedRows(question, reader)
    const own = await read(question, async () =>
      tableReading(await reader.columns(), columns, model, under),
    )
    if (found * own.features.length > MAX_VALUES)
      throw new UnreadableTable(
        `${shown} has ${found} rows of ${own.features.length} features, above ${MAX_VALUES} values: a sample of its rows will do`,
      )
    await clear(db, under)
    await read(question, () => insertRows(reader, found, own))
    return { rows: found, reading: own }
  })
  await fillCounts(db, under)
  return { rows, note: noteOf(rows, reading) }
}

/** Tables that hold something of a reference, its rows the first to be written. */
const TABLES = ['reference_rows', 'event_counts', 'numeric_counts', 'category_counts'] as const

/** Removes what an earlier try has left: it was cut off before its reference was known. */
async function clear(db: ClickHouse, under: string): Promise<void> {
  const params = { model: under }
  const left = await db.query(
    'SELECT 1 FROM reference_rows WHERE model_id = {model:String} LIMIT 1',
    params,
  )
  if (left.length === 0) return
  for (const table of TABLES)
    await db.command(`DELETE FROM ${table} WHERE model_id = '${escape(under)}'`)
}

/** Rows in blocks, in the order of the file. */
async function insertRows(reader: TableReader, rows: number, reading: TableReading) {
  const once = randomUUID()
  const { select, features } = reading
  const perBlock = atOnce(features.length)
  for (let from = 0; from < rows; from += perBlock)
    await reader.insert({
      table: 'reference_rows',
      columns: ROW_COLUMNS,
      select,
      from,
      rows: perBlock,
      token: `table\u0001${once}\u0001${from}`,
    })
}

const FAULT = /(?:Code: \d+\. DB::\w*Exception: |DB::\w*Exception: )/

/** What goes wrong while a file is read is the file's fault, and told by its name. */
async function read<T>({ file, shown }: TableQuestion, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    const message = (error as Error).message
    if (error instanceof UnreadableTable) throw error
    const said = message
      .replace(FAULT, '')
      .replaceAll(file.path, shown)
      .split(/\n|\. Stack|: While executing|: \(in file|\(version/)[0]!
    throw new UnreadableTable(`${shown} cannot be read: ${said.trim().slice(0, 300)}`, {
      cause: error,
    })
  }
}

function noteOf(rows: number, { features, has, leftOut }: TableReading): string {
  const more = [
    has.prediction && 'predictions',
    has.score && 'scores',
    has.label && 'labels',
  ].filter((one) => one !== false)
  const parts = [`${features.length} features`, ...more]
  const list =
    parts.length === 1 ? parts[0] : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
  return `${rows} rows with ${list}${leftOut === '' ? '' : `; ${leftOut}`}`
}

interface SpreadRow {
  subject: string
  low: number
  high: number
  n: string
}

/** Counts of all rows, as they are made of predictions. */
async function fillCounts(db: ClickHouse, under: string): Promise<void> {
  const once = randomUUID()
  const step = sqlTime(TABLE_SPAN.start).slice(0, 19)
  const source = {
    table: 'reference_rows',
    where: 'WHERE model_id = {model:String}',
    grid: `transform(subject, {subjects:Array(String)}, {grids:Array(UInt8)}, ${gridOf(1)})`,
  }
  const keys = { step: `toDateTime('${step}', 'UTC')` }
  const spreads = await db.query<SpreadRow>(
    `SELECT subject, quantile(0.05)(x) AS low, quantile(0.95)(x) AS high, count() AS n FROM (${rawValues(keys, source)}) GROUP BY subject`,
    { model: under },
  )
  const params = {
    model: under,
    subjects: spreads.map(({ subject }) => subject),
    grids: spreads.map(({ low, high, n }) => gridOf(resolutionBetween(low, high, Number(n)))),
  }
  const filled = [
    [
      'event_counts',
      'events',
      `SELECT toDateTime('${step}', 'UTC'), count() FROM reference_rows ${source.where}`,
    ],
    [
      'numeric_counts',
      'subject, grid, bin, bin_high, count, total, low, high',
      `SELECT step, subject, grid, ${splitKey('key', 'grid').join(', ')}, n, t, l, h FROM (${rawNumbers(keys, source)})`,
    ],
    ['category_counts', 'subject, category, count', rawCategories(keys, source)],
  ] as const
  for (const [table, columns, select] of filled)
    await db.command(
      `INSERT INTO ${table} (model_id, step, ${columns})
       SETTINGS async_insert = 0, insert_deduplication_token = '${escape(`table\u0001${once}\u0001${table}`)}'
       SELECT {model:String}, * FROM (${select})`,
      params,
    )
}
