/** Values of others as the fields of events take them, by kind. Pure. */
import type { FieldKind } from '../../schemas/fields.ts'
import { cellValue } from '../events/csv-cell.ts'
import { FlatRecord } from '../events/flat-record.ts'

/** Decides over a value, given the kind of its field; what it cannot convert stays as it is. */
export type Convert = (value: unknown) => unknown

const TRUTHS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
  [1, true],
  [0, false],
])

/** The text of a scalar, numbers as JavaScript prints them; undefined for anything else. */
export const scalarText = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

const asText: Convert = (value) => scalarText(value) ?? timeAsText(value)
const asNumber: Convert = (value) => {
  if (typeof value === 'string') {
    const number = cellValue(value)
    return typeof number === 'string' ? value : number
  }
  return smallInteger(value)
}
const asTruth: Convert = (value) =>
  TRUTHS.get(typeof value === 'string' ? value.toLowerCase() : value) ?? value
const asIs: Convert = (value) => timeAsText(smallInteger(value))
const asCell: Convert = (value) => (typeof value === 'string' ? cellValue(value) : asIs(value))

/** A bigint that a double holds exactly, as a number. */
const smallInteger = (value: unknown) =>
  typeof value === 'bigint' &&
  BigInt(Number(value)) === value &&
  Number.isSafeInteger(Number(value))
    ? Number(value)
    : value
const timeAsText = (value: unknown) =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value

const CONVERSIONS: ReadonlyMap<FieldKind, Convert> = new Map<FieldKind, Convert>([
  ['id', asText],
  ['text', asText],
  ['choice', asText],
  ['strings', asText],
  ['number', asNumber],
  ['integer', asNumber],
  ['numbers', asNumber],
  ['boolean', asTruth],
])

/**
 * How values become those of a field of this kind: numbers become the text of an id, texts of
 * digits a number.
 *
 * @param isCell texts are cells of CSV, and tell by their look whether they are numbers
 */
export function conversionTo(kind: FieldKind, isCell: boolean): Convert {
  return CONVERSIONS.get(kind) ?? (isCell ? asCell : asIs)
}

/** A value as plain objects and arrays. Depth is bounded by what was decoded. */
export function plain(value: unknown): unknown {
  if (value instanceof FlatRecord)
    return Object.fromEntries(value.names.map((name, i) => [name, plain(value.values[i])]))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'bigint') return String(value)
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (typeof value === 'object' && value !== null && !(value instanceof Date))
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
  return typeof value === 'symbol' ? null : value
}
