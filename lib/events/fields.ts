/**
 * What each kind of event field accepts, and the columns it becomes. The kinds are declared, with
 * the sentence a caller reads, in `schemas/fields.ts`; a test holds these predicates and Ajv on the
 * same schemas together.
 */
import type { TObject } from 'typebox'
import {
  BEYOND_SINGLE,
  EARLIEST_MS,
  factsOf,
  ID_LENGTH,
  LATEST_MS,
  MAX_FEATURES,
  MAX_TEXT,
  TIMESTAMP_PATTERN,
  type FieldKind,
} from '../../schemas/fields.ts'
import { perShape, FlatRecord } from './flat-record.ts'

/** One field of an event type: its name, its kind and what it accepts. */
export interface EventField {
  name: string
  required: boolean
  kind: FieldKind
  /** Its objects are read as {@link FlatRecord}. */
  isMap: boolean
  /** Tells whether a value is valid; never called with null, which is a missing field. */
  valid: (value: unknown) => boolean
}

const MAPS: ReadonlySet<FieldKind> = new Set(['features', 'strings', 'numbers'])

/** The fields of an event schema, in the order in which it declares them. */
export function fieldsOf(schema: TObject): EventField[] {
  const required = new Set<string>(schema.required ?? [])
  return Object.entries(schema.properties).map(([name, property]) => {
    const facts = factsOf(property)
    const isMap = MAPS.has(facts.kind)
    return {
      name,
      required: required.has(name),
      kind: facts.kind,
      isMap,
      valid: validOf(facts as Facts),
    }
  })
}

type Facts = ReturnType<typeof factsOf> & Record<string, unknown>

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/
/** Most members of a map of strings. */
export const MAX_ITEMS = 100
/** Most characters of one of its strings. */
export const MAX_STRING = 1000
const MAX_VECTOR = 8192

function validOf(facts: Facts): EventField['valid'] {
  switch (facts.kind) {
    case 'id':
      return isId
    case 'text':
      return (v) => isText(v, Number(facts['maxLength']))
    case 'choice': {
      const choices = new Set<unknown>(facts['enum'] as string[])
      return (v) => choices.has(v)
    }
    case 'timestamp':
      return (v) => eventTime(v) !== undefined
    case 'number': {
      const {
        minimum = -Infinity,
        exclusiveMinimum = -Infinity,
        maximum = Infinity,
      } = facts as {
        minimum?: number
        exclusiveMinimum?: number
        maximum?: number
      }
      return (v) => isFiniteNumber(v) && v >= minimum && v > exclusiveMinimum && v <= maximum
    }
    case 'integer':
      return isCount
    case 'boolean':
      return (v) => typeof v === 'boolean'
    case 'scalar':
      return isScalar
    case 'label':
      return (v) =>
        isScalar(v) || (Array.isArray(v) && v.length <= MAX_ITEMS && v.every(isStorable))
    case 'features':
      return mapOf(MAX_FEATURES, isFeature)
    case 'strings':
      return mapOf(MAX_ITEMS, (e) => isText(e, MAX_STRING))
    case 'numbers':
      return mapOf(MAX_FEATURES, isFiniteNumber)
    case 'vector':
      return (v) => Array.isArray(v) && v.length <= MAX_VECTOR && v.every(isSingle)
    case 'producer':
      return (v) => {
        if (!isObject(v) || Object.keys(v).length !== 2) return false
        const { id, sequence } = v
        return isId(id) && isCount(sequence)
      }
  }
}

/** What every store takes as a text: neither U+0000 nor an unpaired surrogate is in it. */
const isStorable = (v: unknown): v is string =>
  typeof v === 'string' && v.isWellFormed() && !v.includes('\u0000')
const isText = (v: unknown, most: number) => isStorable(v) && fits(v, most)
const isId = (v: unknown) =>
  typeof v === 'string' && v !== '' && fits(v, ID_LENGTH) && !CONTROL.test(v) && v.isWellFormed()
const isFiniteNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v)
const isSingle = (v: unknown) => isFiniteNumber(v) && Math.abs(v) < BEYOND_SINGLE
const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0
const isScalar = (v: unknown) =>
  typeof v === 'string' ? isText(v, MAX_TEXT) : isFiniteNumber(v) || typeof v === 'boolean'
const isFeature = (v: unknown) => isFiniteNumber(v) || v === null || isScalar(v)
/** An object as JSON has them. */
export const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' &&
  v !== null &&
  !(Array.isArray(v) || ArrayBuffer.isView(v) || v instanceof Date)

function mapOf(most: number, valid: (element: unknown) => boolean): EventField['valid'] {
  /** Events of one producer mostly have the same names: they are looked at once. */
  const named = perShape((names) => names.every(isStorable))
  return (v) => {
    if (!(v instanceof FlatRecord) || v.values.length > most || !named.of(v.names)) return false
    // Known to be finite numbers, or to be something else: one look is enough.
    return v.numeric && v.values.length > 0 ? valid(v.values[0]) : v.values.every(valid)
  }
}

/** Lengths are in code points, as JSON Schema counts them. */
function fits(text: string, most: number): boolean {
  if (text.length <= most) return true
  return text.length <= 2 * most && Array.from(text).length <= most
}

const TIMESTAMP = new RegExp(TIMESTAMP_PATTERN)
let lastDay = ''
let lastDayMs: number | undefined
let lastTime = ''
let lastTimeMs: number | undefined

/**
 * Epoch milliseconds of an event's time, undefined where it is none or lies outside 1990 to 2099;
 * parts of a millisecond are cut off. A time is RFC 3339 text, whose common form,
 * `2026-01-31T12:00:00.000Z`, needs no regular expression, or a `Date`, as formats have it that
 * know times.
 */
export function eventTime(time: unknown): number | undefined {
  if (time instanceof Date) return within(time.getTime())
  if (typeof time !== 'string') return undefined
  // Validated, counted and stored: the same time is asked for three times.
  if (time !== lastTime) {
    lastTimeMs = parsedTime(time)
    lastTime = time
  }
  return lastTimeMs
}

function parsedTime(text: string): number | undefined {
  const clock = text.length === 24 ? clockOf(text) : -1
  const day = text.slice(0, 10)
  if (clock >= 0) {
    if (day !== lastDay) {
      lastDayMs = TIMESTAMP.test(text) ? midnight(day) : undefined
      lastDay = day
    }
    // A day is known to be well formed once a whole time of it was.
    return lastDayMs === undefined ? undefined : within(lastDayMs + clock)
  }
  if (!TIMESTAMP.test(text) || midnight(day) === undefined) return undefined
  return within(Date.parse(text.replace(/(\.\d{3})\d+/, '$1')))
}

const within = (ms: number) => (ms >= EARLIEST_MS && ms < LATEST_MS ? ms : undefined)

/** Milliseconds into the day of `…T12:00:00.000Z`; -1 where the text has another form. */
function clockOf(text: string): number {
  const two = (at: number) => {
    const tens = text.charCodeAt(at) - 48
    const ones = text.charCodeAt(at + 1) - 48
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : NaN
  }
  const hours = two(11)
  const minutes = two(14)
  const seconds = two(17)
  const last = text.charCodeAt(22) - 48
  const millis = 10 * two(20) + last
  const shaped =
    text[10] === 'T' && text[13] === ':' && text[16] === ':' && text[19] === '.' && text[23] === 'Z'
  return shaped &&
    hours < 24 &&
    minutes < 60 &&
    seconds < 60 &&
    last >= 0 &&
    last <= 9 &&
    millis >= 0
    ? hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + millis
    : -1
}

/** The start of a calendar day in UTC; undefined where there is no such day. */
function midnight(day: string): number | undefined {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  const ms = Date.UTC(year, month - 1, date)
  return new Date(ms).getUTCMonth() === month - 1 && date > 0 ? ms : undefined
}

/**
 * Strings as they are, numbers as JavaScript prints them, lists as JSON: how predictions and labels
 * compare.
 */
export const canonical = (value: unknown): string =>
  Array.isArray(value) ? JSON.stringify(value) : String(value)
