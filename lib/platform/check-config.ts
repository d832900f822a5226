/** What a target needs of the platform, and whether a configuration can give it. */
import { trustedProxiesOf } from '../http/limits/addresses.ts'
import { readServerCertificate } from '../http/server-certificate.ts'
import { systemClock } from '../runtime/clock.ts'
import { readPrices } from '../models/derived/live-prices.ts'
import { ConfigError } from '../runtime/config.ts'
import { clickHouseProblems } from './clickhouse-access.ts'
import { kafkaProblems } from './kafka-security.ts'
import { callerProblems } from './known-callers.ts'
import type { PlatformConfig } from './platform-config.ts'
import { registryAccess } from './registry-access.ts'

/** What a target needs of the platform. */
export interface Needs {
  /** Owns the stores: migrates them, and may embed them. */
  stores: boolean
  /** Uses the control database. */
  postgres: boolean
  /** Reads or writes events. */
  eventLog: boolean
  /** Serves the embedded stores to other processes. */
  serveStores: boolean
  /** Bytes of one request's body. */
  maxBodyBytes: number
  /** Bytes of all requests in hand. */
  maxPendingBytes: number
}

/** @throws {ConfigError} for what only shows when values are looked at together */
export function checkPlatformConfig(config: PlatformConfig, needs: Needs): void {
  const problems = [
    ...problemsOf(() => registryAccess(config)),
    ...problemsOf(() => readServerCertificate(config, systemClock())),
    ...problemsOf(() => trustedProxiesOf(config.PLUMBLINE_TRUSTED_PROXIES)),
    ...problemsOf(() => readPrices(config.PLUMBLINE_PRICES_FILE)),
    ...callerProblems(config),
    ...clickHouseProblems(config),
  ]
  if (needs.postgres && !needs.stores && !config.PLUMBLINE_POSTGRES_URL)
    problems.push(
      'PLUMBLINE_POSTGRES_URL is required: a separately started service cannot share an embedded database',
    )
  if (!needs.stores && !config.PLUMBLINE_CLICKHOUSE_URL)
    problems.push(
      'PLUMBLINE_CLICKHOUSE_URL is required: a separately started service cannot share an embedded engine',
    )
  if (needs.eventLog) for (const problem of kafkaProblems(config)) problems.push(problem)
  if (problems.length > 0) throw new ConfigError(problems)
}

function problemsOf(check: () => unknown): readonly string[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
