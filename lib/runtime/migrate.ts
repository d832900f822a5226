/**
 * Forward-only migrations: numbered SQL files, applied once, in order, with their checksum
 * recorded.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One SQL file; its checksum is over the text with the placeholders filled in. */
export interface Migration {
  name: string
  checksum: string
  /** One statement each; comments of whole lines are left out. */
  statements: readonly string[]
}

/** What a store must offer to be migrated. */
export interface MigrationStore {
  /** Names and checksums already applied; makes the bookkeeping table when missing. */
  applied: () => Promise<{ name: string; checksum: string }[]>
  run: (statement: string) => Promise<void>
  record: (migration: Migration) => Promise<void>
}

/**
 * Reads `NNNN_name.sql` files of a folder in order; `{on_cluster}` and `{engine}` are filled in.
 *
 * @throws when two files carry the same number
 */
export function readMigrations(
  folder: string,
  placeholders: Record<string, string> = {},
): Migration[] {
  const files = readdirSync(folder)
    .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
    .toSorted()
  const numbers = files.map((file) => file.slice(0, 4))
  const twice = numbers.find((number, i) => numbers[i - 1] === number)
  if (twice) throw new Error(`two migrations in ${folder} carry the number ${twice}`)
  return files.map((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const filled = Object.entries(placeholders).reduce(
      (sql, [name, value]) => sql.replaceAll(`{${name}}`, value),
      text,
    )
    return {
      name: file,
      checksum: createHash('sha256').update(text).digest('hex'),
      statements: filled
        .split('\n')
        .filter((line) => !line.trimStart().startsWith('--'))
        .join('\n')
        .split(/;\s*\n/)
        .map((statement) => statement.trim().replace(/;$/, ''))
        .filter((statement) => statement !== ''),
    }
  })
}

/**
 * Applies what is missing and returns the names of what it applied.
 *
 * @throws when an applied file was edited or is gone, naming it: landed migrations never change; or
 *   when a later release has migrated the store
 */
export async function migrate(
  store: MigrationStore,
  migrations: readonly Migration[],
): Promise<string[]> {
  const missing = await pending(store, migrations)
  for (const migration of missing) {
    for (const statement of migration.statements) {
      try {
        await store.run(statement)
      } catch (cause) {
        throw new Error(`migration ${migration.name} failed at: ${statement.slice(0, 80)}`, {
          cause,
        })
      }
    }
    await store.record(migration)
  }
  return missing.map((migration) => migration.name)
}

/**
 * Checks a store that another process migrates. Migrations after the newest known one are those of a
 * later release: they add, and this release goes on beside it.
 *
 * @throws when a known migration is missing, or an applied one was changed or is gone
 */
export async function verifyMigrated(
  store: MigrationStore,
  migrations: readonly Migration[],
): Promise<void> {
  const missing = await pending(store, migrations, true)
  if (missing.length > 0)
    throw new Error(
      `the store lacks ${listed(missing.map(({ name }) => name))}, which this release needs: run npm run migrate, or --target=all or stores`,
    )
}

/** Names that a sentence has room for. */
const MOST_LISTED = 3

const listed = (names: readonly string[]): string =>
  names.length > MOST_LISTED
    ? `${names.slice(0, MOST_LISTED).join(', ')} and ${names.length - MOST_LISTED} more`
    : names.join(', ')

async function pending(
  store: MigrationStore,
  migrations: readonly Migration[],
  mayBeLater = false,
): Promise<Migration[]> {
  const applied = new Map((await store.applied()).map((m) => [m.name, m.checksum]))
  const newest = migrations.at(-1)?.name ?? ''
  const later = [...applied.keys()].filter((name) => name > newest)
  if (later.length > 0 && !mayBeLater)
    throw new Error(
      `the store was migrated by a later release (${listed(later)}), and this one cannot own it: start that release, or put a backup back`,
    )
  for (const [name, checksum] of applied) {
    const file = migrations.find((m) => m.name === name)
    if (!file && name > newest) continue
    if (!file) throw new Error(`migration ${name} was applied and its file is gone`)
    if (file.checksum !== checksum)
      throw new Error(`migration ${name} was edited after it had been applied`)
  }
  return migrations.filter((m) => !applied.has(m.name))
}
