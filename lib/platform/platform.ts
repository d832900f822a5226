/** What services stand on, built once from the configuration. Services never see this type, only the parts they name. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { openAccess, readKeyFile } from '../http/api-keys.ts'
import { avroReader } from '../events/avro/confluent-wire-format.ts'
import { serverEngine, type ClickHouse, type ClickHouseEngine } from '../clickhouse/port.ts'
import { embeddedEngine, type EmbeddedEngine } from '../clickhouse/embedded.ts'
import { migrateClickHouse, verifyClickHouse } from '../clickhouse/migrations.ts'
import {
  clickHouseServer,
  type ClickHouseServer,
  type ClickHouseServerOptions,
} from '../sql-port/http-interface.ts'
import { backoffMs, sleep, systemClock, type Clock } from '../runtime/clock.ts'
import { ConfigError } from '../runtime/config.ts'
import { makeDataFolder, secretIn } from '../disk/data-folder.ts'
import { diskSpace, type DiskProblem } from '../disk/free-space.ts'
import { messageOf } from '../runtime/errors.ts'
import type { EventLog } from '../event-log/port.ts'
import { fileSystemSync } from '../disk/file-system-sync.ts'
import { addressOf, createHttp, httpModule, type Http, type HttpOptions } from '../http/server.ts'
import { createLog, type Logger } from '../runtime/log.ts'
import { messageReader } from '../events/decode-message.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { readModels, type Models } from '../models/model-files.ts'
import type { Module, Readiness } from '../runtime/modules.ts'
import { openEventLog } from './open-event-log.ts'
import { registryAccess } from './registry-access.ts'
import type { PlatformConfig } from './platform-config.ts'
import { startReport } from './start-report.ts'
import {
  embeddedPostgres,
  migratePostgres,
  serverPostgres,
  type EmbeddedPostgres,
  type Postgres,
} from '../postgres/port.ts'
import { postgresFront } from '../postgres/password-front.ts'
import { schemaRegistry } from '../events/avro/schema-registry.ts'
import type { SinkParts } from '../sink/sink.ts'
import { createSpool } from '../clickhouse/spool.ts'

export interface Needs {
  /** Owns the stores: migrates them, and may embed them. */
  stores: boolean
  postgres: boolean
  eventLog: boolean
  /** Serves the embedded stores to other processes. */
  serveStores: boolean
  maxBodyBytes: number
  maxPendingBytes: number
}

