/**
 * The field kinds of which every event is made. A kind is a TypeBox schema with a `rule` (the
 * sentence a caller reads when a value breaks it) and a `kind` (what `lib/events/fields.ts`
 * validates and stores it by).
 */
import Type, { type TSchema } from 'typebox'

/** The kinds of event fields; each has one meaning, one column type and one Avro type. */
export type FieldKind =
  | 'id'
  | 'text'
  | 'choice'
  | 'timestamp'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'scalar'
  | 'label'
  | 'features'
  | 'strings'
  | 'numbers'
  | 'vector'
  | 'producer'

/** An event, as far as its key is concerned. */
export interface EventFields {
  get: (name: string) => unknown
}

/** What a field adds to its JSON Schema, readable by the code that validates and stores events. */
export interface FieldFacts {
  kind: FieldKind
  /** "must be …": completes a sentence that starts with the field's name. */
  rule: string
}

/** Most characters of an id. */
export const ID_LENGTH = 200
/** Most members of a map of features. */
export const MAX_FEATURES = 1000
/** Most characters of a text. */
export const MAX_TEXT = 65_536
/**
 * Ids hold no control character and no unpaired surrogate: they travel in Kafka keys, URLs and log
 * lines, PostgreSQL refuses U+0000, and UTF-8 has no unpaired surrogates.
 */
const ID_PATTERN = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$'
/** Texts hold what every store takes: neither U+0000 nor an unpaired surrogate. */
const TEXT_PATTERN = '^[^\\u0000\\ud800-\\udfff]*$'
/** Joins two ids into one name. No id can hold it, so two pairs never give the same name. */
export const ID_SEPARATOR = '\u001f'
const STORABLE = 'without U+0000 or unpaired surrogates'
/** RFC 3339 in upper case, seconds below 60, hours below 24; the calendar is checked besides. */
export const TIMESTAMP_PATTERN =
  '^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$'
/**
 * Times before 1990 or from 2100 on are refused: they are clock faults, and each would open a
 * partition.
 */
export const EARLIEST_MS = Date.UTC(1990, 0, 1)
/** Events from this instant on are refused, epoch milliseconds. */
export const LATEST_MS = Date.UTC(2100, 0, 1)

/** A field that names something: 1 to {@link ID_LENGTH} characters without control characters. */
export const id = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: ID_LENGTH,
    pattern: ID_PATTERN,
    description,
    kind: 'id',
    rule: `must be a string of 1 to ${ID_LENGTH} characters without control characters or unpaired surrogates`,
  })

/** A field of free text. @param maxLength in characters */
export const text = (description: string, maxLength = MAX_TEXT) =>
  Type.String({
    maxLength,
    pattern: TEXT_PATTERN,
    description,
    kind: 'text',
    rule: `must be a string of at most ${maxLength} characters ${STORABLE}`,
  })

/** A field that is one of a few words. */
export const choice = <const T extends string[]>(description: string, values: T) =>
  Type.Enum(values, {
    type: 'string',
    description,
    kind: 'choice',
    rule: `must be one of ${values.join(', ')}`,
  })

/** A field that is an instant in RFC 3339, from 1990 to 2099. */
export const timestamp = (description: string) =>
  Type.String({
    pattern: TIMESTAMP_PATTERN,
    format: 'event-time',
    description,
    kind: 'timestamp',
    rule: 'must be an RFC 3339 time from 1990 to 2099, such as 2026-01-31T12:00:00.000Z',
  })

/** The bounds of a number, as in JSON Schema. */
export interface NumberRange {
  minimum?: number
  exclusiveMinimum?: number
  maximum?: number
}

/** A field that is a finite number. */
export const number = (description: string, range: NumberRange = {}) =>
  Type.Number({
    ...range,
    description,
    kind: 'number',
    rule: `must be a finite number${spoken(range)}`,
  })

/** A field that is a whole number from 0 to 2^53 − 1. */
export const integer = (description: string) =>
  Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description,
    kind: 'integer',
    rule: 'must be a whole number from 0 to 2^53 - 1',
  })

/** A field that is true or false. */
export const boolean = (description: string) =>
  Type.Boolean({ description, kind: 'boolean', rule: 'must be true or false' })

const scalarText = () => Type.String({ maxLength: MAX_TEXT, pattern: TEXT_PATTERN })
const NUMBER_RULE =
  'finite, and below 2^53 where it is whole and written with all its digits (send longer ones as strings)'
