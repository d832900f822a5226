import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import type { EventLog } from '../../lib/event-log/port.ts'
import { guardedFetch } from '../../lib/http/outgoing/guarded-fetch.ts'
import { allowedAddresses } from '../../lib/http/outgoing/outgoing-config.ts'
import { linkKeysOf } from '../../lib/http/links/link-keys.ts'
import type { GrantsOf } from '../../lib/http/api-keys.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import type { Models } from '../../lib/models/model-files.ts'
import { asGranted } from '../../lib/models/ownership.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import type { Postgres } from '../../lib/postgres/port.ts'
import { TOPICS } from '../../schemas/topics.ts'
import type { RetrainConfig } from './config.ts'
import { launchOfRun } from './decide/policies.ts'
import { linkCounter } from './http/link-routes.ts'
import { retrainRoutes } from './http/routes.ts'
import { launcher } from './launchers/launch.ts'
import { askSoon, deciding, decidingModules, wake } from './loop/decision-loop.ts'
import { followJobs } from './loop/follow-jobs.ts'
import { outcomesModule } from './loop/outcomes.ts'
import { policyEngine } from './loop/policies.ts'
import { policyFailures } from './loop/policy-failures.ts'
import { gaugeRuns } from './loop/run-metrics.ts'
import { schedulesModule } from './loop/schedules.ts'
import { lapsesModule } from './loop/lapses.ts'
import { datasetReader } from './queries/dataset.ts'
import type { Ledger } from './queries/ledger.ts'
import { policyQueries } from './queries/policy-queries.ts'

/** What the service takes from the process it runs in. */
export interface RetrainDeps {
  http: Http
  /** What people with keys may do; undefined where there are no keys. */
  grantsOf: GrantsOf | undefined
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  postgres: Postgres
  models: Models
  metrics: Metrics
  log: Logger
  now: () => number
  webhookSecret: () => string
  /**
   * The value of a variable that a launch names as `secret://env/NAME`; undefined where it is not
   * set.
   */
  environment: (name: string) => string | undefined
  /** Where the HTTP server listens, once it does. */
  address: () => string
}

/** Policies -> runs -> jobs; alerts in; the audit log. */
export function retrainTrigger(deps: RetrainDeps, config: RetrainConfig): Module[] {
  const { log, now, postgres } = deps
  const ledger: Ledger = { postgres, now }
  const db = deps.clickhouse('retrain-trigger')
  const queries = policyQueries(db)
  const readDataset = datasetReader(db)
  const engine = policyEngine(deps.models, { queries, ledger })
  const secret = config.PLUMBLINE_WEBHOOK_SECRET ?? deps.webhookSecret()
  const jobs = launcher({
    ledger,
    log,
    secret,
    publicUrl: () => config.PLUMBLINE_PUBLIC_URL ?? deps.address(),
    allowsCommands: config.PLUMBLINE_ALLOW_COMMANDS === 'on',
    environment: deps.environment,
    fetch: guardedFetch(allowedAddresses(config)),
    readDataset,
    random: Math.random,
  })
  const loop = deciding({ engine, jobs, log, failed: policyFailures(deps.metrics, log) })
  gaugeRuns(deps.metrics, ledger)
  const rights = {
    grantsOf: deps.grantsOf,
    modelOf: (modelId: string) => asGranted(deps.models.get(modelId)),
  }
  retrainRoutes(deps.http, {
    engine,
    readDataset,
    rollouts: { ledger, db, models: deps.models },
    rights,
    secret,
    links: { keys: linkKeysOf(config), count: linkCounter(deps.metrics) },
    wake: () => wake(loop),
  })
  const verdicts = deps.eventLog.wakeUps({
    topic: TOPICS.verdicts.topic,
    group: 'plumbline-retrain',
    onMessage: async ({ key }) => askSoon(loop, key),
  })
  return [
    verdicts.module,
    ...decidingModules(loop),
    followJobs(jobs, (run) => launchOfRun(engine.policies, run)),
    outcomesModule({ ledger, db, models: deps.models, log }),
    schedulesModule(loop, deps.models),
    lapsesModule({ ledger, rights, log }),
  ]
}
