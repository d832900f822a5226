/** The port to PostgreSQL, for control state: a server, or PGlite inside this process. One SQL dialect for both. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { migrate, readMigrations, type MigrationStore } from './migrate.ts'

export type SqlValue = string | number | boolean | Date | null | readonly string[]

export interface Sql {
  /** Rows of one statement; `$1` parameters only. */
  query: <T = Record<string, unknown>>(sql: string, params?: readonly SqlValue[]) => Promise<T[]>
}

export interface Postgres extends Sql {
  /** Runs `body` in a transaction; a throw rolls it back and is thrown on. */
  transaction: <T>(body: (tx: Sql) => Promise<T>) => Promise<T>
  exec: (sql: string) => Promise<void>
  close: () => Promise<void>
}

export function serverPostgres(url: string): Postgres {
  const pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 5000 })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {})
  const on = (client: pg.Pool | pg.PoolClient): Sql => ({
    query: async <T>(sql: string, params: readonly SqlValue[] = []) =>
      (await client.query(sql, params as unknown[])).rows as T[],
  })
  return {
    ...on(pool),
    exec: async (sql) => {
      await pool.query(sql)
    },
    transaction: async (body) => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const result = await body(on(client))
        await client.query('commit')
        return result
      } catch (error) {
        await client.query('rollback').catch(() => {})
        throw error
      } finally {
        client.release()
      }
    },
    close: () => pool.end(),
  }
}

export interface EmbeddedPostgres extends Postgres {
  db: PGlite
}

/**
 * Opens PGlite on a directory. PGlite takes no lock itself, and a second process would lose its writes:
 * a lock file with the process id guards the directory.
 */
export async function embeddedPostgres(path: string): Promise<EmbeddedPostgres> {
  mkdirSync(path, { recursive: true })
  const unlock = lock(join(path, '..', 'postgres.lock'), path)
  const db = await PGlite.create(path)
  const on = (target: Pick<PGlite, 'query'>): Sql => ({
    query: async <T>(sql: string, params: readonly SqlValue[] = []) =>
      (await target.query<T>(sql, params as unknown[])).rows,
  })
  return {
    db,
    ...on(db),
    exec: async (sql) => {
      await db.exec(sql)
    },
    transaction: (body) => db.transaction((tx) => body(on(tx as unknown as PGlite))) as never,
    close: async () => {
      await db.close()
      unlock()
    },
  }
}

export async function migratePostgres(db: Postgres): Promise<string[]> {
  const folder = fileURLToPath(new URL('../schemas/postgres', import.meta.url))
  const store: MigrationStore = {
    applied: async () => {
      await db.exec(
        'create table if not exists schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
      )
      return db.query<{ name: string; checksum: string }>(
        'select name, checksum from schema_migrations order by name',
      )
    },
    run: async () => {},
    // All statements of a file and its record are one transaction; a concurrent migrator fails on the name.
    record: ({ name, checksum, statements }) =>
      db.transaction(async (tx) => {
        await tx.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
          name,
          checksum,
        ])
        for (const statement of statements) await tx.query(statement)
      }),
  }
  return migrate(store, readMigrations(folder))
}

function lock(file: string, path: string): () => void {
  for (;;) {
    try {
      const handle = openSync(file, 'wx')
      writeSync(handle, String(process.pid))
      closeSync(handle)
      return () => rmSync(file, { force: true })
    } catch (cause) {
      const holder = Number(readPid(file))
      if (holder > 0 && holder !== process.pid && isAlive(holder))
        throw new Error(
          `the control database ${path} is held by process ${holder}: stop it, or set PLUMBLINE_POSTGRES_URL`,
          { cause },
        )
      rmSync(file, { force: true })
    }
  }
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
