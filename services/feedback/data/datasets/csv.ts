/** Rows as CSV (RFC 4180), its texts harmless to spreadsheets. */
import type { DatasetColumn } from '../../../../schemas/http/labels/datasets.ts'

/** A value of a row; a time is RFC 3339. */
export type Cell = string | number | boolean | null

/** What spreadsheets take for the beginning of a formula. */
const RUN = /^[=+\-@\t\r\n]/

/** A line of CSV, and how many of its texts were changed. */
export interface CsvLine {
  line: string
  defused: number
}

/** The line of names. */
export const csvHead = (columns: readonly DatasetColumn[]): string =>
  csvLine(
    columns.map(({ name }) => name),
    columns.map(({ name }) => ({ name, type: 'text' })),
  ).line

/**
 * A row as a line with its end. A missing value is an empty cell, an empty text one in quotes. A
 * text that a spreadsheet would run, such as `=1+1`, begins with `'`; a number is a number.
 */
export function csvLine(cells: readonly Cell[], columns: readonly DatasetColumn[]): CsvLine {
  let defused = 0
  const written = cells.map((cell, i) => {
    if (cell === null) return ''
    if (columns[i]!.type !== 'text') return String(cell)
    let text = String(cell)
    if (RUN.test(text)) {
      text = `'${text}`
      defused++
    }
    return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  })
  return { line: `${written.join(',')}\r\n`, defused }
}
