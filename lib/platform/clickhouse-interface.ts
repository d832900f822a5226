/** The port by which analysts and Grafana query the embedded engine. */
import { randomBytes } from 'node:crypto'
import type { EmbeddedEngine } from '../clickhouse/embedded.ts'
import { secretIn } from '../disk/data-folder.ts'
import {
  clickHouseServer,
  type ClickHouseServer,
  type ClickHouseServerOptions,
} from '../sql-port/http-interface.ts'
import type { PlatformConfig } from './platform-config.ts'

/** Hosts that requests may name besides those of this machine. */
export const allowedHostsOf = ({ PLUMBLINE_ALLOWED_HOSTS: hosts = '' }: PlatformConfig) =>
  hosts.split(',').filter((host) => host !== '')

/** Makes the interface; whoever asks needs its password, or a key that may read. */
export function clickHouseInterface(
  engine: EmbeddedEngine,
  config: PlatformConfig,
  {
    dataDir,
    ...parts
  }: { dataDir: string } & Pick<
    ClickHouseServerOptions,
    'spool' | 'authenticate' | 'declared' | 'synced'
  >,
): ClickHouseServer {
  return clickHouseServer({
    engine,
    host: config.PLUMBLINE_CLICKHOUSE_HTTP_HOST,
    port: Math.max(0, config.PLUMBLINE_CLICKHOUSE_HTTP_PORT),
    username: config.PLUMBLINE_CLICKHOUSE_USER,
    password:
      config.PLUMBLINE_CLICKHOUSE_PASSWORD ??
      secretIn(dataDir, 'clickhouse.secret', () => randomBytes(32).toString('base64url')),
    ...parts,
    allowedHosts: allowedHostsOf(config),
  })
}
