/**
 * From an event's TypeBox schema to the SQL that judges and converts it inside ClickHouse.
 *
 * A message reaches ClickHouse as one line, written by `lib/spool.ts`:
 *
 *     <offset: 19 digits> <broker time, ms: 13 digits> <key bytes: 5 digits> <key><value>
 *
 * Raw JSON tokens are taken apart with `JSONExtractKeysAndValuesRaw` and converted one by one:
 * ClickHouse's row parsers guess types (`1` becomes true, `"02139"` a number) and fill gaps in
 * silence, so none of them may be the verdict on an event. The same schema judges events at the HTTP
 * door (`lib/event-verdict.ts`); a fuzz test holds the two together.
 */
import type { TObject } from 'typebox'
import {
  factsOf,
  EARLIEST_MS,
  LATEST_MS,
  MAX_FEATURES,
  MAX_TEXT,
  type FieldKind,
} from '../schemas/fields.ts'
import { MAX_EVENT_BYTES, type Rejection, rejectionsOf } from './rejections.ts'

/** One column of the wire table: what the event's field becomes. */
export interface WireColumn {
  name: string
  type: string
  sql: string
}

export interface WireMapping {
  /** Names the mapping in Kafka's offset metadata: an old pending range is drained by the mapping that wrote it. */
  version: string
  /**
   * `SELECT … FROM (source of lines)`, with the constants as literals. With `fields`, only these are mapped: planning and
   * running all thirty of a prediction costs ClickHouse 90 ms and 5 µs an event. A batch that has another known field
   * after all makes the query throw {@link OMITTED_FIELD} before a row is written.
   */
  select: (
    source: string,
    constants: Record<string, string>,
    fields?: ReadonlySet<string>,
  ) => string
  /** The columns that `select` gives for these fields, in order; columns left out take their defaults. */
  columns: (fields?: ReadonlySet<string>) => readonly WireColumn[]
  /** Every field an event may have, and those it must. */
  fields: readonly string[]
  required: ReadonlySet<string>
  rejections: readonly Rejection[]
}

/** Told by a narrowed mapping of a batch that needs the whole one. */
export const OMITTED_FIELD = 'the batch has a field that its mapping leaves out'

export function wireMapping(version: string, schema: TObject): WireMapping {
  const required = new Set<string>(schema.required ?? [])
  const all: MappedField[] = Object.entries(schema.properties).map(([name, property]) => {
    const facts = factsOf(property)
    return {
      name,
      required: required.has(name),
      ...sqlOf(facts.kind, `r_${name}`, required.has(name), { ...facts }),
    }
  })
  const rejections = rejectionsOf(schema)
  const known = all.map((field) => quote(field.name)).join(', ')
  const among = (names?: ReadonlySet<string>) =>
    all.filter((field) => !names || field.required || names.has(field.name))
  const columnsOf = (fields: readonly MappedField[]) =>
    fields.flatMap((field): WireColumn[] => [
      { name: field.name, type: field.type, sql: field.value },
      ...field.extra,
    ])

  const select: WireMapping['select'] = (source, constants, names) => {
    const fields = among(names)
    const columns = columnsOf(fields)
    const conditions = conditionsOf(fields)
    const omitted = all.filter((field) => !fields.includes(field)).map((field) => field.name)
    const guard =
      omitted.length > 0
        ? [`throwIf(hasAny(names, ${quoteArray(omitted)}), ${quote(OMITTED_FIELD)}), 0`]
        : []
    const bad = rejections.flatMap((rejection, i) => {
      const condition = conditions.get(keyOf(rejection))
      return condition === undefined ? [] : [`${condition}, ${i + 1}`]
    })
    const parts = fields.flatMap((field) =>
      Object.entries(field.with).map(([alias, sql]) => `${sql} AS ${alias}`),
    )
    return `
SELECT ${Object.entries(constants)
      .map(([name, value]) => `${quote(value)} AS ${name}`)
      .join(', ')},
  offset, received_at, key, if(rejected = 0, '', json) AS value,
  ${quoteArray(rejections.map((r) => r.code))}[rejected] AS reject_code,
  ${quoteArray(rejections.map((r) => r.message))}[rejected] AS reject_message,
  toUInt16(length(arrayFilter(n -> n not in (${known}), names))) AS unknown_fields,
  ${columns.map((column) => `c_${column.name} AS ${column.name}`).join(', ')}
FROM (SELECT offset, received_at, key, json, names,
  ${columns.map((column) => `${column.sql} AS c_${column.name}`).join(',\n  ')},
  multiIf(${[...guard, ...bad].join(',\n    ')}, 0)::UInt16 AS rejected
FROM (SELECT *, ${parts.join(',\n  ')}
FROM (SELECT offset, received_at, key, json, names,
  ${fields.map((field) => `raws[indexOf(names, ${quote(field.name)})] AS r_${field.name}`).join(',\n  ')}
FROM (SELECT offset, received_at, key, json, pairs.1 AS names, pairs.2 AS raws
FROM (SELECT offset, received_at, key, json, JSONExtractKeysAndValuesRaw(json) AS pairs
FROM (SELECT offset, received_at, substring(rest, 1, key_bytes) AS key, substring(rest, key_bytes + 1) AS json
FROM (SELECT toUInt64(substring(line, 1, 19)) AS offset,
  fromUnixTimestamp64Milli(toInt64(substring(line, 21, 13)), 'UTC') AS received_at,
  toUInt32(substring(line, 35, 5)) AS key_bytes, substring(line, 41) AS rest
FROM ${source})))))))`
  }
  return {
    version,
    select,
    columns: (names) => columnsOf(among(names)),
    fields: all.map((field) => field.name),
    required,
    rejections,
  }
}

