/**
 * The port to PostgreSQL, for control state: a server, or PGlite inside this process. One SQL
 * dialect for both.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { lockFile } from '../disk/lock-file.ts'
import { readyState } from './protocol-messages.ts'

/** A value of a `$n` parameter. */
export type SqlValue = string | number | boolean | Date | null | readonly string[]

/**
 * Statements on a connection or within a transaction; each rejects with the error that PostgreSQL
 * gives.
 */
export interface Sql {
  /** Rows of one statement; `$1` parameters only. */
  query: <T = Record<string, unknown>>(sql: string, params?: readonly SqlValue[]) => Promise<T[]>
}

/** The control database. */
export interface Postgres extends Sql {
  /** Runs `body` in a transaction; a throw rolls it back and is thrown on. */
  transaction: <T>(body: (tx: Sql) => Promise<T>) => Promise<T>
  exec: (sql: string) => Promise<void>
  /**
   * Calls `listener` after every transaction of this process that commits. Loops that read what
   * transactions leave are woken by it; what other processes commit, is not reported.
   */
  onCommit: (listener: () => void) => void
  /**
   * Removes the write-ahead log of what was changed before, which holds rows that are deleted;
   * absent of a server, whose log is its own.
   */
  forgetLog?: () => Promise<void>
  close: () => Promise<void>
}

/** Listeners to commits. */
interface Commits {
  listen: (listener: () => void) => void
  committed: () => void
}

function commits(): Commits {
  const listeners: (() => void)[] = []
  return {
    listen: (listener) => void listeners.push(listener),
    committed: () => {
      for (const listener of listeners) listener()
    },
  }
}

/**
 * Connects to a server with at most four connections, each made when it is needed.
 *
 * @param url `postgres://…`
 */
export function serverPostgres(url: string): Postgres {
  const pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 5000 })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the
  // process.
  pool.on('error', () => {})
  const { listen, committed } = commits()
  const on = (client: pg.Pool | pg.PoolClient): Sql => ({
    query: async <T>(sql: string, params: readonly SqlValue[] = []) =>
      (await client.query(sql, params as unknown[])).rows as T[],
  })
  return {
    ...on(pool),
    exec: async (sql) => {
      await pool.query(sql)
    },
    onCommit: listen,
    transaction: async (body) => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const result = await body(on(client))
        await client.query('commit')
        committed()
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

/**
 * Sends one message of PostgreSQL's own protocol and gives the whole messages that answer it.
 * What an answer tells to be committed survives what `synced` says before the answer is there.
 */
export type ProtocolExchange = (message: Uint8Array) => Promise<Buffer>

/** PGlite in this process. */
export interface EmbeddedPostgres extends Postgres {
  /**
   * Holds the one session that PGlite has while `body` runs: no statement of this process or of
   * another holder comes between its messages. `body` leaves no transaction open.
   */
  session: <T>(body: (exchange: ProtocolExchange) => Promise<T>) => Promise<T>
}

/**
 * PostgreSQL's own 128 MB would all be resident; control state is small, and the kernel keeps its
 * files in memory.
 */
const START_PARAMS = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB']

/**
 * Opens PGlite on a directory. PGlite takes no lock itself, and a second process would lose its
 * writes: a lock file that names the process guards the directory.
 *
 * @param synced called after every change; resolves once it survives power loss (PGlite itself
 *   syncs nothing)
 * @throws Error where a living process holds the directory
 */
export async function embeddedPostgres(
  path: string,
  synced: () => Promise<void> = async () => {},
): Promise<EmbeddedPostgres> {
  mkdirSync(path, { recursive: true })
  const unlock = lockFile(
    join(path, '..', 'postgres.lock'),
    (holder) =>
      `the control database ${path} is held by process ${holder}: stop it, or set PLUMBLINE_POSTGRES_URL`,
  )
  const db = await PGlite.create(path, { startParams: START_PARAMS })
  const { listen, committed } = commits()
  // It was made or recovered just now.
  await synced()
  const on = (target: Pick<PGlite, 'query'>): Sql => ({
    query: async <T>(sql: string, params: readonly SqlValue[] = []) =>
      (await target.query<T>(sql, params as unknown[])).rows,
  })
  return {
    session: (body) => db._runExclusiveTransaction(() => body(protocolOf(db, synced))),
    query: async <T>(sql: string, params: readonly SqlValue[] = []) => {
      const rows = await on(db).query<T>(sql, params)
      if (!READS.test(sql)) await synced()
      return rows
    },
    exec: async (sql) => {
      await db.exec(sql)
      await synced()
    },
    onCommit: listen,
    forgetLog: async () => {
      // A recycled file keeps its bytes until they are written over.
      await db.exec('set wal_recycle = off')
      try {
        for (let turn = 0; turn < 2; turn++) await db.exec('select pg_switch_wal(); checkpoint')
      } finally {
        await db.exec('reset wal_recycle')
      }
      await synced()
    },
    transaction: async (body) => {
      const result = await db.transaction((tx) => body(on(tx)))
      await synced()
      committed()
      return result
    },
    close: async () => {
      await db.close()
      // It has written its last checkpoint.
      await synced()
      unlock()
    },
  }
}

function protocolOf(db: PGlite, synced: () => Promise<void>): ProtocolExchange {
  return async (message) => {
    const answers: Uint8Array[] = []
    await db.runExclusive(() =>
      db.execProtocolRawStream(message, {
        // PGlite writes the next answer over this one.
        onRawData: (data) => void answers.push(data.slice()),
      }),
    )
    const answer = Buffer.concat(answers)
    if (readyState(answer) === 'I') await synced()
    return answer
  }
}

/** A statement that changes nothing. */
const READS = /^\s*(select|show)\b(?![\s\S]*\b(for\s+update|nextval|setval)\b)/i
