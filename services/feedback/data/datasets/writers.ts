/** How rows of a data set are written, in each format. */
import type { Row } from '../../../../lib/clickhouse/port.ts'
import type { DatasetColumn, DatasetManifest } from '../../../../schemas/http/labels/datasets.ts'
import { argillaRecord, labelStudioTask } from '../exchange/tasks-out.ts'
import { placeOf } from './columns.ts'
import { csvHead, csvLine, type Cell } from './csv.ts'
import { pairMaker, type LabelledAnswer, type PreferencePair } from './pairs.ts'

/** What was written. */
export interface WrittenCounts {
  /** Rows, or pairs. */
  rows: number
  /** The sum of `weight`; null of pairs. */
  weight: number | null
  defused: number
  leftOut: Record<string, number>
}

/** Writes rows as text, one by one, and counts. */
export interface RowWriter {
  /** What stands before all rows. */
  head: string
  /** A row as text; empty where it is not written, or not yet. */
  row: (row: Row) => string
  /** What stands behind all rows. */
  end: () => string
  counts: WrittenCounts
}

/** Columns of a file of pairs. */
export const PAIR_COLUMNS: readonly DatasetColumn[] = [
  'prompt',
  'chosen',
  'rejected',
  'chosen_id',
  'rejected_id',
].map((name) => ({ name, type: 'text' }))

/** The writer of a format that is text. */
export function textWriter(
  question: DatasetManifest['question'],
  columns: readonly DatasetColumn[],
): RowWriter {
  const { format, pairs } = question
  if (format === 'pairs') return pairWriter(pairMaker(pairs!))
  const counts = { rows: 0, weight: 0, defused: 0, leftOut: {} }
  const write = lineWriter(question, columns, counts)
  const cellsOf = cellReader(columns)
  const isArray = format === 'label_studio' || format === 'argilla'
  return {
    head: format === 'csv' ? csvHead(columns) : isArray ? '[\n' : '',
    row: (row) => {
      const separator = isArray && counts.rows > 0 ? ',\n' : ''
      counts.rows++
      counts.weight += weightOf(row)
      return separator + write(cellsOf(row))
    },
    end: () => (isArray ? '\n]\n' : ''),
    counts,
  }
}

function lineWriter(
  question: DatasetManifest['question'],
  columns: readonly DatasetColumn[],
  counts: { defused: number },
): (cells: readonly Cell[]) => string {
  const { format } = question
  if (format === 'label_studio')
    return (cells) => JSON.stringify(labelStudioTask(cells, columns, question))
  if (format === 'argilla')
    return (cells) => JSON.stringify(argillaRecord(cells, columns, question))
  if (format === 'jsonl')
    return (cells) =>
      `${JSON.stringify(Object.fromEntries(columns.map(({ name }, i) => [name, cells[i]!])))}\n`
  return (cells) => {
    const { line, defused } = csvLine(cells, columns)
    counts.defused += defused
    return line
  }
}

function pairWriter(maker: ReturnType<typeof pairMaker>): RowWriter {
  const counts = {
    rows: 0,
    weight: null,
    defused: 0,
    leftOut: maker.leftOut as Record<string, number>,
  }
  const written = (pair: PreferencePair | undefined) => {
    if (!pair) return ''
    counts.rows++
    return `${JSON.stringify(pair)}\n`
  }
  return {
    head: '',
    row: (row) => written(maker.take(row as unknown as LabelledAnswer)),
    end: () => written(maker.end()),
    counts,
  }
}

/** What a row stands for. */
export const weightOf = (row: Row): number =>
  typeof row['weight'] === 'number' ? row['weight'] : 0

/** Reads the values of columns, in their order, of rows as ClickHouse gives them. */
export function cellReader(columns: readonly DatasetColumn[]): (row: Row) => Cell[] {
  const placed = columns.map(({ name, type }) => ({ ...placeOf(name), type }))
  return (row) =>
    placed.map(({ map, key, type }) => {
      const values = map === undefined ? row : (row[map] as Record<string, unknown> | undefined)
      return cellOf(values && Object.hasOwn(values, key) ? values[key] : null, type)
    })
}

function cellOf(value: unknown, type: DatasetColumn['type']): Cell {
  if (value === null || value === undefined) return null
  if (type === 'number') return typeof value === 'number' ? value : null
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  return typeof value === 'string' ? value : JSON.stringify(value)
}
