/** Validates one event, however it came: the only validator, used by every endpoint. */
import { isUtf8 } from 'node:buffer'
import type { TObject } from 'typebox'
import { ID_SEPARATOR } from '../../schemas/fields.ts'
import { fieldsOf, isObject, type EventField } from './fields.ts'
import { parseExactly } from './json/exact-integers.ts'
import { scanValue } from './json/duplicate-keys.ts'
import { perShape, fieldGetter, FlatRecord, type PerShape } from './flat-record.ts'
import { withoutNone } from './finite-numbers.ts'
import { plainJsonReader } from './json/fast-reader.ts'
import { NO_PRIVACY, type Privacy, type Redactor } from './privacy/redactor.ts'
import { misspelledOf, misspelledText } from './misspelled-fields.ts'
import {
  alternativesOf,
  MAX_ALSO,
  MAX_EVENT_BYTES,
  type Rejection,
  rejectionsOf,
} from './rejections.ts'

/** An event as an object, before it is validated. */
export type RawEvent = Record<string, unknown>

/** An event as it was given: fields that are not in the schema too, null where it says null. */
export type Event = FlatRecord

/**
 * The key of a prediction in Kafka, `model_id/prediction_id`, which only chooses a partition. Two
 * predictions may share a key, since ids may hold slashes: their {@link predictionIdentity}
 * differs.
 */
export const predictionKey = (event: Event) =>
  `${modelIdOf(event) as string}/${predictionIdOf(event) as string}`

/** Names a prediction: its model and its id, joined by a character that neither can hold. */
export const predictionIdentity = (event: Event) =>
  `${modelIdOf(event) as string}${ID_SEPARATOR}${predictionIdOf(event) as string}`

const modelIdOf = fieldGetter('model_id')
const predictionIdOf = fieldGetter('prediction_id')

/**
 * An event that may be stored, with the number of its fields that the schema does not have; or why
 * it may not.
 */
export type ValidationResult =
  | {
      ok: true
      event: Event
      unknownFields: number
      /** The event is what privacy rules leave of it: its bytes may not be kept. */
      isRedacted?: true
    }
  | { ok: false; rejection: Rejection }

/** Validates events of one type; every function gives an event the same result. */
export interface Validator {
  /** The fields of the schema. */
  fieldNames: readonly string[]
  /** Validates JSON of one event, as UTF-8. */
  bytes: (bytes: Buffer, from?: number, to?: number) => ValidationResult
  /** Validates JSON of one event, as text. */
  text: (text: string) => ValidationResult
  /**
   * Validates a decoded event: an object, or its flat record. Its maps become {@link FlatRecord}.
   */
  value: (value: unknown) => ValidationResult
  /**
   * Validates a decoded event of a format whose numbers may be none: NaN and the infinities are
   * missing values, as null is.
   */
  numbersOrNone: (value: unknown) => ValidationResult
  /** @param text in place of the code's own sentence, where more is known */
  refuse: (
    code: Rejection['code'],
    field?: string,
    text?: string,
  ) => ValidationResult & { ok: false }
}

/**
 * Makes the validator of an event type.
 *
 * @param privacy the rules of models: an event that is valid is what they leave of it
 */
export function createValidator(schema: TObject, privacy: Privacy = NO_PRIVACY): Validator {
  const rules = rulesOf(schema, privacy)
  const readPlain = plainJsonReader()
  return {
    fieldNames: [...rules.fields.keys()],
    refuse: (code, field, text) => refuse(rules, code, field, text),
    value: (value) => validateValue(rules, value),
    numbersOrNone: (value) => validateValue(rules, value, true),
    text: (text) => validateText(rules, text),
    bytes: (bytes, from = 0, to = bytes.length) => {
      if (to - from > MAX_EVENT_BYTES) return refuse(rules, 'too_large')
      const plain = readPlain.event(bytes, from, to)
      if (plain !== undefined) return validateRecord(rules, plain)
      const event = bytes.subarray(from, to)
      return isUtf8(event) ? validateText(rules, event.toString()) : refuse(rules, 'invalid_json')
    },
  }
}

/** What the schema of an event type says, as its validator asks for it. */
interface Rules {
  /** Rejections in order of precedence: an event with several faults is refused for the first. */
  rejections: readonly Rejection[]
  /** Indexes in `rejections`, by {@link keyOf}. */
  orderOf: ReadonlyMap<string, number>
  fields: ReadonlyMap<string, Field>
  plans: PerShape<Plan>
  redactorOf: (event: FlatRecord) => Redactor | undefined
}

/** A field, and the index of the rejection of a value that it cannot have. */
type Field = EventField & { order: number }

/** What the names of an event's fields alone say of it. */
interface Plan {
  /** Fields by their index; undefined for one that the schema does not have. */
  fields: (Field | undefined)[]
  unknownFields: number
  /** One of the indexes in each entry must have a value. */
  required: { indexes: number[]; order: number }[]
}

