/**
 * Reads the tables that model files name as references, once for each content: a table that cannot
 * be read is a sentence, never a failure of the model.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { TableFormat } from '../../../lib/clickhouse/table-files.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import { TABLE_SPAN, uploadedId } from '../plan/stored-references.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { MAX_TABLE_BYTES, UnreadableTable } from '../queries/baselines/store-table.ts'

/** A file as it was when it was looked at last, and what came of it. */
interface Looked {
  /** Path, size and time of the last change. */
  state: string
  /** Why it is no reference; undefined where it is one. */
  problem: string | undefined
  /** When it is tried again although it has not changed, epoch milliseconds. */
  retryAt: number
}

/** What is known of the files of all models; one for all evaluators of a process. */
export type TablesLooked = Map<string, Looked>

/** A store that is away says nothing of a table: it is tried again. */
const RETRY_MS = 60_000

/**
 * Sees to it that every table of a model file is stored as it is now.
 *
 * @returns why tables cannot be read, by name of the reference
 */
export type LoadTables = (model: Model) => Promise<ReadonlyMap<string, string>>

/** @returns looks at a file again when its size or time of change differs from before */
export function tableLoader(
  queries: Pick<DriftQueries, 'referencesOf' | 'storeTable' | 'putReference'>,
  looked: TablesLooked,
  privacy: Privacy,
  now: () => number,
): LoadTables {
  return async (model) => {
    const unread = new Map<string, string>()
    for (const [name, { kind, file, columns }] of Object.entries(model.references)) {
      if (kind !== 'table') continue
      const table = { model, name, file: file!, columns: columns ?? {}, privacy }
      const key = JSON.stringify([model.modelId, name])
      const state = await stateOf(table)
      const before = looked.get(key)
      const isKnown = before?.state === state && now() < before.retryAt
      const found = isKnown ? before : { state, ...(await load(queries, table, now)) }
      looked.set(key, found)
      if (found.problem !== undefined) unread.set(name, found.problem)
    }
    return unread
  }
}

interface Table {
  model: Model
  name: string
  /** As the model file has it. */
  file: string
  columns: Readonly<Record<string, string>>
  privacy: Privacy
}

/** What tells a file as it is now from others, without reading it; its fault where there is one. */
async function stateOf({ model, file }: Table): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(join(model.folder, file))
    return JSON.stringify([model.revision, file, size, mtimeMs, ino])
  } catch (error) {
    return JSON.stringify([model.revision, file, messageOf(error)])
  }
}

async function load(
  queries: Pick<DriftQueries, 'referencesOf' | 'storeTable' | 'putReference'>,
  table: Table,
  now: () => number,
): Promise<Omit<Looked, 'state'>> {
  const { name } = table
  try {
    await store(queries, table, now)
    return { problem: undefined, retryAt: Infinity }
  } catch (error) {
    const isFault = error instanceof UnreadableTable
    const said = isFault ? error.message : `${table.file} could not be stored: ${messageOf(error)}`
    return {
      problem: `references.${name}: ${said}`,
      retryAt: isFault ? Infinity : now() + RETRY_MS,
    }
  }
}

/** Stores a table as a revision of its reference, unless it is stored as it is. */
async function store(
  queries: Pick<DriftQueries, 'referencesOf' | 'storeTable' | 'putReference'>,
  table: Table,
  now: () => number,
): Promise<void> {
  const { model, name, file, columns, privacy } = table
  const path = await pathOf(table)
  const content = await contentOf(path, table)
  const stored = (await queries.referencesOf(model.modelId)).find((one) => one.name === name)
  if (stored?.kind === 'table' && stored.content === content) return
  const revision = (stored?.revision ?? 0) + 1
  const { note } = await queries.storeTable({
    file: { path, format: extname(file).slice(1) as TableFormat },
    shown: file,
    model,
    privacy,
    columns,
    under: uploadedId(model.modelId, name, revision),
  })
  const span = TABLE_SPAN
  await queries.putReference(
    {
      modelId: model.modelId,
      name,
      kind: 'table',
      span,
      modelVersion: '',
      revision,
      content,
      note,
    },
    now(),
  )
}

/**
 * Where the file is: below the folder of the model file, links followed. The schema of the model
 * file has let no `..` through.
 */
async function pathOf({ model, file }: Table): Promise<string> {
  if (model.folder === '') throw new UnreadableTable(`${file} has no folder to be in`)
  const folder = await realpath(model.folder)
  let path: string
  let size: number
  try {
    path = await realpath(join(folder, file))
    const found = await stat(path)
    if (!found.isFile()) throw new Error('it is no file')
    size = found.size
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new UnreadableTable(
      isAbsent
        ? `there is no file ${file} below the folder of the model file`
        : `${file} cannot be read: ${messageOf(error).split(',')[0]}`,
      { cause: error },
    )
  }
  if (!path.startsWith(`${folder}${sep}`))
    throw new UnreadableTable(`${file} leads out of the folder of the model file`)
  // ClickHouse would take these for patterns of more than one file.
  if (/[*?{}]/.test(path)) throw new UnreadableTable(`the path of ${file} holds one of *?{}`)
  if (size > MAX_TABLE_BYTES)
    throw new UnreadableTable(
      `${file} has ${size} bytes, above ${MAX_TABLE_BYTES}: a sample of its rows will do`,
    )
  return path
}

/** A hash of the bytes of a table and of all that decides how its columns are read. */
async function contentOf(path: string, { model, columns, privacy }: Table): Promise<string> {
  const { features, fairness, slices, task } = model
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer)
  hash.update(JSON.stringify([columns, features, Object.keys(fairness.attributes), slices, task]))
  // A model without rules keeps the hash it had before there were any.
  hash.update(privacy.of(model.modelId)?.fingerprint ?? '')
  return hash.digest('hex')
}
