/**
 * The platform under the services, built once from the configuration. Services never see its type,
 * only the parts they name.
 */
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Authenticate, GrantsOf } from '../http/api-keys.ts'
import { avroReader } from '../events/avro/confluent-wire-format.ts'
import { serverEngine, type ClickHouse, type ClickHouseEngine } from '../clickhouse/port.ts'
import { embeddedEngine, type EmbeddedEngine } from '../clickhouse/embedded.ts'
import type { ClickHouseServer } from '../sql-port/http-interface.ts'
import { clickHouseAccess } from './clickhouse-access.ts'
import { allowedHostsOf, clickHouseInterface } from './clickhouse-interface.ts'
import { systemClock, type Clock } from '../runtime/clock.ts'
import { makeDataFolder, secretIn } from '../disk/data-folder.ts'
import { diskSpace, type DiskProblem } from '../disk/free-space.ts'
import type { EventLog } from '../event-log/port.ts'
import { fileSystemSync } from '../disk/file-system-sync.ts'
import { createHttp, showCertificate, type Http, type HttpOptions } from '../http/server.ts'
import { trustedProxiesOf } from '../http/limits/addresses.ts'
import { ratesOf } from '../http/limits/rate-limits.ts'
import { createLog, type Logger } from '../runtime/log.ts'
import { messageReader } from '../events/decode-message.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import type { ModelFolder } from '../models/reload/live-models.ts'
import type { Models } from '../models/model-files.ts'
import type { Privacy } from '../events/privacy/redactor.ts'
import { privacyOf } from './privacy-key.ts'
import type { Module, Readiness } from '../runtime/modules.ts'
import { callersOf, grantedModels, loginOf } from './known-callers.ts'
import { journalFolderOf, openEventLog } from './open-event-log.ts'
import { tellExpiries } from './in-force/certificate-expiry.ts'
import { liveCertificate } from './in-force/live-certificate.ts'
import { registryAccess } from './registry-access.ts'
import { checkPlatformConfig, type Needs } from './check-config.ts'
import type { PlatformConfig } from './platform-config.ts'
import { checksOf } from './readiness-checks.ts'
import type { PriceTable } from '../models/derived/price-table.ts'
import type { LiveReading } from '../runtime/reload/live-reading.ts'
import { inForceOf, liveModelsOf, livePricesOf, liveSourcesOf } from './in-force/in-force.ts'
import { startedLast } from './started-last.ts'
import type { LiveSources } from '../sources/live-sources.ts'
import type { Postgres } from '../postgres/port.ts'
import {
  absentPostgres,
  clickHouseModule,
  openPostgres,
  postgresModule,
  type PostgresParts,
} from './stores.ts'
import { schemaRegistry } from '../events/avro/schema-registry.ts'
import type { SinkParts } from '../sink/sink.ts'
import { createSpool, type Spool } from '../clickhouse/spool.ts'

/** The parts that services are wired with. */
export interface Platform {
  log: Logger
  metrics: Metrics
  readiness: Readiness
  http: Http
  /** What people with keys may do; undefined where there are no keys. */
  grantsOf: GrantsOf | undefined
  models: Models
  /** The model files in force. */
  modelFiles: () => ModelFolder
  sources: LiveSources
  prices: LiveReading<PriceTable>
  /** What model files take out of events. */
  privacy: Privacy
  now: Clock
  /** What every sink needs besides its mapping. */
  sinkParts: SinkParts
  clickhouse: (role: string) => ClickHouse
  eventLog: EventLog
  postgres: Postgres
  /** Where the log in process keeps the ranges in hand. */
  journalFolder: string
  /** Signs webhooks where the environment gives no key; made once in the data folder. */
  webhookSecret: () => string
  /** Started before the services. */
  before: readonly Module[]
  /** Started after them, and stopped first. */
  after: readonly Module[]
  /** Reads the model files, the source files, the prices, the certificate and what listens anew. */
  reload: () => void
  /** Has a function called with every `reload`. */
  onReload: (listener: () => void) => void
}

/**
 * Builds the parts that a target needs. Nothing listens yet: the modules `before` and `after` are
 * started by the caller.
 *
 * @throws {ConfigError} for a configuration that cannot work
 */
export async function createPlatform(config: PlatformConfig, needs: Needs): Promise<Platform> {
  checkPlatformConfig(config, needs)
  const base = baseOf(config)
  const sources = liveSourcesOf(config, base)
  const live = liveModelsOf(config, base)
  const prices = livePricesOf(config, base)
  const privacy = privacyOf(config, live.models)
  const tls = liveCertificate(config, base.log, systemClock)
  const { log, metrics, dataDir, diskProblem, authenticate } = base
  tellExpiries(config, {
    registry: metrics.registry,
    ofServer: () => tls.inForce()?.validTo,
    now: systemClock,
  })
  const stores = await openStores(config, needs, base, live.models)
  const { engine, eventLog, postgresParts, synced } = stores
  const readiness: Readiness = { started: false, stopping: false }
  const httpOptions: HttpOptions = {
    host: config.PLUMBLINE_HTTP_HOST,
    port: config.PLUMBLINE_HTTP_PORT,
    certificate: tls.begin,
    allowedHosts: allowedHostsOf(config),
    maxBodyBytes: needs.maxBodyBytes,
    maxPendingBytes: needs.maxPendingBytes,
    trustedProxies: trustedProxiesOf(config.PLUMBLINE_TRUSTED_PROXIES),
    rates: ratesOf(config),
    log,
    registry: metrics.registry,
    readiness,
    waiting: eventLog.waiting,
    checks: checksOf(engine, eventLog, { diskProblem, postgres: postgresParts?.postgres }),
    authenticate,
    declared: () => grantedModels(live.models),
    login: loginOf(config),
    synced,
    inForce: () => inForceOf(config, { models: live, sources, prices, certificate: tls }),
  }
  const http = await createHttp(httpOptions)
  const reloaded: (() => void)[] = []
  return {
    log,
    metrics,
    readiness,
    http,
    grantsOf: authenticate.grantsOf,
    models: live.models,
    reload: () => {
      live.reload()
      sources.reload()
      prices.reload()
      tls.reload((certificate) => showCertificate(http, certificate))
      for (const listener of reloaded) listener()
    },
    onReload: (listener) => void reloaded.push(listener),
    modelFiles: live.inForce,
    sources,
    prices,
    privacy,
    now: systemClock,
    sinkParts: sinkPartsOf(config, base, stores),
    clickhouse: (role) => engine.connect(role),
    eventLog,
    postgres: postgresParts?.postgres ?? absentPostgres,
    journalFolder: journalFolderOf(dataDir),
    webhookSecret: () =>
      secretIn(dataDir, 'webhook.secret', () => `whsec_${randomBytes(32).toString('base64')}`),
    before: modulesOf(config, needs, base, stores),
    after: startedLast(config, needs, {
      ...base,
      http,
      httpOptions,
      live,
      sources,
      prices,
      stores,
    }),
  }
}

