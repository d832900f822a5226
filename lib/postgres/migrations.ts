/** The tables of the control database: made, or verified. */
import { fileURLToPath } from 'node:url'
import { migrate, readMigrations, verifyMigrated, type MigrationStore } from '../runtime/migrate.ts'
import type { Postgres, Sql } from './port.ts'

const FOLDER = fileURLToPath(new URL('../../schemas/postgres', import.meta.url))

/** The lock under which tables are made; another number would be another lock. */
const LOCK = 7_586_246
const takeLock = (tx: Sql) => tx.query('select pg_advisory_xact_lock($1)', [LOCK])

/**
 * Applies the migrations of `schemas/postgres` that are missing. Processes that start at the same
 * time wait for one another.
 *
 * @returns their names
 * @throws Error where an applied one was changed, or a later release has migrated the database
 */
export async function migratePostgres(db: Postgres): Promise<string[]> {
  await db.transaction(async (tx) => {
    await takeLock(tx)
    await tx.query(
      'create table if not exists schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    )
  })
  return migrate(storeOf(db), readMigrations(FOLDER))
}

/**
 * Checks that every migration is applied, and changes nothing.
 *
 * @throws Error that names what is missing or changed
 */
export async function verifyPostgres(db: Postgres): Promise<void> {
  const [made] = await db.query<{ is_made: boolean }>(
    "select to_regclass('schema_migrations') is not null as is_made",
  )
  const store = storeOf(db)
  const nothing = { ...store, applied: async () => [] }
  await verifyMigrated(made?.is_made ? store : nothing, readMigrations(FOLDER))
}

const storeOf = (db: Postgres): MigrationStore => ({
  applied: () =>
    db.query<{ name: string; checksum: string }>(
      'select name, checksum from schema_migrations order by name',
    ),
  run: async () => {},
  // All statements of a file and its record are one transaction.
  record: ({ name, checksum, statements }) =>
    db.transaction(async (tx) => {
      await takeLock(tx)
      // Another process may have applied it while this one waited.
      const applied = await tx.query('select 1 from schema_migrations where name = $1', [name])
      if (applied.length > 0) return
      await tx.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
        name,
        checksum,
      ])
      for (const statement of statements) await tx.query(statement)
    }),
})
