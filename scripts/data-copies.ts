/**
 * Copies of a data folder for `npm run backup` and `npm run restore`: what the stores hold at one
 * instant, with a list of the files that says whether a copy is whole.
 */
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { embeddedEngine } from '../lib/clickhouse/embedded.ts'
import { lockFile } from '../lib/disk/lock-file.ts'
import { embeddedPostgres } from '../lib/postgres/port.ts'

/** What a backup says of itself, in `backup.json`. */
export interface Manifest {
  made_at: string
  /** The newest migration of the stores: an older release does not open it. */
  migration: string
  /** Rows by table. */
  rows: Record<string, number>
  /** The offset after the last that is stored, by `log epoch/topic/partition`. */
  offsets: Record<string, string>
  /** SHA-256 of every file, by its path. */
  files: Record<string, string>
}

/** Why a copy cannot be made or used: told in one sentence. */
export class Refused extends Error {}

const MANIFEST = 'backup.json'
/** What a start makes anew, or what belongs to the process that has the folder. */
const LEFT_OUT = /^(spool|postgres\.lock$|clickhouse\/status$)/

/**
 * Copies a data folder that no process holds. Both stores and the journal are of the same instant:
 * nothing can change them meanwhile, since their locks are held.
 *
 * @throws {Refused} where a process holds the folder, or `to` is there already
 */
export async function backUp(from: string, to: string): Promise<Manifest> {
  if (!existsSync(join(from, 'clickhouse')))
    throw new Refused(`${from} is no data folder: it has no clickhouse in it`)
  if (existsSync(to))
    throw new Refused(`${to} is there already: a backup goes into a folder of its own`)
  const told = await askStores(from)
  const draft = `${resolve(to)}.part`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  const unlock = held(from)
  try {
    cpSync(from, join(draft, 'data'), {
      recursive: true,
      // ClickHouse's tables are links to their folders.
      verbatimSymlinks: true,
      filter: (path) => !LEFT_OUT.test(relative(from, path)),
    })
  } finally {
    unlock()
  }
  const manifest: Manifest = {
    made_at: new Date().toISOString(),
    ...told,
    files: hashesOf(join(draft, 'data')),
  }
  writeFileSync(join(draft, MANIFEST), JSON.stringify(manifest, undefined, 1), { mode: 0o600 })
  renameSync(draft, to)
  return manifest
}

/**
 * Puts a backup where no data folder is.
 *
 * @throws {Refused} where the backup is not whole, naming a file, or `to` is not empty
 */
export function restore(from: string, to: string): Manifest {
  if (!existsSync(join(from, MANIFEST)))
    throw new Refused(`${from} is no backup: it has no ${MANIFEST}, which is written last`)
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new Refused(`${to} is not empty: move it away first, since a backup is not mixed with it`)
  const manifest = JSON.parse(readFileSync(join(from, MANIFEST), 'utf8')) as Manifest
  const found = hashesOf(join(from, 'data'))
  for (const [path, hash] of Object.entries(manifest.files))
    if (found[path] !== hash)
      throw new Refused(
        `${path} is ${found[path] === undefined ? 'missing' : 'another'} in the backup: it is not whole`,
      )
  cpSync(join(from, 'data'), to, { recursive: true, verbatimSymlinks: true })
  return manifest
}

/** Takes the locks of a start: a second process on the folder ends at them. */
function held(folder: string): () => void {
  return lockFile(
    join(folder, 'postgres.lock'),
    (pid) => `the data folder ${folder} is held by process ${pid}: stop it first`,
  )
}

/** What the stores hold; opening them ends what a killed process has left. */
async function askStores(
  folder: string,
): Promise<Pick<Manifest, 'migration' | 'rows' | 'offsets'>> {
  const postgres = await opened(() => embeddedPostgres(join(folder, 'postgres')))
  const engine = embeddedEngine(join(folder, 'clickhouse'))
  try {
    const db = await opened(async () => engine.connect('backup'))
    const sizes = await db.query<{ table: string; n: string }>(
      `SELECT table, sum(rows) AS n FROM system.parts WHERE database = currentDatabase() AND active GROUP BY table ORDER BY table`,
    )
    const offsets = await db.query<{ place: string; next: string }>(
      `SELECT concat(log_epoch, '/', topic, '/', partition) AS place, toString(max(last) + 1) AS next FROM sink_ranges GROUP BY place ORDER BY place`,
    )
    const [newest] = await db.query<{ name: string }>(
      'SELECT max(name) AS name FROM schema_migrations',
    )
    return {
      migration: newest?.name ?? '',
      rows: Object.fromEntries(sizes.map(({ table, n }) => [table, Number(n)])),
      offsets: Object.fromEntries(offsets.map(({ place, next }) => [place, next])),
    }
  } finally {
    await engine.close()
    await postgres.close()
  }
}

async function opened<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    throw new Refused(`${(error as Error).message}; a backup is made of a stopped process`)
  }
}

function hashesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .toSorted()
  return Object.fromEntries(
    files.map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex'),
    ]),
  )
}
