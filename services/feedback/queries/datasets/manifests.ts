/** Manifests of data sets, in PostgreSQL. */
import { appendAudit } from '../../../../lib/postgres/audit-log.ts'
import type { Postgres } from '../../../../lib/postgres/port.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import type {
  DatasetAnswer,
  DatasetManifest,
  ListedDataset,
} from '../../../../schemas/http/labels/datasets.ts'

interface StoredDataset {
  dataset_id: string
  model_id: string
  made_at: Date | string
  made_by: string
  manifest: DatasetManifest | null
}

/** Who does something with data sets, and when (epoch milliseconds). */
export interface Acting {
  actor: string
  now: number
}

const iso = (at: Date | string) => new Date(at).toISOString()

/** Keeps a manifest, and writes into the audit log who made what. */
export async function keepManifest(
  db: Postgres,
  datasetId: string,
  manifest: DatasetManifest,
  { actor, now }: Acting,
): Promise<DatasetAnswer> {
  const { question, file, sha256 } = manifest
  return db.transaction(async (tx) => {
    await tx.query(
      'insert into datasets (dataset_id, model_id, made_at, made_by, manifest) values ($1, $2, $3, $4, $5::jsonb)',
      [datasetId, question.model_id, new Date(now), actor, JSON.stringify(manifest)],
    )
    await appendAudit(tx, {
      at: new Date(now),
      actor,
      action: 'dataset.made',
      subject: datasetId,
      detail: {
        model_id: question.model_id,
        message: `${file.rows} rows as ${question.format}, as of ${question.as_of}, manifest ${sha256}`,
        sha256,
      },
    })
    return {
      dataset_id: datasetId,
      model_id: question.model_id,
      made_at: new Date(now).toISOString(),
      made_by: actor,
      manifest,
    }
  })
}

/** Writes into the audit log who fetched the rows of a data set. */
export const noteFetched = (
  db: Postgres,
  { dataset_id, model_id, manifest }: DatasetAnswer,
  { actor, now }: Acting,
): Promise<void> =>
  db.transaction((tx) =>
    appendAudit(tx, {
      at: new Date(now),
      actor,
      action: 'dataset.fetched',
      subject: dataset_id,
      detail: { model_id, message: `${manifest.file.rows} rows as ${manifest.question.format}` },
    }),
  )

/**
 * A data set by its id.
 *
 * @param requireSeen refuses a caller who may not see the model; it comes before all that is told
 * @throws {Problem} 404 where there is none; 409 `dataset_erased` where it named a subject that was
 *   erased
 */
export async function readManifest(
  db: Postgres,
  datasetId: string,
  requireSeen: (modelId: string) => void,
): Promise<DatasetAnswer> {
  const [row] = await db.query<StoredDataset>('select * from datasets where dataset_id = $1', [
    datasetId,
  ])
  if (!row) throw new Problem(404, 'not_found', 'there is no data set of that id')
  const { manifest, made_at, made_by, model_id } = row
  requireSeen(model_id)
  if (!manifest)
    throw new Problem(
      409,
      'dataset_erased',
      'the data set was asked for by a subject that was erased since: it cannot be made again',
    )
  return { dataset_id: datasetId, model_id, made_at: iso(made_at), made_by, manifest }
}

/** The newest data sets of some models, or of every one. */
export async function listManifests(
  db: Postgres,
  models: readonly string[] | undefined,
  limit: number,
): Promise<ListedDataset[]> {
  const rows = await db.query<StoredDataset>(
    `select dataset_id, model_id, made_at, made_by, manifest - 'parts' as manifest from datasets
     where $1 or model_id = any($2) order by made_at desc, dataset_id limit $3`,
    [models === undefined, [...(models ?? [])], limit],
  )
  return rows.map(({ manifest, ...row }) => ({
    dataset_id: row.dataset_id,
    model_id: row.model_id,
    made_at: iso(row.made_at),
    made_by: row.made_by,
    state: manifest ? 'made' : 'erased',
    format: manifest?.question.format ?? null,
    label: manifest?.question.label ?? null,
    as_of: manifest?.question.as_of ?? null,
    from: manifest?.question.from ?? null,
    to: manifest?.question.to ?? null,
    rows: manifest?.file.rows ?? null,
    bytes: manifest?.file.bytes ?? null,
    sha256: manifest?.file.sha256 ?? null,
  }))
}
