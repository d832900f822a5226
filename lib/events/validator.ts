/** Validates one event, however it came: the only validator, used by every endpoint. */
import { isUtf8 } from 'node:buffer'
import type { TObject } from 'typebox'
import { ID_SEPARATOR } from '../../schemas/fields.ts'
import { fieldsOf, isObject } from './fields.ts'
import { parseExactly } from './json/exact-integers.ts'
import { scanValue } from './json/duplicate-keys.ts'
import { perShape, fieldGetter, FlatRecord } from './flat-record.ts'
import { withoutNone } from './finite-numbers.ts'
import { plainJsonReader } from './json/fast-reader.ts'
import { alternativesOf, MAX_EVENT_BYTES, type Rejection, rejectionsOf } from './rejections.ts'

/** An event as an object, before it is validated. */
export type RawEvent = Record<string, unknown>

/** An event as it was given: fields that are not in the schema too, null where it says null. */
export type Event = FlatRecord

/**
 * `model_id/prediction_id`: the key of a prediction in Kafka, which only chooses a partition. Two predictions may share
 * one, since ids may hold slashes: what tells them apart is {@link predictionIdentity}.
 */
export const predictionKey = (event: Event) =>
  `${modelIdOf(event) as string}/${predictionIdOf(event) as string}`

/** Names a prediction: its model and its id, joined by what neither can hold. */
export const predictionIdentity = (event: Event) =>
  `${modelIdOf(event) as string}${ID_SEPARATOR}${predictionIdOf(event) as string}`

const modelIdOf = fieldGetter('model_id')
const predictionIdOf = fieldGetter('prediction_id')

export type ValidationResult =
  { ok: true; event: Event; unknownFields: number } | { ok: false; rejection: Rejection }

export interface Validator {
  /** JSON of one event, as UTF-8. */
  bytes: (bytes: Buffer, from?: number, to?: number) => ValidationResult
  /** The same, decoded. */
  text: (text: string) => ValidationResult
  /** A decoded event: an object, or its members. Its maps become {@link FlatRecord}. */
  value: (value: unknown) => ValidationResult
  /** The same, of a format whose numbers may be none: NaN and the infinities are missing values, as null is. */
  numbersOrNone: (value: unknown) => ValidationResult
  /** @param text in place of the code's own sentence, where more is known */
  refuse: (
    code: Rejection['code'],
    field?: string,
    text?: string,
  ) => ValidationResult & { ok: false }
}

