/** How a ClickHouse server is reached, from the settings and the file they name. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { clusterOf } from '../clickhouse/migrations.ts'
import type { ClusterNames, ServerOptions } from '../clickhouse/port.ts'
import { messageOf } from '../runtime/errors.ts'

const SETTINGS = [
  'PLUMBLINE_CLICKHOUSE_URL',
  'PLUMBLINE_CLICKHOUSE_USER',
  'PLUMBLINE_CLICKHOUSE_PASSWORD',
  'PLUMBLINE_CLICKHOUSE_CA_FILE',
  'PLUMBLINE_CLICKHOUSE_DATABASE',
  'PLUMBLINE_CLICKHOUSE_CLUSTER',
] as const

/** The settings that say how a server is reached. */
export type ClickHouseSettings = { [Name in (typeof SETTINGS)[number]]?: string | undefined }

const OF_A_SERVER = SETTINGS.slice(3)

/** Every problem of these settings, as sentences that name the setting. */
export function clickHouseProblems(config: ClickHouseSettings): string[] {
  const url = config.PLUMBLINE_CLICKHOUSE_URL
  if (url === undefined)
    return OF_A_SERVER.filter((name) => config[name] !== undefined).map(
      (name) => `${name} is for a server, and PLUMBLINE_CLICKHOUSE_URL is not set`,
    )
  if (config.PLUMBLINE_CLICKHOUSE_CA_FILE === undefined) return []
  if (!url.startsWith('https:'))
    return [
      'PLUMBLINE_CLICKHOUSE_CA_FILE is for TLS, and PLUMBLINE_CLICKHOUSE_URL is no https address',
    ]
  try {
    void new X509Certificate(readFileSync(config.PLUMBLINE_CLICKHOUSE_CA_FILE))
    return []
  } catch (error) {
    return [
      `PLUMBLINE_CLICKHOUSE_CA_FILE cannot be read as a certificate in PEM: ${messageOf(error)}`,
    ]
  }
}

/** The cluster that the settings name, with the database of its tables; undefined without one. */
export const clusterNames = (config: ClickHouseSettings): ClusterNames | undefined =>
  config.PLUMBLINE_CLICKHOUSE_CLUSTER === undefined
    ? undefined
    : {
        cluster: config.PLUMBLINE_CLICKHOUSE_CLUSTER,
        database: config.PLUMBLINE_CLICKHOUSE_DATABASE ?? 'default',
      }

/** What a connection to the server needs; the file is read once. */
export function clickHouseAccess(config: ClickHouseSettings): ServerOptions {
  const names = clusterNames(config)
  const caFile = config.PLUMBLINE_CLICKHOUSE_CA_FILE
  return {
    url: config.PLUMBLINE_CLICKHOUSE_URL!,
    username: config.PLUMBLINE_CLICKHOUSE_USER,
    password: config.PLUMBLINE_CLICKHOUSE_PASSWORD,
    database: config.PLUMBLINE_CLICKHOUSE_DATABASE,
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    cluster: names && clusterOf(names),
  }
}
