/** Runs ingest alone: `node services/ingest/main.ts`. */
import { runService } from '../../lib/platform/run-service.ts'
import { IngestConfig } from './config.ts'
import { ingest } from './module.ts'

const needs = {
  stores: false,
  postgres: false,
  eventLog: true,
  serveStores: false,
  maxBodyBytes: 10 << 20,
  maxPendingBytes: 64 << 20,
}
process.exit(
  await runService({
    properties: IngestConfig.properties,
    needs,
    env: process.env,
    build: (deps, config) => ingest(deps, config),
  }),
)