interface MappedField extends FieldSql {
  name: string
  required: boolean
}

const keyOf = ({ code, field }: Rejection) => (field ? `${code}:${field}` : code)

/** When each rejection applies, in SQL. */
function conditionsOf(fields: readonly MappedField[]): Map<string, string> {
  const conditions = new Map<string, string>([
    ['too_large', `length(json) > ${MAX_EVENT_BYTES}`],
    ['empty', `json = ''`],
    [
      'invalid_json',
      `empty(names) and not (isValidJSON(json) and startsWith(trimLeft(json), '{'))`,
    ],
    ['repeated_key', `length(arrayDistinct(names)) != length(names)`],
    ['key_mismatch', `key != '' and key != concat(v_model_id, '/', v_prediction_id)`],
  ])
  for (const { name, required, bad, repeated } of fields) {
    const absent = `r_${name} in ('', 'null')`
    if (required) conditions.set(`missing_field:${name}`, absent)
    conditions.set(`invalid_field:${name}`, required ? bad : `not ${absent} and (${bad})`)
    if (repeated) conditions.set(`repeated_key:${name}`, repeated)
  }
  return conditions
}

export const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const quoteArray = (texts: readonly string[]) => `[${texts.map(quote).join(', ')}]`

/** Numbers as JavaScript's `String(x)` prints them: `1e+21`, and no minus zero. */
export const canonicalNumber = (x: string) =>
  `replaceRegexpOne(toString(${x} + 0), 'e([0-9])', 'e+\\\\1')`

interface FieldSql {
  type: string
  /** True for a present value that breaks the field's rule. */
  bad: string
  value: string
  /** Named parts that `bad` and `value` share. */
  with: Record<string, string>
  /** True where a key is repeated inside the field's object. */
  repeated?: string
  extra: WireColumn[]
}

const finite = (raw: string) => `ifNull(isFinite(toFloat64OrNull(${raw})), 0)`

