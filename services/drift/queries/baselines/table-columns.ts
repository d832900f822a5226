/** What the columns of a table are to a model, and how each is read, in SQL. Pure. */
import { escape, type BlockColumn } from '../../../../lib/clickhouse/port.ts'
import { ROW } from '../../../../lib/clickhouse/table-files.ts'
import { textProblem } from '../../../../lib/events/text-rules.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { didYouMean } from '../../../../lib/runtime/nearest-name.ts'
import { sqlTime } from '../../data/cohort.ts'
import { TABLE_SPAN } from '../../plan/stored-references.ts'

/** Columns of a table, at most. */
const MAX_COLUMNS = 2000
/** UTF-16 units of a name, at most; as of a feature. */
const MAX_NAME = 200
/** Columns that are left out by name in a note. */
const MAX_TOLD = 5
/** What a column of that name is, unless the mapping names another. */
const OWN = ['prediction', 'score', 'label'] as const

/** Columns of `reference_rows` that a table fills. */
export const ROW_COLUMNS: readonly BlockColumn[] = [
  { name: 'model_id', type: 'LowCardinality(String)' },
  { name: 'row', type: 'UInt64' },
  { name: 'predicted_at', type: "DateTime64(3, 'UTC')" },
  { name: 'prediction', type: 'Nullable(String)' },
  { name: 'prediction_number', type: 'Nullable(Float64)' },
  { name: 'score', type: 'Nullable(Float64)' },
  { name: 'features', type: 'Map(LowCardinality(String), Variant(Float64, String, Bool))' },
  { name: 'attributes', type: 'Map(LowCardinality(String), String)' },
  { name: 'label', type: 'Nullable(String)' },
  { name: 'label_number', type: 'Nullable(Float64)' },
]

/** How a table is read. */
export interface TableReading {
  /** SQL of {@link ROW_COLUMNS}, in their order. */
  select: string[]
  /** Names of its features. */
  features: string[]
  has: Readonly<Record<(typeof OWN)[number], boolean>>
  /** What is left out, and why: a part of a sentence; '' where nothing is. */
  leftOut: string
}

type Kind = 'number' | 'text' | 'boolean'

/** What a ClickHouse type holds, as events hold it; undefined of arrays, maps and other nests. */
function kindOf(type: string): Kind | undefined {
  const plain = /^(?:LowCardinality|Nullable)\((.*)\)$/.exec(type)?.[1]
  if (plain !== undefined) return kindOf(plain)
  if (/^(U?Int\d+|Float\d+|BFloat16|Decimal.*)$/.test(type)) return 'number'
  if (type === 'Bool') return 'boolean'
  if (/^(String|FixedString.*|Enum.*|UUID|Date.*|IPv\d)$/.test(type)) return 'text'
  return undefined
}

const quoted = (name: string) => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
const literal = (text: string) => `'${escape(text)}'`
const VARIANT = 'Variant(Float64, String, Bool)'

/** A column that can be read. */
export interface Column {
  /** The name that events have for it. */
  name: string
  sql: string
  kind: Kind
}

/**
 * Tells what the columns of a table are: those named `prediction`, `score` and `label`, or named so
 * by the mapping, and features all others.
 *
 * @param mapping column by the name that events have: `label`, `score`, `prediction` or a feature
 * @param under what their counts are to stand
 * @throws {RangeError} a sentence on what cannot be read
 */
export function tableReading(
  columns: readonly BlockColumn[],
  mapping: Readonly<Record<string, string>>,
  model: Model,
  under: string,
): TableReading {
  if (columns.length > MAX_COLUMNS)
    throw new RangeError(`it has ${columns.length} columns, above ${MAX_COLUMNS}`)
  const known = columns.map(({ name }) => name)
  for (const [name, column] of Object.entries(mapping))
    if (!known.includes(column))
      throw new RangeError(
        `columns.${name} names the column ${column}, which it has not${didYouMean(column, known)}`,
      )
  const { read, leftOut } = readable(columns, mapping)
  const own = new Map(read.filter(({ name }) => isOwn(name)).map((one) => [one.name, one]))
  const features = read.filter(({ name }) => !isOwn(name) && isFeatureOf(model, name))
  if (features.length === 0 && own.size === 0) throw new RangeError('no column of it can be read')
  const score = own.get('score')
  if (score && score.kind !== 'number')
    throw new RangeError('its column of scores holds no numbers')
  const attributes = read.filter(({ name }) => isAttributeOf(model, name))
  return {
    select: selected({ own, features, attributes, model, under }),
    features: features.map(({ name }) => name),
    has: { prediction: own.has('prediction'), score: own.has('score'), label: own.has('label') },
    leftOut,
  }
}

const isOwn = (name: string): boolean => (OWN as readonly string[]).includes(name)
const isAttributeOf = ({ fairness, slices }: Model, name: string) =>
  name in fairness.attributes || slices.some(({ key, by }) => by === undefined && key === name)