function rulesOf(schema: TObject, privacy: Privacy): Rules {
  const rejections = rejectionsOf(schema)
  const orderOf = new Map(rejections.map((r, i) => [keyOf(r.code, r.field), i]))
  const fields = new Map(
    fieldsOf(schema).map((field) => [
      field.name,
      { ...field, order: orderOf.get(keyOf('invalid_field', field.name))! },
    ]),
  )
  const missing = (name: string) => orderOf.get(keyOf('missing_field', name))!
  const required = [...fields.values()]
    .filter((field) => field.required)
    .map(({ name }) => ({ names: [name], order: missing(name) }))
  const alternatives = alternativesOf(schema)
  if (alternatives.length > 0)
    required.push({ names: alternatives, order: missing(alternatives[0]!) })
  required.sort((a, b) => a.order - b.order)
  const plans = perShape((names) => ({
    fields: names.map((name) => fields.get(name)),
    unknownFields: names.filter((name) => !fields.has(name)).length,
    required: required.map(({ names: wanted, order }) => ({
      indexes: wanted.map((name) => names.indexOf(name)).filter((at) => at >= 0),
      order,
    })),
  }))
  return { rejections, orderOf, fields, plans, redactorOf: redactorsOf(schema, privacy) }
}

/** Chooses the privacy rules of a schema: those of all models where its events name none. */
function redactorsOf(schema: TObject, privacy: Privacy): Rules['redactorOf'] {
  if (!Object.hasOwn(schema.properties, 'model_id')) return privacy.ofAll
  return (event) => privacy.of(modelIdOf(event) as string)
}

function refuse(
  { rejections, orderOf }: Rules,
  code: Rejection['code'],
  field?: string,
  text?: string,
): ValidationResult & { ok: false } {
  const order = orderOf.get(keyOf(code, field)) ?? orderOf.get(keyOf('invalid_field', field))!
  const rejection = rejections[order]!
  return { ok: false, rejection: text === undefined ? rejection : { ...rejection, message: text } }
}

function validateRecord(rules: Rules, event: FlatRecord, isNoneMissing = false): ValidationResult {
  const result = checkedRecord(rules, event, isNoneMissing)
  const redactor = result.ok ? rules.redactorOf(event) : undefined
  if (!redactor) return result
  // What is left must be an event too: one of two ids may have been dropped.
  const left = checkedRecord(rules, redactor.event(event, rules.fields), false)
  return left.ok ? { ...left, isRedacted: true } : left
}

function checkedRecord(rules: Rules, event: FlatRecord, isNoneMissing: boolean): ValidationResult {
  const plan = rules.plans.of(event.names)
  const { values } = event
  const faults: number[] = []
  for (let i = 0; i < values.length; i++) {
    const field = plan.fields[i]
    let given = values[i]
    if (field === undefined || given === null || given === undefined) continue
    if (field.isMap !== given instanceof FlatRecord) values[i] = given = asField(given, field.isMap)
    if (field.valid(given)) continue
    if (isNoneMissing) values[i] = given = withoutNone(field.kind, given)
    if (given !== null && !field.valid(given)) faults.push(field.order)
  }
  for (const { indexes, order } of plan.required)
    if (indexes.every((at) => values[at] === undefined || values[at] === null)) faults.push(order)
  return faults.length === 0
    ? { ok: true, event, unknownFields: plan.unknownFields }
    : { ok: false, rejection: withFaults(rules, faults, event.names) }
}

/** The first fault in the order of precedence, with the others and what was probably misspelled. */
function withFaults(
  { rejections, fields }: Rules,
  faults: readonly number[],
  names: readonly string[],
): Rejection {
  const [first, ...others] = faults.toSorted((a, b) => a - b).map((order) => rejections[order]!)
  const also = [
    ...others.map(({ message }) => message),
    ...misspelledOf(names, [...fields.keys()]).map(misspelledText),
  ]
  return also.length === 0 ? first! : { ...first!, also: also.slice(0, MAX_ALSO) }
}

function validateValue(rules: Rules, value: unknown, isNoneMissing = false): ValidationResult {
  if (value instanceof FlatRecord) return validateRecord(rules, value, isNoneMissing)
  return isObject(value)
    ? validateRecord(rules, FlatRecord.of(value), isNoneMissing)
    : refuse(rules, 'invalid_json')
}

function validateText(rules: Rules, text: string): ValidationResult {
  if (text.length > MAX_EVENT_BYTES / 3 && Buffer.byteLength(text) > MAX_EVENT_BYTES)
    return refuse(rules, 'too_large')
  if (text === '') return refuse(rules, 'empty')
  let value: unknown
  try {
    value = parseExactly(text)
  } catch {
    return refuse(rules, 'invalid_json')
  }
  if (isPlain(text, value)) return validateValue(rules, value)
  // Rare: a key is given twice, or the text has escapes.
  const { unparsable, repeated } = scanValue(text, 0)
  if (unparsable) return refuse(rules, 'invalid_json')
  const result = validateValue(rules, value)
  if (!repeated) return result
  const refusal = refuse(rules, 'repeated_key', repeated.field)
  const isOurs = repeated.field === undefined || rules.fields.has(repeated.field)
  const isLesser =
    !result.ok && orderIn(rules, result.rejection) < orderIn(rules, refusal.rejection)
  return !isOurs || isLesser ? result : refusal
}

const orderIn = ({ orderOf }: Rules, { code, field }: Rejection) =>
  orderOf.get(keyOf(code, field)) ?? Infinity

/** A map as {@link FlatRecord}, any other value as an object. */
function asField(given: unknown, isMap: boolean): unknown {
  if (isMap) return isObject(given) ? FlatRecord.of(given) : given
  return (given as FlatRecord).toObject()
}

/**
 * The value of JSON inside a field; undefined where it gives a key twice, and the text itself where
 * it is no JSON.
 */
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
 * True when the text surely has as many members as the value has keys: then no key is given twice.
 * Without an escape each member has its own `":`; a string that begins with a colon, or a space
 * before one, only makes the count differ.
 */
export function isPlain(text: string, value: unknown): boolean {
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
