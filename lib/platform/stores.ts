/** The two stores as modules: embedded ones are opened and served here, servers are waited for. */
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { migrateClickHouse, verifyClickHouse } from '../clickhouse/migrations.ts'
import type { ClickHouse, ClickHouseEngine } from '../clickhouse/port.ts'
import { secretIn } from '../disk/data-folder.ts'
import { serveConnection } from '../postgres/embedded-connections.ts'
import { postgresFront } from '../postgres/password-front.ts'
import { migratePostgres, verifyPostgres } from '../postgres/migrations.ts'
import {
  embeddedPostgres,
  serverPostgres,
  type EmbeddedPostgres,
  type Postgres,
} from '../postgres/port.ts'
import { backoffMs, sleep } from '../runtime/clock.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Logger } from '../runtime/log.ts'
import type { Module } from '../runtime/modules.ts'
import type { PlatformConfig } from './platform-config.ts'

const START_ATTEMPTS = 20

/**
 * Waits about two minutes for a server that is not up yet; what it answers once it is up counts at
 * once.
 */
async function reachable(server: string, log: Logger, ask: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      const away = /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|timeout/i.test(
        messageOf(error),
      )
      if (!away || attempt === START_ATTEMPTS) throw error
      log.warn(
        { server, attempt, error: messageOf(error) },
        'server cannot be reached, trying again',
      )
      await sleep(backoffMs(attempt))
    }
  }
}

/** Stands for the control database of a target that has none. @throws Error at every use */
export const absentPostgres = new Proxy({} as Postgres, {
  get: () => {
    throw new Error('this target has no control database')
  },
})

/** A check that a query of ClickHouse is answered. */
export function pingOf(engine: ClickHouseEngine): () => Promise<unknown> {
  let connection: ClickHouse | undefined
  return () => (connection ??= engine.connect('health')).query('SELECT 1')
}

/** @param owns whether this process migrates the tables, or only verifies them */
export function clickHouseModule(engine: ClickHouseEngine, owns: boolean, log: Logger): Module {
  return {
    name: 'clickhouse',
    start: async () => {
      const db = engine.connect('migrate')
      await reachable('clickhouse', log, async () => {
        if (!owns) return verifyClickHouse(db)
        const applied = await migrateClickHouse(db)
        if (applied.length > 0) log.info({ applied }, 'clickhouse migrated')
      })
    },
    stop: () => engine.close(),
  }
}

/** The control database, and the same as the embedded engine where it is one. */
export interface PostgresParts {
  postgres: Postgres
  embedded: EmbeddedPostgres | undefined
}

/** @param synced resolves once what was written before survives power loss; embedded only */
export async function openPostgres(
  config: PlatformConfig,
  dataDir: string,
  synced: (() => Promise<void>) | undefined,
): Promise<PostgresParts> {
  if (config.PLUMBLINE_POSTGRES_URL)
    return { postgres: serverPostgres(config.PLUMBLINE_POSTGRES_URL), embedded: undefined }
  const embedded = await embeddedPostgres(join(dataDir, 'postgres'), synced)
  return { postgres: embedded, embedded }
}

/**
 * Migrates the control database where this process owns it, and serves an embedded one where others
 * need it.
 */
export function postgresModule(
  { postgres, embedded }: PostgresParts,
  config: PlatformConfig,
  needs: { stores: boolean; serveStores: boolean },
  log: Logger,
): Module {
  let served: { stop: () => Promise<void> } | undefined
  return {
    name: 'postgres',
    start: async () => {
      await reachable('postgres', log, async () => {
        if (needs.stores) await migratePostgres(postgres)
        else await verifyPostgres(postgres)
      })
      if (!needs.serveStores || !embedded) return
      served = await servePostgres(embedded, config, log)
    },
    stop: async () => {
      await served?.stop()
      await postgres.close()
    },
  }
}

const POSTGRES_CONNECTIONS = 16

/** Serves PGlite on a port of this machine that asks for the password. */
async function servePostgres(
  embedded: EmbeddedPostgres,
  config: PlatformConfig,
  log: Logger,
): Promise<{ stop: () => Promise<void> }> {
  const front = postgresFront({
    host: '127.0.0.1',
    port: config.PLUMBLINE_POSTGRES_PORT,
    password: secretIn(resolve(config.PLUMBLINE_DATA_DIR), 'postgres.secret', () =>
      randomBytes(32).toString('base64url'),
    ),
    serve: (socket, first) =>
      serveConnection(embedded, socket, first).catch((error: unknown) =>
        log.error({ error: messageOf(error) }, 'a connection to the control database failed'),
      ),
    maxConnections: POSTGRES_CONNECTIONS,
  })
  await front.start()
  return front
}
