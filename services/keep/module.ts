import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import type { EventLog } from '../../lib/event-log/port.ts'
import type { Privacy } from '../../lib/events/privacy/redactor.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Models } from '../../lib/models/model-files.ts'
import type { Postgres } from '../../lib/postgres/port.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Metrics } from '../../lib/runtime/metrics.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import { pollLoop } from '../../lib/runtime/poll-loop.ts'
import type { KeepConfig } from './config.ts'
import { dataHealthRoutes } from './http/data-health-routes.ts'
import { keyRoutes } from './http/key-routes.ts'
import { retentionRoutes } from './http/retention-routes.ts'
import { subjectRoutes } from './http/subject-routes.ts'
import { anchorAudit } from './loop/anchor-audit.ts'
import { applyRetention } from './loop/apply-retention.ts'
import { enterFileChanges, enterStoredActs, type WatchedFiles } from './loop/enter-acts.ts'
import { finishErasure } from './loop/erase-subject.ts'
import { toldDrop } from './plan/told-drops.ts'

/** The parts of the process that keeping and deleting are built on. */
export interface KeepDeps extends Omit<WatchedFiles, 'keyFile'> {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  postgres: Postgres
  models: Models
  privacy: Privacy
  journalFolder: string
  /** The file of API keys, and the folder with their last uses. */
  keyFile: string | undefined
  dataDir: string
  metrics: Pick<Metrics, 'lag'>
  log: Logger
  now: () => number
}

const POLL_MS = 60_000
/** Acts of elsewhere are in the audit log within so long, and later while there are none. */
const ACTS_MS = 5000
const LONGEST_ACTS_MS = 20_000

/** Enters into the audit log what is done elsewhere, and anchors it. */
function auditing(parts: KeepDeps & { db: ClickHouse }): Module {
  const { models, log } = parts
  const loop = pollLoop({
    name: 'audit',
    everyMs: ACTS_MS,
    longestIdleMs: LONGEST_ACTS_MS,
    step: async () => {
      const files = await enterFileChanges(parts, parts)
      const acts = await enterStoredActs(parts)
      await anchorAudit(parts)
      return { isIdle: files + acts === 0 }
    },
    onError: (error) =>
      log.warn({ error: messageOf(error) }, 'acts not entered into the audit log, trying again'),
  })
  models.onChange?.(loop.wake)
  return loop.module
}

/** Retention, exports, erasures, and what the audit log takes from elsewhere. */
export function keep(deps: KeepDeps, config: KeepConfig): Module[] {
  const { clickhouse, log } = deps
  const parts = { ...deps, config, db: clickhouse('keep') }
  const asked = { ...parts, db: clickhouse('keep-http') }
  retentionRoutes(deps.http, asked)
  subjectRoutes(deps.http, asked)
  keyRoutes(deps.http, deps)
  dataHealthRoutes(deps.http, asked)
  return [
    auditing({ ...deps, db: clickhouse('keep-audit') }),
    pollLoop({
      name: 'retention',
      everyMs: POLL_MS,
      step: async () => {
        await finishErasure(parts)
        for (const drop of await applyRetention(parts))
          log.info(toldDrop(drop), 'rows passed their retention')
        return { isIdle: true }
      },
      onError: (error) => log.warn({ error: messageOf(error) }, 'retention failed, trying again'),
    }).module,
  ]
}
