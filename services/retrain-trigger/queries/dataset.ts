/** The manifest of the data set that a run's job is to learn from: read once, and kept with the run. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import {
  LABEL_COLUMNS,
  PREDICTION_COLUMNS,
  readPart,
  WEIGHTS,
  type RowSource,
} from '../../../lib/clickhouse/row-manifest.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import { manifestSha256 } from '../../../lib/postgres/manifest-hash.ts'
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

/** The two tables of a data set, predictions first. */
const sourcesOf = ({ modelId, asOf, from, to, attributes }: DatasetQuestion): RowSource[] => [
  {
    table: 'predictions',
    columns: PREDICTION_COLUMNS,
    where: `model_id = {model:String} AND NOT shadow
  AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND predicted_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND received_at <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')
  AND arrayAll((name, value) -> attributes[name] = value, {keys:Array(String)}, {values:Array(String)})`,
    parameters: {
      model: modelId,
      from,
      as_of: asOf,
      to,
      keys: Object.keys(attributes),
      values: Object.values(attributes),
    },
    weight: WEIGHTS.predictions,
    names: 'mapKeys(features)',
  },
  {
    table: 'labels',
    columns: LABEL_COLUMNS,
    where: `model_id = {model:String} AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND received_at <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')`,
    parameters: { model: modelId, from, as_of: asOf },
    weight: WEIGHTS.labels,
    names: '[toString(name)]',
  },
]

async function readDataset(db: ClickHouse, question: DatasetQuestion): Promise<Dataset> {
  const { asOf, from, to } = question
  const parts: Dataset['parts'] = []
  for (const source of sourcesOf(question)) parts.push(await readPart(db, source))
  const manifest = { as_of: iso(asOf), from: iso(from), to: iso(to), parts }
  return { ...manifest, sha256: manifestSha256(manifest) }
}

const iso = (ms: number) => new Date(ms).toISOString()

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
