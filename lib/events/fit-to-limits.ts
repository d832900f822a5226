/**
 * Makes events fit the limits of their schema, where they are translated from formats that have no
 * such limits: texts and ids are cut, and what cannot be kept is left out, so that no event is
 * refused for one long or odd attribute.
 */
import { createHash } from 'node:crypto'
import type { TObject } from 'typebox'
import { ID_LENGTH, MAX_TEXT } from '../../schemas/fields.ts'
import { type EventField, fieldsOf, isObject, MAX_ITEMS, MAX_STRING } from './fields.ts'
import type { RawEvent } from './validator.ts'
import { FlatRecord } from './flat-record.ts'
import { MAX_EVENT_BYTES } from './rejections.ts'

/** Bytes that a map of strings may have as JSON, so that texts have room beside it. */
const MAX_MAP_BYTES = 65_536
const HASH_DIGITS = 16

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/g

const PLAIN_ID = new RegExp(`^[ -~]{1,${ID_LENGTH}}$`)

/**
 * A function that makes an event fit: ids by {@link fittedId}, texts cut so that the JSON of the
 * whole event has at most
 * `MAX_EVENT_BYTES`, maps cut to their limits; a value that breaks the rule of its field is left out, and so is what is no
 * field. A required field that is missing or breaks its rule stays as it is, for the validator to
 * name.
 */
export function fitting(schema: TObject): (event: RawEvent) => RawEvent {
  const fields = fieldsOf(schema)
  return (given) => {
    const event: RawEvent = {}
    let most = 0
    for (const field of fields) {
      const value = fittedValue(field, given[field.name])
      if (value === undefined) continue
      event[field.name] = value
      most += mostBytes(field, value)
    }
    if (most > MAX_EVENT_BYTES) {
      const texts = fields.filter(
        ({ name, kind }) => TEXTS.has(kind) && typeof event[name] === 'string',
      )
      cutTexts(
        event,
        texts.map(({ name }) => name),
      )
    }
    return event
  }
}

/** Cuts these texts of an event so that all of it has at most `MAX_EVENT_BYTES` as JSON. */
function cutTexts(event: RawEvent, names: readonly string[]): void {
  const empty = Object.fromEntries(names.map((name) => [name, '']))
  const around = jsonBytes(JSON.stringify({ ...event, ...empty }))
  const costs = names.map((name) => jsonBytes(JSON.stringify(event[name])) - 2)
  const rooms = shares(costs, MAX_EVENT_BYTES - around)
  names.forEach((name, i) => {
    event[name] = fittedText(event[name] as string, MAX_TEXT, rooms[i])
  })
}

/**
 * The most bytes that a member can have as JSON, seen without making it; Infinity where that takes
 * a closer look.
 */
function mostBytes({ name, kind }: EventField, value: unknown): number {
  const own = name.length + OF_A_MEMBER
  if (typeof value === 'string') return own + value.length * MAX_BYTES
  if (typeof value !== 'object') return own + OF_A_NUMBER
  return kind === 'strings' ? own + MAX_MAP_BYTES : Infinity
}

/** Quotes of a name and its value, brackets, a colon and a comma. */
const OF_A_MEMBER = 8
const OF_A_NUMBER = 25

const TEXTS: ReadonlySet<EventField['kind']> = new Set(['text', 'scalar', 'label'])

function fittedValue(field: EventField, value: unknown): unknown {
  if (value === undefined || value === null) return undefined
  switch (field.kind) {
    case 'id':
      return fittedId(asText(value))
    case 'text':
      return fittedText(asText(value))
    case 'scalar':
    case 'label':
      if (typeof value === 'boolean') return value
      if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
      return isShortList(field, value) ? value : fittedText(asText(value))
    case 'strings':
      return isObject(value) ? fittedStrings(value) : undefined
    case 'choice':
    case 'timestamp':
    case 'number':
    case 'integer':
    case 'boolean':
    case 'features':
    case 'numbers':
    case 'vector':
    case 'producer':
      return field.required || field.valid(asMap(field, value)) ? value : undefined
  }
}

/** Maps are validated as members. */
const asMap = ({ isMap }: EventField, value: unknown) =>
  isMap && isObject(value) ? FlatRecord.of(value) : value

