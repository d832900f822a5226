/**
 * The schema of a source file: a topic of Kafka or files of the user's own, and where in each
 * message the fields of events are.
 */
import Type, { type Static } from 'typebox'

/** What a message may become. */
const SOURCE_EVENTS = ['prediction', 'label', 'attributes', 'inference'] as const
/** How messages are written. */
const SOURCE_FORMATS = ['json', 'avro', 'protobuf', 'csv', 'parquet'] as const
/** How a time may be written. */
export const TIME_FORMATS = ['rfc3339', 'epoch_s', 'epoch_ms', 'epoch_us', 'epoch_ns'] as const

const closed = <T extends Parameters<typeof Type.Object>[0]>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
const optional = Type.Optional
const path = () => Type.String({ minLength: 1, maxLength: 1000 })
const name = () => Type.String({ minLength: 1, maxLength: 200 })
const scalar = () =>
  Type.Union([Type.String({ maxLength: 65_536 }), Type.Number(), Type.Boolean(), Type.Null()])
const secret = () =>
  Type.String({
    pattern: '^secret://env/[A-Za-z_][A-Za-z0-9_]*$',
    description: 'secret://env/NAME, a variable of the environment of whoever imports',
  })
const names = () => Type.Array(name(), { minItems: 1, maxItems: 1000 })

/** One value: where it is, a constant, or a text made of several. */
export const SourceValue = closed({
  path: optional(
    Type.Union([path(), Type.Array(path(), { minItems: 1, maxItems: 10 })], {
      description: 'Where the value is; of several the first that is there.',
    }),
  ),
  template: optional(Type.String({ minLength: 1, maxLength: 1000 })),
  value: optional(scalar()),
  time: optional(Type.Enum([...TIME_FORMATS])),
  timezone: optional(
    Type.String({ description: 'Time zone of times that name none: an IANA name.' }),
  ),
  as: optional(Type.Enum(['text', 'number', 'boolean', 'json'])),
  values: optional(
    Type.Record(Type.String({ maxLength: 1000 }), scalar(), {
      description: 'What each value becomes; one that is not listed is refused.',
    }),
  ),
  optional: optional(Type.Boolean()),
  default: optional(scalar()),
})
/** One value: where it is, a constant, or a text made of several. */
export type SourceValue = Static<typeof SourceValue>

const Shorthand = Type.Union([Type.String({ maxLength: 65_536 }), Type.Number(), Type.Boolean()])

/** Part of a map such as `features`: members of an object, of a list, or named one by one. */
export const SourceMapPart = closed({
  path: optional(path()),
  list: optional(names()),
  match: optional(Type.Union([name(), names()])),
  except: optional(Type.Union([name(), names()])),
  strip: optional(Type.String({ maxLength: 200 })),
  names: optional(names()),
  columns: optional(path()),
  key: optional(name()),
  value: optional(name()),
  flatten: optional(Type.Boolean()),
  fields: optional(Type.Record(name(), Type.Union([Shorthand, SourceValue]))),
  optional: optional(Type.Boolean()),
})
/** Part of a map such as `features`. */
export type SourceMapPart = Static<typeof SourceMapPart>

/** What a field is made of: a path or a constant as such, a value, or parts of a map. */
export type SourceField = string | number | boolean | SourceValue | SourceMapPart | SourceMapPart[]

/** What a value must be for its message to count. */
export const SourceCondition = closed({
  equals: optional(scalar()),
  not: optional(scalar()),
  in: optional(Type.Array(scalar(), { minItems: 1, maxItems: 1000 })),
  match: optional(name()),
  exists: optional(Type.Boolean()),
})
/** What a value must be for its message to count. */
export type SourceCondition = Static<typeof SourceCondition>

/** One kind of event that messages become. */
export const SourceEvent = closed({
  type: Type.Enum([...SOURCE_EVENTS]),
  each: optional(path()),
  where: optional(
    Type.Record(
      path(),
      Type.Union([scalar(), Type.Array(scalar(), { minItems: 1 }), SourceCondition]),
    ),
  ),
  // What a field may be depends on its kind: `lib/sources/problems.ts` checks it.
  fields: Type.Record(name(), Type.Unknown()),
})
/** One kind of event that messages become. */
export type SourceEvent = Omit<Static<typeof SourceEvent>, 'fields'> & {
  fields: Record<string, SourceField>
}

/** A source file. */
export const SourceFile = closed({
  source: Type.String({
    pattern: '^[a-z0-9][a-z0-9._-]{0,99}$',
    description: 'a name of small letters, digits, points, hyphens and underscores',
  }),
  kafka: optional(
    closed({
      topic: Type.String({
        pattern: '^[A-Za-z0-9._-]{1,249}$',
        description: 'a topic of Kafka, with its whole name',
      }),
    }),
  ),
  files: optional(path()),
  s3: optional(
    closed({
      endpoint: Type.String({
        pattern: '^https?://[A-Za-z0-9.:\\[\\]-]{1,300}$',
        description: 'https:// and a host, without a path',
      }),
      allow: Type.Array(Type.String({ minLength: 3, maxLength: 1000 }), {
        minItems: 1,
        maxItems: 100,
        description: 'Buckets, or folders of them, that may be read: exports, exports/fraud/.',
      }),
      access_key_id: optional(secret()),
      secret_access_key: optional(secret()),
      session_token: optional(secret()),
    }),
  ),
  format: Type.Enum([...SOURCE_FORMATS]),
  csv: optional(
    closed({
      columns: optional(names()),
      delimiter: optional(Type.String({ minLength: 1, maxLength: 1 })),
    }),
  ),
  protobuf: optional(
    closed({
      file: Type.String({
        pattern: '^[A-Za-z0-9_-][A-Za-z0-9._-]*\\.proto$',
        description: 'the name of a .proto file beside the source file',
      }),
      message: Type.String({
        pattern: '^[A-Za-z_][A-Za-z0-9_.]*$',
        description: 'the name of a message of it, such as acme.Scored',
      }),
      framing: optional(Type.Enum(['none', 'confluent'])),
    }),
  ),
  parse: optional(
    Type.Record(path(), Type.Enum(['json', 'csv', 'base64', 'base64_json', 'base64_csv'])),
  ),
  events: Type.Array(SourceEvent, { minItems: 1, maxItems: 20 }),
})
/** A source file. */
export type SourceFile = Omit<Static<typeof SourceFile>, 'events'> & { events: SourceEvent[] }
