/** The tables of ClickHouse: made, verified, or printed for whoever may make them. */
import { fileURLToPath } from 'node:url'
import type { ClickHouse, Cluster, ClusterNames } from './port.ts'
import { CLUSTER_SETTINGS, isAboutTables, toCluster } from './schema/cluster.ts'
import { rowRules, type RowRules } from './schema/row-rules.ts'
import { migrate, readMigrations, verifyMigrated, type MigrationStore } from '../runtime/migrate.ts'
import { messageOf } from '../runtime/errors.ts'

const FOLDER = fileURLToPath(new URL('../../schemas/clickhouse', import.meta.url))
/** Statements are read as those of one server; `schema/cluster.ts` makes those of a cluster of them. */
const PLACEHOLDERS = { on_cluster: '', engine: '' }
const BOOKKEEPING =
  'CREATE TABLE IF NOT EXISTS schema_migrations (name String, checksum String, applied_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY name'

/** The migrations as one server takes them, in their order. */
export const clickhouseMigrations = () => readMigrations(FOLDER, PLACEHOLDERS)

/**
 * Applies the migrations of `schemas/clickhouse` that are missing.
 *
 * @returns their names
 * @throws Error where an applied one was changed, or where the tables are those of one server and
 *   the setting says a cluster, or the other way round
 */
export async function migrateClickHouse(db: ClickHouse): Promise<string[]> {
  await requireSameLayout(db)
  return migrate(storeOf(db), clickhouseMigrations())
}

/**
 * Checks that every migration is applied, and changes nothing.
 *
 * @throws Error that names what is missing or changed, or as {@link migrateClickHouse}
 */
export async function verifyClickHouse(db: ClickHouse): Promise<void> {
  await requireSameLayout(db)
  await verifyMigrated(storeOf(db), clickhouseMigrations())
}

/** A cluster by its names, and what statements about our tables become on it. */
export function clusterOf(names: ClusterNames): Cluster {
  const turn = clusterWithTables(names)
  return {
    names,
    settings: CLUSTER_SETTINGS,
    statementsFor: (statement) => (isAboutTables(statement) ? turn(statement) : [statement]),
  }
}

/** Services change tables that migrations have made before. */
function clusterWithTables(names: ClusterNames) {
  const turn = toCluster(names)
  for (const statement of allStatements()) turn(statement)
  return turn
}

const allStatements = () => [
  BOOKKEEPING,
  ...clickhouseMigrations().flatMap(({ statements }) => statements),
]

/** Which tables and views a reader of some models may read. */
export const readersRules = (): RowRules => rowRules(allStatements())

/**
 * The statements of all migrations, or of those after one of them, with the rows that record them:
 * whoever runs them in this order has done what a start does.
 *
 * @throws Error where there is no migration of that name
 */
export function printedMigrations(cluster?: ClusterNames, after?: string): string {
  const migrations = clickhouseMigrations()
  const from = after === undefined ? 0 : migrations.findIndex(({ name }) => name === after) + 1
  if (after !== undefined && from === 0)
    throw new Error(
      `there is no migration ${after}: ${migrations.map(({ name }) => name).join(', ')}`,
    )
  const forServer = cluster ? clusterOf(cluster).statementsFor : (sql: string) => [sql]
  const written = (statements: readonly string[]) =>
    statements.flatMap(forServer).map((statement) => `${statement};\n`)
  const lines = from === 0 ? written([BOOKKEEPING]) : []
  for (const { name, checksum, statements } of migrations.slice(from))
    lines.push(
      `-- ${name}\n`,
      written(statements).join('\n'),
      `INSERT INTO schema_migrations (name, checksum) VALUES ('${name}', '${checksum}');\n`,
    )
  return lines.join('\n')
}

/** One server's tables hold rows that a cluster's would not show, and the other way round. */
async function requireSameLayout(db: ClickHouse): Promise<void> {
  const [table] = await db.query<{ engine: string }>(
    "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = 'predictions'",
  )
  if (!table || (table.engine === 'Distributed') === (db.cluster !== undefined)) return
  throw new Error(
    db.cluster
      ? 'PLUMBLINE_CLICKHOUSE_CLUSTER is set, and the tables of this database are those of one server: take another database'
      : 'the tables of this database are those of a cluster: set PLUMBLINE_CLICKHOUSE_CLUSTER',
  )
}

function storeOf(db: ClickHouse): MigrationStore {
  const recorded = () =>
    db.query<{ name: string; checksum: string }>(
      'SELECT name, checksum FROM schema_migrations ORDER BY name',
    )
  return {
    // A server may forbid to make tables: where all are there, nothing is made.
    applied: async () => {
      try {
        return await recorded()
      } catch (error) {
        if (!/UNKNOWN_TABLE|unknown table/i.test(messageOf(error))) throw error
        await db.command(BOOKKEEPING)
        return recorded()
      }
    },
    run: (statement) => db.command(statement),
    record: ({ name, checksum }) => db.insertRows('schema_migrations', [{ name, checksum }], name),
  }
}