/** Opens what is stored in; the files of the embedded ones are taken here. */
async function openStores(
  config: PlatformConfig,
  needs: Needs,
  base: Base,
  models: Models,
): Promise<Stores> {
  const { dataDir, spoolDir, diskProblem, log, metrics } = base
  const embedded = config.PLUMBLINE_CLICKHOUSE_URL
    ? undefined
    : embeddedEngine(join(dataDir, 'clickhouse'), join(spoolDir, 'blocks'))
  const engine: ClickHouseEngine = embedded ?? serverEngine(clickHouseAccess(config))
  // A server syncs its own files; those of the embedded stores are ours to sync.
  const synced =
    config.PLUMBLINE_DURABLE === 'fsync' && (needs.stores || needs.serveStores)
      ? fileSystemSync(dataDir)
      : undefined
  const eventLog = openEventLog(config, needs, { dataDir, diskProblem, log, metrics })
  // ClickHouse's lock is the kernel's and holds between containers too; that of the control
  // database knows the processes it sees.
  if (needs.stores) embedded?.open()
  const postgresParts =
    needs.postgres || needs.serveStores ? await openPostgres(config, dataDir, synced) : undefined
  const sqlPort =
    embedded && config.PLUMBLINE_CLICKHOUSE_HTTP_PORT !== 0
      ? clickHouseInterface(embedded, config, {
          ...base,
          declared: () => grantedModels(models),
          synced,
        })
      : undefined
  return { engine, embedded, sqlPort, postgresParts, eventLog, synced }
}

/** What needs no store. */
interface Base {
  log: Logger
  metrics: Metrics
  /** Absolute; made where it was not there. */
  dataDir: string
  spoolDir: string
  spool: Spool
  diskProblem: DiskProblem
  authenticate: Authenticate
}

function baseOf(config: PlatformConfig): Base {
  const dataDir = resolve(config.PLUMBLINE_DATA_DIR)
  makeDataFolder(dataDir)
  const spoolDir = config.PLUMBLINE_SPOOL_DIR ?? join(dataDir, 'spool')
  const metrics = createMetrics()
  const log = createLog(config.PLUMBLINE_LOG_LEVEL)
  const { registry } = metrics
  return {
    authenticate: callersOf(config, { registry, log, dataDir, now: systemClock }),
    log,
    metrics,
    dataDir,
    spoolDir,
    spool: createSpool(spoolDir, config.PLUMBLINE_DURABLE),
    diskProblem: diskSpace({
      folders: config.PLUMBLINE_SPOOL_DIR ? [dataDir, spoolDir] : [dataDir],
      minFreeBytes: config.PLUMBLINE_MIN_FREE_BYTES,
      now: systemClock,
    }),
  }
}

/** The stores and the log, opened and not yet started. */
interface Stores {
  engine: ClickHouseEngine
  /** The engine itself, where it is embedded in this process. */
  embedded: EmbeddedEngine | undefined
  /** The embedded engine's own HTTP interface, unless it is turned off. */
  sqlPort: ClickHouseServer | undefined
  postgresParts: PostgresParts | undefined
  eventLog: EventLog
  /** Resolves once all that was written before survives power loss. */
  synced: (() => Promise<void>) | undefined
}

function sinkPartsOf(
  config: PlatformConfig,
  { spool, metrics }: Base,
  { eventLog, embedded, synced }: Stores,
): SinkParts {
  const registryUrl = config.PLUMBLINE_SCHEMA_REGISTRY_URL
  return {
    reader: messageReader(
      registryUrl ? avroReader(schemaRegistry(registryUrl, registryAccess(config))) : undefined,
    ),
    duplicateHorizon: config.PLUMBLINE_DUPLICATE_HORIZON,
    spool,
    eventLog,
    metrics,
    now: systemClock,
    synced: embedded && synced,
  }
}

/** The modules of the stores and the log, in the order in which they start. */
function modulesOf(
  config: PlatformConfig,
  needs: Needs,
  { log }: Base,
  { engine, sqlPort, postgresParts, eventLog }: Stores,
): Module[] {
  const modules = [clickHouseModule(engine, needs.stores, log)]
  if (postgresParts) modules.push(postgresModule(postgresParts, config, needs, log))
  if (sqlPort) modules.push(sqlPort.module)
  if (needs.eventLog) modules.push(eventLog.module)
  return modules
}
