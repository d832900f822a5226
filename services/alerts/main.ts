/** Runs alerts alone: `node services/alerts/main.ts`. */
import { OutgoingConfig } from '../../lib/http/outgoing/outgoing-config.ts'
import { outboxModule } from '../../lib/postgres/outbox.ts'
import { runService } from '../../lib/platform/run-service.ts'
import { AlertsConfig } from './config.ts'
import { alerts } from './module.ts'

const needs = {
  stores: false,
  postgres: true,
  eventLog: true,
  serveStores: false,
  maxBodyBytes: 1 << 20,
  maxPendingBytes: 64 << 20,
}
process.exit(
  await runService({
    properties: { ...OutgoingConfig.properties, ...AlertsConfig.properties },
    needs,
    env: process.env,
    build: (deps, config) => [
      ...alerts({ ...deps, environment: (name) => process.env[name] }, config),
      outboxModule({ ...deps, clickhouse: deps.clickhouse('outbox') }, deps.log),
    ],
  }),
)