/** A list that the field takes, and that leaves the texts their room. */
const isShortList = (field: EventField, value: unknown) =>
  Array.isArray(value) && field.valid(value) && jsonBytes(JSON.stringify(value)) <= MAX_MAP_BYTES

/**
 * An id of at most 200 characters, none of them a control character: as given where it is one, else
 * its first part and a hash of the whole, so that ids that differ stay different. Undefined for the
 * empty text.
 */
export function fittedId(text: string): string | undefined {
  if (text === '') return undefined
  if (PLAIN_ID.test(text)) return text
  const clean = text.toWellFormed().replaceAll(CONTROL, ' ')
  if (clean === text && text.length <= ID_LENGTH) return text
  const hash = createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, HASH_DIGITS)
  return `${fittedText(clean, ID_LENGTH - HASH_DIGITS - 1)}~${hash}`
}

/**
 * The first part of a text: at most so many UTF-16 units, and so many bytes as UTF-8 within a JSON
 * string, never ending within a character. Halves of characters become U+FFFD. O(its result).
 */
export function fittedText(text: string, most = MAX_TEXT, bytes = Infinity): string {
  const isWhole = text.length <= most && text.isWellFormed() && !text.includes('\0')
  const within = isWhole ? text : wholeTo(text, most).toWellFormed().replaceAll('\0', '\ufffd')
  if (within.length * MAX_BYTES <= bytes) return within
  let left = bytes
  let end = 0
  while (end < within.length) {
    const c = within.codePointAt(end)!
    left -= bytesOf(c)
    if (left < 0) return within.slice(0, end)
    end += c > 0xffff ? 2 : 1
  }
  return within
}

/** The first so many units, without the first half of a pair that the cut would part. */
const wholeTo = (text: string, most: number): string =>
  text.slice(0, text.codePointAt(most - 1)! > 0xffff ? most - 1 : most)

const MAX_BYTES = 6
const SHORT_ESCAPES = new Set(['"', '\\', '\b', '\t', '\n', '\f', '\r'].map((c) => c.charCodeAt(0)))

/** What `JSON.stringify` makes of a character, in bytes of UTF-8. */
function bytesOf(c: number): number {
  if (SHORT_ESCAPES.has(c)) return 2
  if (c < 0x20) return MAX_BYTES
  if (c < 0x80) return 1
  if (c < 0x800) return 2
  return c > 0xffff ? 4 : 3
}

const jsonBytes = (json: string) => Buffer.byteLength(json)

/** Room is shared so that what needs less leaves the rest to the others. */
function shares(costs: readonly number[], room: number): number[] {
  const rooms = costs.map(() => 0)
  const order = costs.map((_, i) => i).sort((a, b) => costs[a]! - costs[b]!)
  let left = room
  order.forEach((i, place) => {
    rooms[i] = Math.min(costs[i]!, Math.floor(left / (order.length - place)))
    left -= rooms[i]
  })
  return rooms
}

/**
 * Keeps the first 100 strings, each of at most 1000 characters, and 64 KiB of JSON together; names
 * are cut as ids are.
 */
function fittedStrings(given: Record<string, unknown>): RawEvent {
  const kept: [string, string][] = []
  // The most that they can have, and once that is too much what they have.
  let most = 0
  let bytes: number | undefined
  for (const name of Object.keys(given)) {
    const value = given[name]
    if (value === undefined || value === null) continue
    if (kept.length === MAX_ITEMS) break
    const key = fittedId(name)
    if (key === undefined) continue
    const text = fittedText(asText(value), MAX_STRING)
    most += (key.length + text.length) * MAX_BYTES + OF_A_MEMBER
    if (most > MAX_MAP_BYTES) {
      bytes ??= kept.reduce((sum, pair) => sum + pairBytes(pair), 0)
      bytes += pairBytes([key, text])
      if (bytes > MAX_MAP_BYTES) break
    }
    kept.push([key, text])
  }
  return Object.fromEntries(kept)
}

const pairBytes = ([name, text]: readonly [string, string]) =>
  jsonBytes(JSON.stringify({ [name]: text }))

/** Text as it is, anything else as JSON. */
const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
