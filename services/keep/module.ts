import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import type { EventLog } from '../../lib/event-log/port.ts'
import type { Privacy } from '../../lib/events/privacy/redactor.ts'
import type { Http } from '../../lib/http/server.ts'
import type { Models } from '../../lib/models/model-files.ts'
import type { Postgres } from '../../lib/postgres/port.ts'
import { messageOf } from '../../lib/runtime/errors.ts'
import type { Logger } from '../../lib/runtime/log.ts'
import type { Module } from '../../lib/runtime/modules.ts'
import { pollLoop } from '../../lib/runtime/poll-loop.ts'
import type { KeepConfig } from './config.ts'
import { keyRoutes } from './http/key-routes.ts'
import { retentionRoutes } from './http/retention-routes.ts'
import { subjectRoutes } from './http/subject-routes.ts'
import { applyRetention } from './loop/apply-retention.ts'
import { finishErasure } from './loop/erase-subject.ts'
import { toldDrop } from './plan/told-drops.ts'

/** The parts of the process that keeping and deleting are built on. */
export interface KeepDeps {
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
  log: Logger
  now: () => number
}

const POLL_MS = 60_000

/** Retention, exports and erasures. */
export function keep(deps: KeepDeps, config: KeepConfig): Module[] {
  const { clickhouse, log } = deps
  const parts = { ...deps, config, db: clickhouse('keep') }
  const asked = { ...parts, db: clickhouse('keep-http') }
  retentionRoutes(deps.http, asked)
  subjectRoutes(deps.http, asked)
  keyRoutes(deps.http, deps)
  return [
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
