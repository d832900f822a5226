/** Columns of data sets: which there are, and which a caller may have. */
import { Problem } from '../../../../lib/runtime/errors.ts'
import { didYouMean } from '../../../../lib/runtime/nearest-name.ts'
import type { DatasetColumn } from '../../../../schemas/http/labels/datasets.ts'

/** Fields of a row beside features and attributes, in the order of columns. */
const FIELDS: Readonly<Record<string, DatasetColumn['type']>> = {
  prediction_id: 'text',
  predicted_at: 'time',
  model_version: 'text',
  variant: 'text',
  subject_id: 'text',
  group_id: 'text',
  trace_id: 'text',
  status: 'text',
  decision: 'text',
  prediction: 'text',
  prediction_number: 'number',
  score: 'number',
  input_text: 'text',
  output_text: 'text',
  label: 'text',
  label_source: 'text',
  labeler: 'text',
  labelled_at: 'time',
  votes: 'number',
  voters: 'number',
  confidence: 'number',
  inclusion_probability: 'number',
  sampling_fraction: 'number',
  weight: 'number',
}

/** Whether a name is one of a row itself, or of its model: no attribute may stand for it. */
export const isOwnName = (name: string): boolean =>
  name === 'model_id' || Object.hasOwn(FIELDS, name)

/** What only who asks for it by name gets. */
const UNASKED = new Set([
  'subject_id',
  'group_id',
  'trace_id',
  'status',
  'input_text',
  'output_text',
])
/** What people read who are asked for labels. */
const TEXTS = ['input_text', 'output_text']
/** What a data set of whoever may not do `admin` never has. */
const ALWAYS_WITHHELD = ['subject_id']
const MAX_COLUMNS = 1000

/** Features and attributes that the rows have, with the types of features. */
export interface FoundNames {
  features: readonly DatasetColumn[]
  attributes: readonly string[]
}

/** A predicate over names of columns: whether a caller may not have one. */
export type IsWithheld = (column: string) => boolean

/**
 * Which columns a caller does not get.
 *
 * @param withhold `privacy.withhold` of the model file
 */
export function withheldFrom(isAdmin: boolean, withhold: readonly string[] = []): IsWithheld {
  if (isAdmin) return () => false
  const names = new Set([...ALWAYS_WITHHELD, ...withhold])
  return (column) => {
    const { map, key } = placeOf(column)
    return names.has(column) || names.has(key) || (map !== undefined && names.has(map))
  }
}

/** Where the value of a column stands: under a key of a map of the row, or of the row itself. */
export interface ColumnPlace {
  map: 'features' | 'attributes' | undefined
  key: string
}

/** The place of a column by its name, such as `features.amount` or `score`. */
export function placeOf(column: string): ColumnPlace {
  const [, map, key] = /^(features|attributes)\.(.*)$/s.exec(column) ?? []
  return map === undefined || key === undefined
    ? { map: undefined, key: column }
    : { map: map as 'features' | 'attributes', key }
}

/** Names as a predicate has them, as columns that are read for it. */
export const columnsOfName = (name: string): string[] =>
  name.startsWith('@') ? [name.slice(1)] : [`features.${name}`, `attributes.${name}`]

/**
 * The columns of a data set: those that are asked for, of them those that the caller may have.
 *
 * @param hasTexts texts are among what is given unasked
 * @throws {Problem} 400 for a column that there is not, or for more than 1000 of them
 */
export function chosenColumns(
  asked: readonly string[] | undefined,
  found: FoundNames,
  isWithheld: IsWithheld,
  hasTexts = false,
): { columns: DatasetColumn[]; withheld: string[] } {
  const all = [
    ...Object.entries(FIELDS).map(([name, type]) => ({ name, type })),
    ...found.features,
    ...found.attributes.map((name) => ({ name: `attributes.${name}`, type: 'text' as const })),
  ]
  for (const name of asked ?? []) requireKnown(name, all)
  const isAsked = ({ name }: DatasetColumn) =>
    name === 'prediction_id' ||
    (asked
      ? asked.includes(name) || asked.includes(placeOf(name).map ?? name)
      : !UNASKED.has(name) || (hasTexts && TEXTS.includes(name)))
  const chosen = all.filter(isAsked)
  const columns = chosen.filter(({ name }) => !isWithheld(name))
  if (columns.length > MAX_COLUMNS)
    throw new Problem(
      400,
      'too_many_columns',
      `a data set has at most ${MAX_COLUMNS} columns, and these rows have ${columns.length}: name some in columns`,
    )
  return { columns, withheld: chosen.map(({ name }) => name).filter(isWithheld) }
}

function requireKnown(name: string, all: readonly DatasetColumn[]): void {
  if (name === 'features' || name === 'attributes') return
  const names = all.map((column) => column.name)
  if (names.includes(name)) return
  throw new Problem(
    400,
    'unknown_column',
    `columns: ${name} is no field of these rows, and none of their features or attributes${didYouMean(name, names)}`,
  )
}
