/** Runs drift alone: `node services/drift/main.ts`. */
import { runService } from '../../lib/platform/run-service.ts'
import { DriftConfig } from './config.ts'
import { drift } from './module.ts'

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
    properties: DriftConfig.properties,
    needs,
    env: process.env,
    build: (deps, config) => drift(deps, config),
  }),
)