export interface Platform {
  log: Logger
  metrics: Metrics
  readiness: Readiness
  http: Http
  models: Models
  now: Clock
  /** What every sink needs besides its mapping. */
  sinkParts: SinkParts
  clickhouse: (role: string) => ClickHouse
  eventLog: EventLog
  postgres: Postgres
  /** Signs webhooks where the environment gives no key; made once in the data folder. */
  webhookSecret: () => string
  /** Started before the services. */
  before: readonly Module[]
  /** Started after them, and stopped first. */
  after: readonly Module[]
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1'])

/** @throws {ConfigError} for what only shows when values are looked at together */
export function checkPlatformConfig(config: PlatformConfig, needs: Needs): void {
  const problems = [...registryProblems(config)]
  if (!config.PLUMBLINE_AUTH_FILE && !LOOPBACK.has(config.PLUMBLINE_HTTP_HOST))
    problems.push(
      `PLUMBLINE_HTTP_HOST ${config.PLUMBLINE_HTTP_HOST} is not loopback: set PLUMBLINE_AUTH_FILE`,
    )
  if (needs.postgres && !needs.stores && !config.PLUMBLINE_POSTGRES_URL)
    problems.push(
      'PLUMBLINE_POSTGRES_URL is required: a separately started service cannot share an embedded database',
    )
  if (!needs.stores && !config.PLUMBLINE_CLICKHOUSE_URL)
    problems.push(
      'PLUMBLINE_CLICKHOUSE_URL is required: a separately started service cannot share an embedded engine',
    )
  if (problems.length > 0) throw new ConfigError(problems)
}

function registryProblems(config: PlatformConfig): readonly string[] {
  try {
    registryAccess(config)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

export async function createPlatform(config: PlatformConfig, needs: Needs): Promise<Platform> {
  checkPlatformConfig(config, needs)
  const models = readModels(config.PLUMBLINE_MODELS_DIR)
  const authenticate = config.PLUMBLINE_AUTH_FILE
    ? readKeyFile(config.PLUMBLINE_AUTH_FILE)
    : openAccess
  const log = createLog(config.PLUMBLINE_LOG_LEVEL)
  const metrics = createMetrics()
  const readiness: Readiness = { started: false, stopping: false }
  const dataDir = resolve(config.PLUMBLINE_DATA_DIR)
  makeDataFolder(dataDir)
  const spoolDir = config.PLUMBLINE_SPOOL_DIR ?? join(dataDir, 'spool')
  const spool = createSpool(spoolDir, config.PLUMBLINE_DURABLE)
  const diskProblem = diskSpace({
    folders: config.PLUMBLINE_SPOOL_DIR ? [dataDir, spoolDir] : [dataDir],
    minFreeBytes: config.PLUMBLINE_MIN_FREE_BYTES,
    now: systemClock,
  })

  const embedded = config.PLUMBLINE_CLICKHOUSE_URL
    ? undefined
    : embeddedEngine(join(dataDir, 'clickhouse'))
  const engine: ClickHouseEngine =
    embedded ??
    serverEngine({
      url: config.PLUMBLINE_CLICKHOUSE_URL!,
      username: config.PLUMBLINE_CLICKHOUSE_USER,
      password: config.PLUMBLINE_CLICKHOUSE_PASSWORD,
    })
  // A server syncs its own files; those of the embedded stores are ours to sync.
  const synced =
    config.PLUMBLINE_DURABLE === 'fsync' && (needs.stores || needs.serveStores)
      ? fileSystemSync(dataDir)
      : undefined
  const eventLog = openEventLog(config, needs, { dataDir, diskProblem, log, metrics })
  // Its lock is the kernel's and holds between containers too; that of the control database knows the processes it sees.
  if (needs.stores) embedded?.open()
  const postgresParts =
    needs.postgres || needs.serveStores ? await openPostgres(config, dataDir, synced) : undefined
  const interfaceOf =
    embedded && config.PLUMBLINE_CLICKHOUSE_HTTP_PORT !== 0
      ? clickHouseInterface(embedded, config, { dataDir, spool, authenticate, synced })
      : undefined

  const checks = checksOf(engine, eventLog, { diskProblem, postgres: postgresParts?.postgres })
  const httpOptions: HttpOptions = {
    host: config.PLUMBLINE_HTTP_HOST,
    port: config.PLUMBLINE_HTTP_PORT,
    allowedHosts: allowedHostsOf(config),
    maxBodyBytes: needs.maxBodyBytes,
    maxPendingBytes: needs.maxPendingBytes,
    log,
    registry: metrics.registry,
    readiness,
    checks,
    authenticate,
    synced,
  }
  const http = await createHttp(httpOptions)
  return {
    log,
    metrics,
    readiness,
    http,
    models,
    now: systemClock,
    sinkParts: {
      reader: messageReader(
        config.PLUMBLINE_SCHEMA_REGISTRY_URL
          ? avroReader(schemaRegistry(config.PLUMBLINE_SCHEMA_REGISTRY_URL, registryAccess(config)))
          : undefined,
      ),
      duplicateHorizon: config.PLUMBLINE_DUPLICATE_HORIZON,
      spool,
      eventLog,
      metrics,
      now: systemClock,
      synced: embedded && synced,
    },
    clickhouse: (role) => engine.connect(role),
    eventLog,
    postgres: postgresParts?.postgres ?? absentPostgres,
    webhookSecret: () =>
      secretIn(dataDir, 'webhook.secret', () => `whsec_${randomBytes(32).toString('base64')}`),
    before: [
      clickHouseModule(engine, needs.stores, log),
      ...(postgresParts ? [postgresModule(postgresParts, config, needs, log)] : []),
      ...(interfaceOf ? [interfaceOf.module] : []),
      ...(needs.eventLog ? [eventLog.module] : []),
    ],
    after: [
      httpModule(http, httpOptions),
      startReport(
        config,
        {
          http: () => addressOf(http),
          clickhouse: interfaceOf?.url,
          servesPostgres: needs.serveStores && postgresParts?.embedded !== undefined,
          models: models.declared.length,
        },
        log,
      ),
    ],
  }
}

/** What `/health/ready` asks, by name: each check rejects where its part cannot serve. */
function checksOf(
  engine: ClickHouseEngine,
  eventLog: EventLog,
  { diskProblem, postgres }: { diskProblem: DiskProblem; postgres: Postgres | undefined },
): Map<string, () => Promise<unknown>> {
  const checks = new Map<string, () => Promise<unknown>>([
    ['clickhouse', pingOf(engine)],
    ['disk', () => enough(diskProblem)],
  ])
  if (eventLog.kind === 'kafka') checks.set('kafka', () => eventLog.check())
  if (postgres) checks.set('postgres', () => postgres.query('select 1'))
  return checks
}

/** @throws Error with the sentence of what has no room */
async function enough(problem: DiskProblem): Promise<void> {
  const told = await problem()
  if (told) throw new Error(told)
}

const START_ATTEMPTS = 20

/** A server that is not up yet is waited for, about two minutes; what it answers once it is up counts at once. */
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

const absentPostgres = new Proxy({} as Postgres, {
  get: () => {
    throw new Error('this target has no control database')
  },
})

function pingOf(engine: ClickHouseEngine): () => Promise<unknown> {
  let connection: ClickHouse | undefined
  return () => (connection ??= engine.connect('health')).query('SELECT 1')
}

function clickHouseModule(engine: ClickHouseEngine, owns: boolean, log: Logger): Module {
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

interface PostgresParts {
  postgres: Postgres
  embedded: EmbeddedPostgres | undefined
}

async function openPostgres(
  config: PlatformConfig,
  dataDir: string,
  synced: (() => Promise<void>) | undefined,
): Promise<PostgresParts> {
  if (config.PLUMBLINE_POSTGRES_URL)
    return { postgres: serverPostgres(config.PLUMBLINE_POSTGRES_URL), embedded: undefined }
  const embedded = await embeddedPostgres(join(dataDir, 'postgres'), synced)
  return { postgres: embedded, embedded }
}

function postgresModule(
  { postgres, embedded }: PostgresParts,
  config: PlatformConfig,
  needs: Needs,
  log: Logger,
): Module {
  let served: { stop: () => Promise<void> } | undefined
  return {
    name: 'postgres',
    start: async () => {
      await reachable('postgres', log, async () => {
        if (needs.stores) await migratePostgres(postgres)
        else await postgres.query('select 1')
      })
      if (!needs.serveStores || !embedded) return
      served = await servePostgres(embedded, config)
    },
    stop: async () => {
      await served?.stop()
      await postgres.close()
    },
  }
}

const POSTGRES_CONNECTIONS = 16

/** PGlite on a socket that only this user can reach, and before it the port, which asks for the password. */
async function servePostgres(
  embedded: EmbeddedPostgres,
  config: PlatformConfig,
): Promise<{ stop: () => Promise<void> }> {
  // In the folder for temporary files, since the path of a socket has at most 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-postgres-'))
  const path = join(folder, 'socket')
  const inner = new PGLiteSocketServer({
    db: embedded.db,
    path,
    maxConnections: POSTGRES_CONNECTIONS,
  })
  await inner.start()
  const front = postgresFront({
    host: '127.0.0.1',
    port: config.PLUMBLINE_POSTGRES_PORT,
    password: secretIn(resolve(config.PLUMBLINE_DATA_DIR), 'postgres.secret', () =>
      randomBytes(32).toString('base64url'),
    ),
    upstream: path,
    maxConnections: POSTGRES_CONNECTIONS,
  })
  await front.start()
  return {
    stop: async () => {
      await front.stop()
      await inner.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const allowedHostsOf = ({ PLUMBLINE_ALLOWED_HOSTS: hosts = '' }: PlatformConfig) =>
  hosts.split(',').filter((host) => host !== '')

function clickHouseInterface(
  engine: EmbeddedEngine,
  config: PlatformConfig,
  {
    dataDir,
    ...parts
  }: { dataDir: string } & Pick<ClickHouseServerOptions, 'spool' | 'authenticate' | 'synced'>,
): ClickHouseServer {
  return clickHouseServer({
    engine,
    host: '127.0.0.1',
    port: Math.max(0, config.PLUMBLINE_CLICKHOUSE_HTTP_PORT),
    username: config.PLUMBLINE_CLICKHOUSE_USER,
    password:
      config.PLUMBLINE_CLICKHOUSE_PASSWORD ??
      secretIn(dataDir, 'clickhouse.secret', () => randomBytes(32).toString('base64url')),
    ...parts,
    allowedHosts: allowedHostsOf(config),
  })
}
