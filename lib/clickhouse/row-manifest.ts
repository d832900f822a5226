/**
 * What a manifest tells of the rows of one table: how many they are, what they stand for, their
 * columns and types, and a hash of their content.
 */
import { createHash } from 'node:crypto'
import type { DatasetPart } from '../../schemas/http/runs/run-evidence.ts'
import type { ClickHouse, Params } from './port.ts'

/** The rows of one table. */
export interface RowSource {
  table: DatasetPart['table']
  /** What the content hash covers, in its order. */
  columns: readonly string[]
  /** SQL of the condition that its rows meet, with `{name:Type}`. */
  where: string
  parameters: Params
  /** SQL of what a row stands for. */
  weight: string
  /** SQL of an array of names that are listed. */
  names: string
}

/** Columns of predictions that a manifest covers. */
export const PREDICTION_COLUMNS = [
  'model_version',
  'variant',
  'prediction_id',
  'predicted_at',
  'received_at',
  'prediction',
  'prediction_number',
  'score',
  'scores',
  'features',
  'attributes',
  'target_time',
  'group_id',
  'position',
  'request_id',
  'status',
  'input_text',
  'output_text',
  'embedding',
  'subject_id',
  'sampling_fraction',
] as const

/** Columns of labels that a manifest covers. */
export const LABEL_COLUMNS = [
  'prediction_id',
  'trace_id',
  'subject_id',
  'name',
  'source',
  'labeler',
  'labelled_at',
  'label_id',
  'label',
  'confidence',
  'retracted',
  'final',
  'inclusion_probability',
  'received_at',
] as const

/** What a prediction, and a label, stands for. */
export const WEIGHTS = {
  predictions: '1 / ifNull(sampling_fraction, 1)',
  labels: '1 / ifNull(inclusion_probability, 1)',
} as const

const MAX_NAMES = 200
/** Seconds that reading one table may take. */
const MAX_SECONDS = 120

interface PartRow {
  rows: string | number
  weight: number
  names: string[]
  sums: string[]
  types: string[]
}

/** The word of a row's SHA-256 that begins at this byte, counted from 1. */
const wordAt = (byte: number) => `toString(sum(reinterpretAsUInt64(substring(digest, ${byte}, 8))))`

/**
 * Reads one table. Its content hash is that of the sums, modulo 2^64, of the four words of each
 * row's SHA-256: no order of rows changes it, and a row that comes twice counts twice.
 */
export async function readPart(
  db: ClickHouse,
  { table, columns, where, parameters, weight, names }: RowSource,
): Promise<DatasetPart> {
  const types = columns.map((name) => `toTypeName(${name})`).join(', ')
  const [row] = await db.query<PartRow>(
    `SELECT count() AS rows, sum(stands_for) AS weight, arraySort(groupUniqArrayArray(named)) AS names,
       [${[1, 9, 17, 25].map(wordAt).join(', ')}] AS sums, any(column_types) AS types
     FROM (SELECT SHA256(toJSONString(tuple(${columns.join(', ')}))) AS digest, ${weight} AS stands_for,
       ${names} AS named, [${types}] AS column_types FROM ${table} WHERE ${where})
     SETTINGS max_execution_time = ${MAX_SECONDS}`,
    parameters,
  )
  const rows = Number(row?.rows ?? 0)
  const content = [table, ...columns, rows, ...(row?.sums ?? [])].join('\n')
  return {
    table,
    query: `SELECT ${columns.join(', ')} FROM ${table} WHERE ${where}`,
    parameters,
    schema: columns.map((name, i) => ({ name, type: row?.types[i] ?? '' })),
    names: (row?.names ?? []).slice(0, MAX_NAMES),
    rows,
    weight: row?.weight ?? 0,
    content_sha256: createHash('sha256').update(content).digest('hex'),
  }
}