export function createValidator(schema: TObject): Validator {
  const rejections = rejectionsOf(schema)
  const place = new Map(rejections.map((r, i) => [keyOf(r.code, r.field), i]))
  const fields = new Map(
    fieldsOf(schema).map((field) => [
      field.name,
      { ...field, order: place.get(keyOf('invalid_field', field.name))! },
    ]),
  )
  const missing = (name: string) => place.get(keyOf('missing_field', name))!
  /** Of the names in each entry one must be given. */
  const required = [...fields.values()]
    .filter((field) => field.required)
    .map(({ name }) => ({ names: [name], order: missing(name) }))
  const alternatives = alternativesOf(schema)
  if (alternatives.length > 0)
    required.push({ names: alternatives, order: missing(alternatives[0]!) })
  required.sort((a, b) => a.order - b.order)
  const refused = (order: number) => ({ ok: false as const, rejection: rejections[order]! })
  const refuse: Validator['refuse'] = (code, field, text) => {
    const { rejection } = refused(
      place.get(keyOf(code, field)) ?? place.get(keyOf('invalid_field', field))!,
    )
    return {
      ok: false,
      rejection: text === undefined ? rejection : { ...rejection, message: text },
    }
  }

  /** What is known of an event by the names of its members alone. */
  const plans = perShape((names) => ({
    fields: names.map((name) => fields.get(name)),
    unknownFields: names.filter((name) => !fields.has(name)).length,
    required: required.map(({ names: wanted, order }) => ({
      places: wanted.map((name) => names.indexOf(name)).filter((at) => at >= 0),
      order,
    })),
  }))

  const validateRecord = (event: FlatRecord, isNoneMissing = false): ValidationResult => {
    const plan = plans.of(event.names)
    const { values } = event
    let first = Infinity
    for (let i = 0; i < values.length; i++) {
      const field = plan.fields[i]
      let given = values[i]
      if (field === undefined || given === null || given === undefined) continue
      if (field.isMap !== given instanceof FlatRecord)
        values[i] = given = asField(given, field.isMap)
      if (field.valid(given)) continue
      if (isNoneMissing) values[i] = given = withoutNone(field.kind, given)
      if (given !== null && !field.valid(given)) first = Math.min(first, field.order)
    }
    for (const { places, order } of plan.required) {
      if (order >= first) break
      if (places.every((at) => values[at] === undefined || values[at] === null)) first = order
    }
    return first === Infinity
      ? { ok: true, event, unknownFields: plan.unknownFields }
      : refused(first)
  }
  const validateValue = (value: unknown, isNoneMissing = false): ValidationResult => {
    if (value instanceof FlatRecord) return validateRecord(value, isNoneMissing)
    return isObject(value)
      ? validateRecord(FlatRecord.of(value), isNoneMissing)
      : refuse('invalid_json')
  }

  const readPlain = plainJsonReader()
  const validateText = (text: string): ValidationResult => {
    if (text.length > MAX_EVENT_BYTES / 3 && Buffer.byteLength(text) > MAX_EVENT_BYTES)
      return refuse('too_large')
    if (text === '') return refuse('empty')
    let value: unknown
    try {
      value = parseExactly(text)
    } catch {
      return refuse('invalid_json')
    }
    if (isPlain(text, value)) return validateValue(value)
    // Rare: a key is given twice, or the text has escapes.
    const found = scanValue(text, 0)
    if (found.unparsable) return refuse('invalid_json')
    const verdict = validateValue(value)
    if (!found.repeated) return verdict
    const repeated = refuse('repeated_key', found.repeated.field)
    const isOurs = found.repeated.field === undefined || fields.has(found.repeated.field)
    if (
      !isOurs ||
      (!verdict.ok &&
        rejections.indexOf(verdict.rejection) < rejections.indexOf(repeated.rejection))
    )
      return verdict
    return repeated
  }

  return {
    refuse,
    value: (value) => validateValue(value),
    numbersOrNone: (value) => validateValue(value, true),
    text: validateText,
    bytes: (bytes, from = 0, to = bytes.length) => {
      if (to - from > MAX_EVENT_BYTES) return refuse('too_large')
      const plain = readPlain.event(bytes, from, to)
      if (plain !== undefined) return validateRecord(plain)
      const event = bytes.subarray(from, to)
      return isUtf8(event) ? validateText(event.toString()) : refuse('invalid_json')
    },
  }
}

/** Maps are {@link FlatRecord}, what is no map is an object as it came. */
function asField(given: unknown, isMap: boolean): unknown {
  if (isMap) return isObject(given) ? FlatRecord.of(given) : given
  return (given as FlatRecord).toObject()
}

/** JSON inside a field: its value, undefined where it gives a key twice, and the text itself where it is none. */
export function distinctJson(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown
    if (isPlain(text, value)) return value
    const { unparsable, repeated } = scanValue(text, 0)
    return unparsable ? text : repeated ? undefined : value
  } catch {
    return text
  }
}

const keyOf = (code: string, field?: string) => (field === undefined ? code : `${code}:${field}`)

/**
 * True when the text surely has as many members as the value has keys: then no key is given twice. Without an escape each
 * member has its own `":`; a string that begins with a colon, or a space before one, only makes the count differ.
 */
function isPlain(text: string, value: unknown): boolean {
  if (text.includes('\\')) return false
  let members = 0
  for (let at = text.indexOf('":'); at !== -1; at = text.indexOf('":', at + 2)) members++
  return members === keysWithin(value, 0)
}

const MAX_DEPTH = 100

function keysWithin(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depth > MAX_DEPTH) return NaN
  let count = 0
  if (Array.isArray(value)) {
    for (const element of value) count += keysWithin(element, depth + 1)
    return count
  }
  const inner = Object.values(value)
  count += inner.length
  for (const element of inner) {
    if (typeof element === 'object') count += keysWithin(element, depth + 1)
  }
  return count
}