function sqlOf(
  kind: FieldKind,
  raw: string,
  required: boolean,
  facts: Record<string, unknown>,
): FieldSql {
  const name = raw.slice(2)
  const value = `v_${name}`
  const notText = `not startsWith(${raw}, '"')`
  const asText = {
    [value]: `if(startsWith(${raw}, '"'), if(position(${raw}, '\\\\') = 0, substring(${raw}, 2, length(${raw}) - 2), JSONExtractString(${raw})), '')`,
  }
  const pairs = `p_${name}`
  const asPairs = { [pairs]: `JSONExtractKeysAndValuesRaw(${raw})` }
  const repeated = `length(arrayDistinct(${pairs}.1)) != length(${pairs}.1)`
  const notObject = `not startsWith(${raw}, '{')`
  switch (kind) {
    case 'id':
      return {
        type: 'String',
        with: asText,
        bad: `${notText} or lengthUTF8(${value}) not between 1 and 200 or (position(${raw}, '\\\\') > 0 and match(${value}, '[\\\\x00-\\\\x1f]'))`,
        value,
        extra: [],
      }
    case 'text':
      return {
        type: 'String',
        with: asText,
        bad: `${notText} or lengthUTF8(${value}) > ${Number(facts['maxLength'])}`,
        value,
        extra: [],
      }
    case 'choice':
      return {
        type: 'LowCardinality(String)',
        with: asText,
        bad: `${notText} or ${value} not in (${(facts['enum'] as string[]).map(quote).join(', ')})`,
        value,
        extra: [],
      }
    case 'timestamp': {
      const time = `t_${name}`
      return {
        type: required ? `DateTime64(3, 'UTC')` : `Nullable(DateTime64(3, 'UTC'))`,
        with: { ...asText, [time]: `parseDateTime64BestEffortOrNull(${value}, 3, 'UTC')` },
        bad: `not match(${value}, ${quote(String(facts['pattern']))}) or isNull(${time}) or toUnixTimestamp64Milli(assumeNotNull(${time})) not between ${EARLIEST_MS} and ${LATEST_MS - 1}`,
        value: required ? `ifNull(${time}, toDateTime64(0, 3, 'UTC'))` : time,
        extra: [],
      }
    }
    case 'number': {
      const x = `x_${name}`
      const limits = [
        facts['minimum'] === undefined ? [] : [`${x} < ${Number(facts['minimum'])}`],
        facts['exclusiveMinimum'] === undefined
          ? []
          : [`${x} <= ${Number(facts['exclusiveMinimum'])}`],
        facts['maximum'] === undefined ? [] : [`${x} > ${Number(facts['maximum'])}`],
      ].flat()
      return {
        type: 'Nullable(Float64)',
        with: { [x]: `toFloat64OrNull(${raw})` },
        bad: [`not ${finite(raw)}`, ...limits.map((limit) => `ifNull(${limit}, 0)`)].join(' or '),
        value: x,
        extra: [],
      }
    }
    case 'integer': {
      const x = `x_${name}`
      return {
        type: 'Nullable(UInt64)',
        with: { [x]: `toFloat64OrNull(${raw})` },
        bad: `not ifNull(${x} between 0 and 9007199254740991 and ${x} = trunc(${x}), 0)`,
        value: `accurateCastOrNull(${x}, 'UInt64')`,
        extra: [],
      }
    }
    case 'boolean':
      return {
        type: 'Bool',
        with: {},
        bad: `${raw} not in ('true', 'false')`,
        value: `${raw} = 'true'`,
        extra: [],
      }
    case 'scalar':
    case 'label': {
      const list = `JSONExtractArrayRaw(${raw})`
      const badList = `startsWith(${raw}, '[') and (length(${list}) > 100 or arrayExists(e -> not startsWith(e, '"'), ${list}))`
      const other = `${raw} not in ('true', 'false') and not ${finite(raw)}`
      return {
        type: kind === 'scalar' ? 'Nullable(String)' : 'String',
        with: asText,
        bad:
          `if(startsWith(${raw}, '"'), lengthUTF8(${value}) > ${MAX_TEXT}, ` +
          (kind === 'label' ? `if(startsWith(${raw}, '['), ${badList}, ${other}))` : `${other})`),
        value: `multiIf(startsWith(${raw}, '"'), ${value}, ${finite(raw)}, ${canonicalNumber(`assumeNotNull(toFloat64OrNull(${raw}))`)}, ${kind === 'scalar' ? `${raw} in ('', 'null'), NULL, ` : ''}${raw})`,
        extra:
          kind === 'scalar'
            ? [
                {
                  name: `${name}_number`,
                  type: 'Nullable(Float64)',
                  sql: `toFloat64OrNull(${raw})`,
                },
              ]
            : [],
      }
    }
    case 'features': {
      const numbers = `n_${name}`
      const isNumber = `not startsWith(r, '"') and r not in ('true', 'false', 'null')`
      return {
        type: 'Map(LowCardinality(String), Variant(Float64, String, Bool))',
        // Each number is parsed once, for its verdict, its row and its counts.
        with: { ...asPairs, [numbers]: `arrayMap(r -> toFloat64OrNull(r), ${pairs}.2)` },
        bad: `${notObject} or length(${pairs}.1) > ${MAX_FEATURES} or arrayExists((r, x) -> (${isNumber} and not ifNull(isFinite(x), 0)) or length(r) > ${MAX_TEXT}, ${pairs}.2, ${numbers})`,
        repeated,
        value: `mapFromArrays(${pairs}.1, arrayMap((r, x) -> ${variantOf('r', 'x')}, ${pairs}.2, ${numbers}))`,
        extra: [
          { name: 'feature_names', type: 'Array(LowCardinality(String))', sql: `${pairs}.1` },
          { name: 'feature_raws', type: 'Array(String)', sql: `${pairs}.2` },
          { name: 'feature_numbers', type: 'Array(Nullable(Float64))', sql: numbers },
        ],
      }
    }
    case 'strings':
      return {
        type: 'Map(LowCardinality(String), String)',
        with: asPairs,
        bad: `${notObject} or length(${pairs}.1) > 100 or arrayExists(r -> not startsWith(r, '"') or lengthUTF8(JSONExtractString(r)) > 1000, ${pairs}.2)`,
        repeated,
        value: `mapFromArrays(${pairs}.1, arrayMap(r -> JSONExtractString(r), ${pairs}.2))`,
        extra: [],
      }
    case 'numbers':
      return {
        type: 'Map(LowCardinality(String), Float64)',
        with: asPairs,
        bad: `${notObject} or length(${pairs}.1) > ${MAX_FEATURES} or arrayExists(r -> not ${finite('r')}, ${pairs}.2)`,
        repeated,
        value: `mapFromArrays(${pairs}.1, arrayMap(r -> toFloat64OrZero(r), ${pairs}.2))`,
        extra: [],
      }
    case 'vector':
      return {
        type: 'Array(Float32)',
        with: { [`a_${name}`]: `JSONExtractArrayRaw(${raw})` },
        bad: `not startsWith(${raw}, '[') or length(a_${name}) > 8192 or arrayExists(r -> not ${finite('r')}, a_${name})`,
        value: `arrayMap(r -> toFloat32(toFloat64OrZero(r)), a_${name})`,
        extra: [],
      }
    case 'producer':
      return {
        type: 'String',
        with: {
          [`id_${name}`]: `JSONExtractRaw(${raw}, 'id')`,
          [`n_${name}`]: `toFloat64OrNull(JSONExtractRaw(${raw}, 'sequence'))`,
        },
        bad: `${notObject} or JSONLength(${raw}) != 2 or not startsWith(id_${name}, '"') or lengthUTF8(JSONExtractString(id_${name})) not between 1 and 200 or not ifNull(n_${name} between 0 and 9007199254740991 and n_${name} = trunc(n_${name}), 0)`,
        value: `JSONExtractString(id_${name})`,
        extra: [
          {
            name: `${name}_sequence`,
            type: 'Nullable(UInt64)',
            sql: `accurateCastOrNull(n_${name}, 'UInt64')`,
          },
        ],
      }
  }
}

const VARIANT = 'Variant(Float64, String, Bool)'
/** A raw token and, where it is one, its number. */
const variantOf = (raw: string, x: string) =>
  `multiIf(startsWith(${raw}, '"'), JSONExtractString(${raw})::${VARIANT}, ${raw} in ('true', 'false'), (${raw} = 'true')::Bool::${VARIANT}, ${x}::${VARIANT})`