/** A protected attribute is no input of the model, unless its file says so. */
const isFeatureOf = ({ features, fairness }: Model, name: string) =>
  name in features || !(name in fairness.attributes)

/** SQL of a column as an event has its values: a number that is finite, a text, a boolean. */
export const eventValue = (column: Column): string =>
  column.kind === 'number'
    ? numberOf(column)
    : column.kind === 'text'
      ? `CAST(toString(${column.sql}), 'Nullable(String)')`
      : column.sql

/** Columns by the names that events have, and those that are left out. */
export function readable(
  columns: readonly BlockColumn[],
  mapping: Readonly<Record<string, string>>,
): { read: Column[]; leftOut: string } {
  const nameOf = new Map(Object.entries(mapping).map(([name, column]) => [column, name]))
  const read: Column[] = []
  const left: string[] = []
  for (const { name: column, type } of columns) {
    const kind = kindOf(type)
    const name = nameOf.get(column) ?? column
    // Another column was named in its place.
    const isTaken = name === column && name in mapping && mapping[name] !== column
    const isName = name !== '' && name.length <= MAX_NAME && textProblem('', name) === undefined
    if (kind === undefined || !isName || isTaken) left.push(column)
    else read.push({ name, sql: quoted(column), kind })
  }
  const told = left.slice(0, MAX_TOLD).map((name) => name.slice(0, 40))
  const more = left.length > told.length ? ` and ${left.length - told.length} more` : ''
  return {
    read,
    leftOut:
      left.length === 0 ? '' : `left out, being neither number nor text: ${told.join(', ')}${more}`,
  }
}

interface Chosen {
  own: ReadonlyMap<string, Column>
  features: readonly Column[]
  attributes: readonly Column[]
  model: Model
  under: string
}

function selected({ own, features, attributes, model, under }: Chosen): string[] {
  const [prediction, score, label] = OWN.map((name) => own.get(name))
  const isNumber = model.task === 'regression' || model.task === undefined
  return [
    literal(under),
    `toUInt64(${ROW})`,
    `toDateTime64(${literal(sqlTime(TABLE_SPAN.start))}, 3, 'UTC')`,
    textOf(prediction),
    // A class is its text; an event has it so too.
    prediction?.kind === 'number' && isNumber ? numberOf(prediction) : NO_NUMBER,
    score ? numberOf(score) : NO_NUMBER,
    `CAST(mapFilter((k, v) -> isNotNull(v), ${mapOf(
      features.map((one) => [one.name, valueOf(one, model)]),
      VARIANT,
    )}), 'Map(LowCardinality(String), ${VARIANT})')`,
    `CAST(mapFilter((k, v) -> v != '', ${mapOf(
      attributes.map((one) => [one.name, `ifNull(${textOf(one)}, '')`]),
      'String',
    )}), 'Map(LowCardinality(String), String)')`,
    textOf(label),
    label ? `toFloat64OrNull(ifNull(${textOf(label)}, ''))` : NO_NUMBER,
  ]
}

const NO_NUMBER = "CAST(NULL, 'Nullable(Float64)')"

const mapOf = (entries: readonly (readonly [string, string])[], type: string) =>
  entries.length === 0
    ? `CAST(map(), 'Map(String, ${type})')`
    : `map(${entries.map(([name, sql]) => `${literal(name)}, ${sql}`).join(', ')})`

/** SQL of a column as the text that an event has for it. */
const textOf = (column: Column | undefined) =>
  column === undefined
    ? "CAST(NULL, 'Nullable(String)')"
    : `CAST(toString(${plain(column)}), 'Nullable(String)')`

/** A decimal has zeros behind it that no event has. */
const plain = ({ sql, kind }: Column) => (kind === 'number' ? `toFloat64(${sql})` : sql)

/** SQL of a number; what is not finite is missing, as it is in an event. */
const numberOf = ({ sql }: Column) =>
  `if(isFinite(toFloat64(${sql})), CAST(toFloat64(${sql}), 'Nullable(Float64)'), NULL)`

/** SQL of a feature. Codes are texts where the model file says that they are categories. */
function valueOf(column: Column, { features }: Model): string {
  const declared = features[column.name]
  const { kind, sql } = column
  if (kind === 'text') return `CAST(toString(${sql}), '${VARIANT}')`
  if (kind === 'boolean') return `CAST(${sql}, '${VARIANT}')`
  if (declared === 'boolean')
    return `CAST(transform(${textOf(column)}, ['0', '1'], ['false', 'true'], ${textOf(column)}), '${VARIANT}')`
  if (declared === 'categorical') return `CAST(${textOf(column)}, '${VARIANT}')`
  return `CAST(${numberOf(column)}, '${VARIANT}')`
}
