/** The embedded engine's own HTTP interface, from the settings. */
import { randomBytes } from 'node:crypto'
import type { EmbeddedEngine } from '../clickhouse/embedded.ts'
import { secretIn } from '../disk/data-folder.ts'
import {
  clickHouseServer,
  type ClickHouseServer,
  type ClickHouseServerOptions,
} from '../sql-port/http-interface.ts'
import type { PlatformConfig } from './platform-config.ts'

/** Names besides its own that a request to either port may be addressed to. */
export const allowedHostsOf = ({ PLUMBLINE_ALLOWED_HOSTS: hosts = '' }: PlatformConfig) =>
  hosts.split(',').filter((host) => host !== '')

/** Builds the interface on loopback, with a secret of the data folder where none is set. */
export function clickHouseInterface(
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
