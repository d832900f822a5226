/** Runs retrain-trigger alone: `node services/retrain-trigger/main.ts`. */
import { outboxModule } from '../../lib/postgres/outbox.ts'
import { runService } from '../../lib/platform/run-service.ts'
import { RetrainConfig } from './config.ts'
import { retrainTrigger } from './module.ts'

const needs = {
  stores: false,
  postgres: true,
  eventLog: true,
  serveStores: false,
  maxBodyBytes: 10 << 20,
  maxPendingBytes: 64 << 20,
}
process.exit(
  await runService({
    properties: RetrainConfig.properties,
    needs,
    env: process.env,
    build: (deps, config) => [
      ...retrainTrigger({ ...deps, environment: (name) => process.env[name] }, config),
      outboxModule({ ...deps, clickhouse: deps.clickhouse('outbox') }, deps.log),
    ],
  }),
)
