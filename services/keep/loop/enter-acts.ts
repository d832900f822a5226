/**
 * Enters into the audit log what was done elsewhere: acts that are rows of ClickHouse, and changes of
 * files that people edit.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { readKeyFile } from '../../../lib/http/keys/key-callers.ts'
import { nameOf, type KeyEntry } from '../../../lib/http/keys/key-file.ts'
import type { ModelFolder } from '../../../lib/models/reload/live-models.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import { noticeChanges, type SeenStates } from '../../../lib/postgres/audit-seen.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { SourceFolder } from '../../../lib/sources/live-sources.ts'
import {
  ACT_KINDS,
  forgetActs,
  newestAct,
  noteAct,
  notedActs,
  type ActKind,
  type ActPlace,
  type StoredAct,
} from '../queries/acts.ts'

/** What entering acts needs. */
export interface ActParts {
  db: ClickHouse
  postgres: Postgres
  now: () => number
}

const DAY_MS = 86_400_000
/** A row may be written later than what its own time says, by clocks that differ and by retries. */
const OVERLAP_MS = DAY_MS
const REMEMBERED_MS = 7 * DAY_MS
const PAGE = 500

/** Enters every act of ClickHouse that has no entry yet, once each; gives how many there were. */
export async function enterStoredActs(parts: ActParts): Promise<number> {
  let entered = 0
  for (const kind of ACT_KINDS) entered += await enterKind(parts, kind)
  return entered
}

async function enterKind({ db, postgres }: ActParts, { kind, read }: ActKind): Promise<number> {
  const newest = await newestAct(postgres, kind)
  let after: ActPlace = { at: Math.max(0, newest - OVERLAP_MS), id: '' }
  let entered = 0
  for (;;) {
    const page = await read(db, after, PAGE)
    const noted = await notedActs(postgres, page)
    for (const act of page.filter(({ id }) => !noted.has(id)))
      if (await enter(postgres, kind, act)) entered++
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    after = { at: last.at.getTime(), id: last.id.slice(kind.length + 1) }
  }
  if (entered > 0)
    await forgetActs(postgres, kind, new Date((await newestAct(postgres, kind)) - REMEMBERED_MS))
  return entered
}

const enter = (postgres: Postgres, kind: string, act: StoredAct): Promise<boolean> =>
  postgres.transaction(async (tx) => {
    if (!(await noteAct(tx, kind, act))) return false
    const { id: _, ...entry } = act
    await appendAudit(tx, entry)
    return true
  })

/** Files that people edit, as they are in force. */
export interface WatchedFiles {
  modelFiles: () => Pick<ModelFolder, 'files'>
  sources: { inForce: () => Pick<SourceFolder, 'sources'> }
  /** The file of API keys; undefined where there is none. */
  keyFile: string | undefined
}

/** Enters what was changed in files since they were last looked at; gives how many changes. */
export async function enterFileChanges(
  { postgres, now }: Pick<ActParts, 'postgres' | 'now'>,
  { modelFiles, sources, keyFile }: WatchedFiles,
): Promise<number> {
  const kinds: [string, () => SeenStates][] = [
    ['model_file', () => modelStates(modelFiles())],
    ['source_file', () => sourceStates(sources.inForce())],
  ]
  if (keyFile !== undefined && existsSync(keyFile))
    kinds.push(['key', () => keyStates(readKeyFile(keyFile))])
  let entered = 0
  for (const [kind, read] of kinds)
    entered += await postgres.transaction((tx) =>
      noticeChanges(tx, { kind, actor: `${kind.split('_')[0]} files`, at: new Date(now()) }, read),
    )
  return entered
}

const modelStates = ({ files }: Pick<ModelFolder, 'files'>): SeenStates =>
  new Map(
    files.map(({ file, modelId, sha256 }) => [
      modelId,
      { state: sha256, detail: { model_id: modelId, file, sha256 } },
    ]),
  )

const sourceStates = ({ sources }: Pick<SourceFolder, 'sources'>): SeenStates =>
  new Map(sources.map(({ name, revision }) => [name, { state: revision, detail: { revision } }]))

/** What a key may do, without anything of its secret. */
export const keyStates = (entries: readonly KeyEntry[]): SeenStates =>
  new Map(
    entries.map((entry) => [
      nameOf(entry),
      {
        state: createHash('sha256').update(JSON.stringify(entry)).digest('hex'),
        detail: {
          id: entry.id,
          may: [...(entry.scopes ?? entry.grants ?? [])],
          expires: entry.expires ?? null,
        },
      },
    ]),
  )
