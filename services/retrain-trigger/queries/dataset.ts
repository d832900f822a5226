/** The manifest of the data set that a run's job is to learn from: read once, and kept with the run. */
import { createHash } from 'node:crypto'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { appendAudit, sortedJson } from '../../../lib/postgres/audit-log.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Dataset } from '../../../schemas/http/runs/run-evidence.ts'
import type { TrainingData } from '../../../schemas/model-retrain.ts'
import type { Ledger } from './ledger.ts'
import { toRun, type Run, type StoredRun } from './run-record.ts'

/** Which rows a manifest tells of; times are epoch milliseconds. */
export interface DatasetQuestion {
  modelId: string
  /** Rows that were received later are left out. */
  asOf: number
  /** Predictions are of `from` or later, and of before `to`. */
  from: number
  to: number
  attributes: Readonly<Record<string, string>>
}

/** Reads the manifest of a data set; throws what ClickHouse throws. */
export type DatasetReader = (question: DatasetQuestion) => Promise<Dataset>

/** Binds the reading of manifests to a connection. */
export const datasetReader =
  (db: ClickHouse): DatasetReader =>
  (question) =>
    readDataset(db, question)

const MAX_NAMES = 200
/** Seconds that reading one table may take. */
const MAX_SECONDS = 120

interface Source {
  table: Dataset['parts'][number]['table']
  columns: readonly string[]
  where: string
  weight: string
  names: string
}

const SOURCES: readonly Source[] = [
  {
    table: 'predictions',
    columns: [
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
    ],
    where: `model_id = {model:String} AND NOT shadow
  AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND predicted_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND received_at <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')
  AND arrayAll((name, value) -> attributes[name] = value, {keys:Array(String)}, {values:Array(String)})`,
    weight: '1 / ifNull(sampling_fraction, 1)',
    names: 'mapKeys(features)',
  },
  {
    table: 'labels',
    columns: [
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
    ],
    where: `model_id = {model:String} AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND received_at <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')`,
    weight: '1 / ifNull(inclusion_probability, 1)',
    names: '[toString(name)]',
  },
]

async function readDataset(db: ClickHouse, question: DatasetQuestion): Promise<Dataset> {
  const { asOf, from, to } = question
  const parts: Dataset['parts'] = []
  for (const source of SOURCES) parts.push(await readPart(db, source, question))
  const manifest = { as_of: iso(asOf), from: iso(from), to: iso(to), parts }
  return { ...manifest, sha256: manifestSha256(manifest) }
}

const iso = (ms: number) => new Date(ms).toISOString()

/** SHA-256 of a manifest as sorted JSON, its own hash left out; 64 hex digits. */
export function manifestSha256({
  sha256: _own,
  ...manifest
}: Omit<Dataset, 'sha256'> & Partial<Dataset>): string {
  return createHash('sha256').update(sortedJson(manifest)).digest('hex')
}

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
async function readPart(
  db: ClickHouse,
  { table, columns, where, weight, names }: Source,
  { modelId, asOf, from, to, attributes }: DatasetQuestion,
): Promise<Dataset['parts'][number]> {
  const isOfPredictions = table === 'predictions'
  const parameters = {
    model: modelId,
    from,
    as_of: asOf,
    ...(isOfPredictions && {
      to,
      keys: Object.keys(attributes),
      values: Object.values(attributes),
    }),
  }
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

/** What a run's manifest is to tell of. */
const questionOf = (run: Run, { span, attributes = {} }: TrainingData): DatasetQuestion => {
  const to = Date.parse(run.decided_at)
  const asOf = Date.parse(run.created_at)
  return { modelId: run.model_id, asOf, from: to - durationMs(span), to, attributes }
}

/**
 * Reads the manifest of a run's data set and keeps it with the run and in the audit log, once; a run
 * whose policy named no data set stays as it is. As of the instant of the decision, so that a second
 * try reads the same.
 *
 * @returns the run with its manifest
 */
export async function keepDataset(ledger: Ledger, read: DatasetReader, run: Run): Promise<Run> {
  const [row] = await ledger.postgres.query<StoredRun>('select * from runs where run_id = $1', [
    run.run_id,
  ])
  const rule = row?.terms.dataset
  if (!row || row.dataset || !rule) return row ? toRun(row) : run
  const dataset = await read(questionOf(run, rule))
  return ledger.postgres.transaction(async (tx) => {
    const [kept] = await tx.query<StoredRun>(
      'update runs set dataset = $2::jsonb where run_id = $1 and dataset is null returning *',
      [run.run_id, JSON.stringify(dataset)],
    )
    if (!kept) return { ...toRun(row), dataset }
    const [predictions, labels] = dataset.parts
    await appendAudit(tx, {
      at: new Date(ledger.now()),
      actor: 'launcher',
      action: 'dataset.kept',
      subject: run.run_id,
      detail: {
        model_id: run.model_id,
        policy: run.policy,
        message: `data set of ${predictions!.rows} predictions and ${labels!.rows} labels as of ${dataset.as_of}, manifest ${dataset.sha256}`,
        sha256: dataset.sha256,
      },
    })
    return toRun(kept)
  })
}

/** Reads the manifest of a run again, by the parameters that it was read by. */
export function readAgain(read: DatasetReader, run: Run, kept: Dataset): Promise<Dataset> {
  const { keys = [], values = [] } = kept.parts[0]!.parameters as Record<string, string[]>
  const attributes = Object.fromEntries(keys.map((key, i) => [key, values[i] ?? '']))
  const [asOf, from, to] = [kept.as_of, kept.from, kept.to].map((time) => Date.parse(time))
  return read({ modelId: run.model_id, asOf: asOf!, from: from!, to: to!, attributes })
}
