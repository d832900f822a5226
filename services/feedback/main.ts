/** Runs feedback alone: `node services/feedback/main.ts`. */
import { outboxModule } from '../../lib/postgres/outbox.ts'
import { runService } from '../../lib/platform/run-service.ts'
import { FeedbackConfig } from './config.ts'
import { feedback } from './module.ts'

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
    properties: FeedbackConfig.properties,
    needs,
    env: process.env,
    build: (deps, config) => [
      ...feedback(deps, config),
      outboxModule({ ...deps, clickhouse: deps.clickhouse('outbox') }, deps.log),
    ],
  }),
)
