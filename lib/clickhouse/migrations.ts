import { fileURLToPath } from 'node:url'
import type { ClickHouse } from './port.ts'
import { migrate, readMigrations, verifyMigrated, type MigrationStore } from '../runtime/migrate.ts'

const FOLDER = fileURLToPath(new URL('../../schemas/clickhouse', import.meta.url))
/** One copy of every migration: a cluster fills these with `ON CLUSTER …` and `Replicated`. */
const PLACEHOLDERS = { on_cluster: '', engine: '' }

const clickhouseMigrations = () => readMigrations(FOLDER, PLACEHOLDERS)

/**
 * Applies the migrations of `schemas/clickhouse` that are missing.
 *
 * @returns their names
 * @throws Error where an applied one was changed
 */
export const migrateClickHouse = (db: ClickHouse) => migrate(storeOf(db), clickhouseMigrations())
/**
 * Checks that every migration is applied, and changes nothing.
 *
 * @throws Error that names what is missing or changed
 */
export const verifyClickHouse = (db: ClickHouse) =>
  verifyMigrated(storeOf(db), clickhouseMigrations())

function storeOf(db: ClickHouse): MigrationStore {
  return {
    applied: async () => {
      await db.command(
        'CREATE TABLE IF NOT EXISTS schema_migrations (name String, checksum String, applied_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY name',
      )
      return db.query<{ name: string; checksum: string }>(
        'SELECT name, checksum FROM schema_migrations ORDER BY name',
      )
    },
    run: (statement) => db.command(statement),
    record: ({ name, checksum }) => db.insertRows('schema_migrations', [{ name, checksum }], name),
  }
}