const NUMBER = `a number that is ${NUMBER_RULE}`
const NAMES = { pattern: TEXT_PATTERN }
const NAMED = `names and strings ${STORABLE}`

/** A field that is a string, a number or a boolean. */
export const scalar = (description: string) =>
  Type.Union([scalarText(), Type.Number(), Type.Boolean()], {
    description,
    kind: 'scalar',
    rule: `must be a string of at most ${MAX_TEXT} characters ${STORABLE}, a boolean or ${NUMBER}`,
  })

/** A field that is a scalar, or a list of at most 100 classes. */
export const labelValue = (description: string) =>
  Type.Union(
    [
      scalarText(),
      Type.Number(),
      Type.Boolean(),
      Type.Array(Type.String({ pattern: TEXT_PATTERN }), { maxItems: 100 }),
    ],
    {
      description,
      kind: 'label',
      rule: `must be a string of at most ${MAX_TEXT} characters ${STORABLE}, a boolean, an array of at most 100 such strings or ${NUMBER}`,
    },
  )

/** A field that is a map of names to scalars, at most {@link MAX_FEATURES}; null means missing. */
export const features = (description: string) =>
  Type.Record(
    Type.String(),
    Type.Union([Type.Number(), scalarText(), Type.Boolean(), Type.Null()]),
    {
      maxProperties: MAX_FEATURES,
      propertyNames: NAMES,
      description,
      kind: 'features',
      rule: `must be an object of at most ${MAX_FEATURES} numbers, strings, booleans or nulls, ${NAMED}; each number ${NUMBER_RULE}`,
    },
  )

/** A field that is a map of at most 100 names to strings of at most 1000 characters. */
export const strings = (description: string) =>
  Type.Record(Type.String(), Type.String({ maxLength: 1000, pattern: TEXT_PATTERN }), {
    maxProperties: 100,
    propertyNames: NAMES,
    description,
    kind: 'strings',
    rule: `must be an object of at most 100 strings of at most 1000 characters, ${NAMED}`,
  })

/** A field that is a map of at most {@link MAX_FEATURES} names to finite numbers. */
export const numbers = (description: string) =>
  Type.Record(Type.String(), Type.Number(), {
    maxProperties: MAX_FEATURES,
    propertyNames: NAMES,
    description,
    kind: 'numbers',
    rule: `must be an object of at most ${MAX_FEATURES} finite numbers, with names ${STORABLE}`,
  })

/** Vectors are stored in single precision, where numbers from here on would be infinite. */
export const BEYOND_SINGLE = 3.4028235677973366e38

/** A field that is a list of at most 8192 numbers that single precision holds. */
export const vector = (description: string) =>
  Type.Array(Type.Number({ exclusiveMinimum: -BEYOND_SINGLE, exclusiveMaximum: BEYOND_SINGLE }), {
    maxItems: 8192,
    description,
    kind: 'vector',
    rule: 'must be an array of at most 8192 numbers that single precision holds',
  })

/** A field that names the emitter of an event and counts its events. */
export const producer = (description: string) =>
  Type.Object(
    {
      id: Type.String({ minLength: 1, maxLength: ID_LENGTH, pattern: ID_PATTERN }),
      sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    },
    {
      additionalProperties: false,
      description,
      kind: 'producer',
      rule: 'must be an object of id (a string of 1 to 200 characters without control characters) and sequence (a whole number from 0)',
    },
  )

/** A field that may be left out or be null: both mean the same. */
export const optional = <T extends TSchema>(schema: T) =>
  Type.Optional(
    Type.Union([schema, Type.Null()], {
      description: (schema as { description?: string }).description ?? '',
    }),
  )

/** The kind and rule of a field, through {@link optional}. */
export function factsOf(schema: TSchema): FieldFacts & TSchema {
  const inner = 'kind' in schema ? schema : (schema as unknown as { anyOf: TSchema[] }).anyOf[0]
  return inner as FieldFacts & TSchema
}

function spoken(range: NumberRange): string {
  if (range.exclusiveMinimum !== undefined && range.maximum !== undefined)
    return ` above ${range.exclusiveMinimum} and at most ${range.maximum}`
  if (range.minimum !== undefined && range.maximum !== undefined)
    return ` from ${range.minimum} to ${range.maximum}`
  if (range.minimum !== undefined) return ` of ${range.minimum} or more`
  return ''
}
