/** Makes data sets, and makes them again. */
import { open, type FileHandle } from 'node:fs/promises'
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import { readPart } from '../../../../lib/clickhouse/row-manifest.ts'
import type { Spool } from '../../../../lib/clickhouse/spool.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { manifestSha256 } from '../../../../lib/postgres/manifest-hash.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import type { DatasetManifest } from '../../../../schemas/http/labels/datasets.ts'
import { chosenColumns, type IsWithheld } from '../../data/datasets/columns.ts'
import {
  predicateOf,
  requireSeen,
  withheldField,
  type DatasetQuestion,
} from '../../data/datasets/question.ts'
import { PAIR_COLUMNS } from '../../data/datasets/writers.ts'
import { datasetSources, hasUnnamed, namesOf, sourcesBy } from './sources.ts'
import { writeDataset, type DatasetBounds } from './write-file.ts'

/** What data sets are made with. */
export interface DatasetMaker {
  db: ClickHouse
  spool: Spool
  bounds: DatasetBounds
}

/** What of a data set is asked of its model file. */
export type DatasetModel = Pick<Model, 'slices' | 'labels' | 'sha256'>

/** Texts that pairs are made of. */
const PAIR_TEXTS = ['input_text', 'output_text']

/**
 * Makes a data set of what is stored now, and keeps nothing of it but what it says of itself.
 *
 * @throws {Problem} 403 for a field that the caller may not see, 400 beyond the bounds
 */
export async function makeDataset(
  { db, spool, bounds }: DatasetMaker,
  question: DatasetQuestion,
  model: DatasetModel,
  isWithheld: IsWithheld,
): Promise<DatasetManifest> {
  const predicate = predicateOf(question, model)
  requireSeen(predicate, isWithheld)
  const sources = await datasetSources(db, question, predicate)
  const { columns, withheld } =
    question.format === 'pairs'
      ? { columns: [...PAIR_COLUMNS], withheld: [] }
      : chosenColumns(
          question.columns,
          await namesOf(db, sources),
          isWithheld,
          question.format === 'label_studio' || question.format === 'argilla',
        )
  requireColumns(question, isWithheld)
  const resolution = {
    precedence: [...model.labels.precedence],
    resolve: model.labels.resolve,
    model_file_sha256: model.sha256,
  }
  const parts = [await readPart(db, sources.predictions), await readPart(db, sources.labels)]
  const asked = {
    question,
    resolution,
    sources,
    columns,
    hasUnnamed: await hasUnnamed(db, sources),
  }
  const { file } = await spool.withFolder((folder) => writeDataset(db, folder, asked, bounds))
  const manifest = { question, withheld, resolution, parts, file }
  return { ...manifest, sha256: manifestSha256(manifest) }
}

/** @throws {Problem} 403 where a data set holds what the caller may not see */
function requireColumns(question: DatasetQuestion, isWithheld: IsWithheld): void {
  if (question.format !== 'pairs') return
  const withheld = [...PAIR_TEXTS, 'label'].find(isWithheld)
  if (withheld !== undefined) throw withheldField(withheld)
}

/**
 * Refuses a caller who may not see what a data set holds, or was asked by.
 *
 * @throws {Problem} 403 `withheld_field`
 */
export function requireDatasetSeen(
  { question, file }: DatasetManifest,
  model: DatasetModel,
  isWithheld: IsWithheld,
): void {
  requireColumns(question, isWithheld)
  requireSeen(predicateOf(question, model), isWithheld)
  const withheld = file.columns.find(({ name }) => isWithheld(name))
  if (withheld) throw withheldField(withheld.name)
}

/**
 * Makes the file of a data set again.
 *
 * @returns the open file, which has no name any more
 * @throws {Problem} 409 `dataset_changed` where it would not be the same bytes
 */
export async function remakeDataset(
  { db, spool, bounds }: DatasetMaker,
  { question, resolution, parts, file: kept }: DatasetManifest,
  model: DatasetModel,
): Promise<FileHandle> {
  const [predictions, labels] = parts.map(({ parameters }) => parameters as Params)
  const sources = sourcesBy(predicateOf(question, model), {
    predictions: predictions!,
    labels: labels!,
  })
  const asked = {
    question,
    resolution,
    sources,
    columns: kept.columns,
    hasUnnamed: await hasUnnamed(db, sources),
  }
  return spool.withFolder(async (folder) => {
    const { path, file } = await writeDataset(db, folder, asked, bounds)
    if (file.sha256 !== kept.sha256) throw await changed(db, sources, parts, [kept.rows, file.rows])
    return open(path)
  })
}

/** What has become of the rows that a data set was made of. */
async function changed(
  db: ClickHouse,
  sources: ReturnType<typeof sourcesBy>,
  parts: DatasetManifest['parts'],
  [then, now]: [number, number],
): Promise<Problem> {
  const told: string[] = []
  for (const [i, source] of [sources.predictions, sources.labels].entries()) {
    const kept = parts[i]!
    const found = await readPart(db, source)
    if (found.rows !== kept.rows)
      told.push(`of ${kept.rows} ${kept.table} ${found.rows} are stored`)
    else if (found.content_sha256 !== kept.content_sha256)
      told.push(`the ${kept.rows} ${kept.table} are others`)
  }
  const why =
    told.length > 0
      ? `${told.join(', and ')}: rows were erased or have expired since`
      : 'the rows are the same, and this version of Plumbline writes them otherwise, or what the data set was asked by means another thing now'
  return new Problem(
    409,
    'dataset_changed',
    `the data set had ${then} rows and would have ${now} now: ${why}; make it again for what there is`,
  )
}
