/** Writes a table as Parquet, some thousand rows at a time: the same rows are the same bytes. */
import { fileWriter, ParquetWriter } from 'hyparquet-writer'

/** A column; any value may be missing. */
export interface ParquetColumn {
  name: string
  type: 'text' | 'number' | 'boolean' | 'time'
}

/** A file that takes rows. */
export interface ParquetTable {
  /** A row, a value for each column; a time is RFC 3339. */
  add: (cells: readonly (string | number | boolean | null)[]) => void
  /** Bytes that were written so far. */
  bytes: () => number
  /** Writes what is left, and the end of the file. */
  end: () => void
}

/** Rows and characters of a row group at most: what is held until it is written. */
const GROUP_ROWS = 20_000
const GROUP_CHARACTERS = 16_000_000

const TYPES = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  number: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
} as const

/** Opens a file, in place of what was there. */
export function parquetTable(path: string, columns: readonly ParquetColumn[]): ParquetTable {
  const file = fileWriter(path)
  const writer = new ParquetWriter({
    writer: file,
    createdBy: 'plumbline',
    schema: [
      { name: 'rows', num_children: columns.length },
      ...columns.map(({ name, type }) => ({
        name,
        repetition_type: 'OPTIONAL' as const,
        ...TYPES[type],
      })),
    ],
  })
  let held = emptyGroup(columns)
  let characters = 0
  const flush = () => {
    void writer.write({
      columnData: columns.map(({ name }, i) => ({ name, data: held[i]! })),
      rowGroupSize: GROUP_ROWS,
    })
    held = emptyGroup(columns)
    characters = 0
  }
  return {
    add: (cells) => {
      cells.forEach((cell, i) => {
        held[i]!.push(columns[i]!.type === 'time' && cell !== null ? new Date(String(cell)) : cell)
        if (typeof cell === 'string') characters += cell.length
      })
      if (held[0]!.length >= GROUP_ROWS || characters >= GROUP_CHARACTERS) flush()
    },
    bytes: () => file.offset,
    end: () => {
      if (held[0]!.length > 0) flush()
      void writer.finish()
    },
  }
}

const emptyGroup = (columns: readonly ParquetColumn[]): unknown[][] => columns.map(() => [])
