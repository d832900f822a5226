/** The modules that start once all others have. */
import { addressOf, httpModule, type Http, type HttpOptions } from '../http/server.ts'
import type { LiveSources } from '../sources/live-sources.ts'
import type { LiveModels } from '../models/reload/live-models.ts'
import type { Logger } from '../runtime/log.ts'
import type { LiveReading } from '../runtime/reload/live-reading.ts'
import type { Module } from '../runtime/modules.ts'
import type { ClickHouseServer } from '../sql-port/http-interface.ts'
import type { PlatformConfig } from './platform-config.ts'
import { startReport } from './start-report.ts'
import type { PostgresParts } from './stores.ts'

/** The parts of {@link startedLast}. */
interface LastParts {
  log: Logger
  http: Http
  httpOptions: HttpOptions
  live: LiveModels
  sources: LiveSources
  prices: Pick<LiveReading<unknown>, 'watching'>
  stores: {
    sqlPort: Pick<ClickHouseServer, 'url'> | undefined
    postgresParts: Pick<PostgresParts, 'embedded'> | undefined
  }
}

/** What listens, says so, and looks after model files, once all else has started. */
export function startedLast(
  config: PlatformConfig,
  needs: { serveStores: boolean },
  { log, http, httpOptions, live, sources, prices, stores }: LastParts,
): Module[] {
  const listening = {
    http: () => addressOf(http),
    clickhouse: stores.sqlPort?.url,
    servesPostgres: needs.serveStores && stores.postgresParts?.embedded !== undefined,
    models: live.models.declared.length,
    sources: sources.inForce().sources.length,
  }
  return [
    httpModule(http, httpOptions),
    startReport(config, listening, log),
    ...[live.watching, sources.watching, prices.watching].filter((module) => module !== undefined),
  ]
}
