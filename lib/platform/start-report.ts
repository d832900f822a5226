/** What a start logs: where this process listens, and whom it calls. */
import type { Logger } from '../runtime/log.ts'
import type { Module } from '../runtime/modules.ts'
import type { PlatformConfig } from './platform-config.ts'

/** Where a process listens, once its modules have started. */
export interface ListeningParts {
  http: () => string
  /** The embedded ClickHouse's HTTP interface; undefined where there is none. */
  clickhouse: (() => string) | undefined
  /** Whether the embedded PostgreSQL is served. */
  servesPostgres: boolean
  /** Model files that were read. */
  models: number
  /** Source files that were read. */
  sources: number
}

/**
 * Logs once, as the last module that starts. Addresses are logged without the credentials they may
 * hold.
 */
export const startReport = (
  config: PlatformConfig,
  { http, clickhouse, servesPostgres, models, sources }: ListeningParts,
  log: Logger,
): Module => ({
  name: 'start report',
  start: async () => {
    log.info(
      {
        http: http(),
        ...(clickhouse ? { clickhouse: clickhouse() } : {}),
        ...(servesPostgres ? { postgres: `127.0.0.1:${config.PLUMBLINE_POSTGRES_PORT}` } : {}),
      },
      'listening',
    )
    log.info(
      {
        kafka: config.PLUMBLINE_KAFKA_BROKERS ?? 'none: the log is in process',
        clickhouse: hostOf(config.PLUMBLINE_CLICKHOUSE_URL) ?? 'embedded',
        postgres: hostOf(config.PLUMBLINE_POSTGRES_URL) ?? 'embedded',
        data_dir: config.PLUMBLINE_DATA_DIR,
        models_dir: config.PLUMBLINE_MODELS_DIR,
        models,
        sources_dir: config.PLUMBLINE_SOURCES_DIR,
        sources,
      },
      'using',
    )
  },
})

/** `host:port` of a URL; what cannot be read as one is not shown. */
function hostOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  return URL.canParse(url) ? new URL(url).host : 'an address that cannot be shown'
}
