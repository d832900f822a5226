/**
 * What went into an endpoint or came out of it, row by row: CSV by RFC 4180, JSON, or JSON Lines,
 * in clear or in base64.
 */
import { isUtf8 } from 'node:buffer'
import { CsvError, parse } from 'csv-parse/sync'
import { isObject } from '../../../lib/events/fields.ts'
import type { RawEvent } from '../../../lib/events/validator.ts'
import { whyBeyond } from '../../../lib/events/json/bounds.ts'
import { cellValue } from '../../../lib/events/csv-cell.ts'

/** A list of values, or values by name. */
export type Row = unknown[] | RawEvent

/** Why a line is refused, in one sentence. */
export class Refused extends Error {}

const BOUNDS = { maxDepth: 32, maxMembers: 2_000_000 }

/**
 * The rows of a payload, in every way that it can be read, the likeliest first: a list of numbers
 * is one row or a column, an object of lists is columns or one row.
 *
 * @param payload `{ data, encoding }` as SageMaker writes it; CSV unless it says otherwise
 * @param name where it stood, for the sentence
 * @throws {Refused} naming the field and the rule
 */
export function readingsOf(payload: unknown, name: string): Row[][] {
  if (!isObject(payload)) throw new Refused(`${name} must be an object`)
  const { data, encoding = 'CSV' } = payload
  if (typeof data !== 'string') throw new Refused(`${name}.data must be text`)
  if (encoding !== 'CSV' && encoding !== 'JSON' && encoding !== 'BASE64')
    throw new Refused(`${name}.encoding must be CSV, JSON or BASE64`)
  const text = encoding === 'BASE64' ? decoded(data, name) : data
  if (text.trim() === '') throw new Refused(`${name}.data is empty`)
  if (encoding !== 'JSON' && !/^\s*[[{]/.test(text)) return [csvRows(text, name)]
  const value = jsonOf(text, name) ?? jsonLines(text, name)
  if (!value) throw new Refused(`${name}.data must be CSV or JSON`)
  return jsonReadings(value.value)
}

/** Each line a JSON value: a list of them. */
function jsonLines(text: string, name: string): { value: unknown[] } | undefined {
  const values = text
    .trim()
    .split('\n')
    .map((line) => jsonOf(line, name))
  const read = values.filter((line) => line !== undefined)
  return read.length === values.length ? { value: read.map(({ value }) => value) } : undefined
}

/**
 * JSON within the bounds of depth and members, undefined for what is none.
 *
 * @throws {Refused} beyond the bounds
 */
export function jsonOf(text: string, name: string): { value: unknown } | undefined {
  const why = whyBeyond(Buffer.from(text), BOUNDS)
  if (why) throw new Refused(`${name}: ${why}`)
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

function decoded(data: string, name: string): string {
  const bytes = Buffer.from(data, 'base64')
  if (!isUtf8(bytes)) throw new Refused(`${name}.data holds bytes that are no text`)
  return bytes.toString()
}

/**
 * @throws {Refused} where rows have different numbers of cells: which one is missing nobody knows
 */
function csvRows(text: string, name: string): Row[] {
  try {
    return parse(text.trimEnd(), { bom: true, record_delimiter: ['\r\n', '\n', '\r'] }).map((row) =>
      row.map(cellValue),
    )
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new Refused(`${name}.data is no CSV by RFC 4180: ${error.message}`)
  }
}

function jsonReadings(value: unknown): Row[][] {
  const inner = isObject(value) ? (value['instances'] ?? value['predictions'] ?? value) : value
  if (isObject(inner)) {
    const [only, ...others] = Object.values(inner)
    // `{"scores": [{"score": 0.02}]}`: a list of objects under a name of its own.
    if (others.length === 0 && Array.isArray(only) && only.length > 0 && only.every(isObject))
      return [only]
    const columns = columnRows(inner)
    return columns ? [columns, [inner]] : [[inner]]
  }
  if (!Array.isArray(inner)) return [[[inner]]]
  const list = inner as unknown[]
  const isRows = list.length > 0 && list.every((row) => typeof row === 'object' && row !== null)
  if (isRows) return [list as Row[]]
  // Scalars are one row of many cells, or many rows of one.
  const column = list.map((row) => (isRow(row) ? row : [row]))
  return list.some(isRow) ? [column] : [[list], column]
}

const isRow = (value: unknown): value is Row => Array.isArray(value) || isObject(value)

/** The rows of an object whose members are lists of one length; undefined for any other. */
function columnRows(columns: RawEvent): Row[] | undefined {
  const entries = Object.entries(columns)
  const count = Array.isArray(entries[0]?.[1]) ? entries[0][1].length : 0
  const isColumns = entries.every(([, list]) => Array.isArray(list) && list.length === count)
  if (count === 0 || !isColumns) return undefined
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(entries.map(([name, list]) => [name, (list as unknown[])[row]])),
  )
}
