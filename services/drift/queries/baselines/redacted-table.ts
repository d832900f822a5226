/** A copy of a table as the privacy rules of its model leave it, before anything else reads it. */
import { open, type FileHandle } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { TableReader } from '../../../../lib/clickhouse/table-files.ts'
import type { Redactor } from '../../../../lib/events/privacy/redactor.ts'
import { eventValue, readable } from './table-columns.ts'

/** A table, where its copy goes, and what is left of it. */
export interface Redaction {
  /** Where the copy is written; nothing is there yet. */
  path: string
  rows: number
  /** Column by the name that events have. */
  columns: Readonly<Record<string, string>>
  redactor: Redactor
  /** Rows that are read at once, by the number of columns. */
  atOnce: (columns: number) => number
}

/** After so many milliseconds of redacting, others have their turn. */
const TURN_MS = 10
const TYPES = { number: 'Nullable(Float64)', text: 'Nullable(String)', boolean: 'Nullable(Bool)' }

/**
 * Writes the copy: columns under the names that events have, without those that a rule drops.
 * Dropped columns are not read at all.
 *
 * @returns how many columns rules have dropped, and what is left out for other reasons, in words
 */
export async function writeRedacted(
  reader: TableReader,
  { path, rows, columns, redactor, atOnce }: Redaction,
): Promise<{ dropped: number; leftOut: string }> {
  const { read, leftOut } = readable(await reader.columns(), columns)
  const kept = read.flatMap((column) => {
    const change = redactor.column(column.name)
    // A column may be called by what the file calls it, too.
    const isDropped = !change || !redactor.column(columns[column.name] ?? column.name)
    return isDropped ? [] : [{ ...column, change }]
  })
  const select = kept.map(eventValue)
  const file = await open(path, 'wx', 0o600)
  try {
    const types = kept.map(({ kind, name }) =>
      isHashed(redactor, name) ? TYPES.text : TYPES[kind],
    )
    await writeLines(file, [kept.map(({ name }) => name), types])
    const perBlock = atOnce(kept.length)
    for (let from = 0; from < rows; from += perBlock) {
      const block = await reader.values(select, from, perBlock)
      await writeChanged(file, block, kept)
    }
  } finally {
    await file.close()
  }
  return { dropped: read.length - kept.length, leftOut }
}

/** Numbers and booleans under a hash are texts. */
const isHashed = (redactor: Redactor, name: string) => typeof redactor.column(name)!(1) === 'string'

type Changes = readonly { change: (value: unknown) => unknown }[]

async function writeChanged(
  file: FileHandle,
  block: readonly unknown[][],
  kept: Changes,
): Promise<void> {
  let turn = performance.now()
  let lines: unknown[][] = []
  for (const values of block) {
    lines.push(
      values.map((value, i) =>
        value === null || value === undefined ? null : kept[i]!.change(value),
      ),
    )
    if (performance.now() - turn < TURN_MS) continue
    await writeLines(file, lines)
    lines = []
    await setImmediate()
    turn = performance.now()
  }
  await writeLines(file, lines)
}

async function writeLines(file: FileHandle, lines: readonly unknown[][]): Promise<void> {
  if (lines.length === 0) return
  await file.appendFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}
