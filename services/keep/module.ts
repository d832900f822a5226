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
import { retentionRoutes } from './http/retention-routes.ts'
import { subjectRoutes } from './http/subject-routes.ts'
import { applyRetention } from './loop/apply-retention.ts'
import { finishErasure } from './loop/erase-subject.ts'

/** The parts of the process that keeping and deleting are built on. */
export interface KeepDeps {
  http: Http
  eventLog: EventLog
  clickhouse: (role: string) => ClickHouse
  postgres: Postgres
  models: Models
  privacy: Privacy
  journalFolder: string
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
  return [
    pollLoop({
      name: 'retention',
      everyMs: POLL_MS,
      step: async () => {
        await finishErasure(parts)
        for (const { table, month, models, rows } of await applyRetention(parts))
          log.info({ table, month, models: models ?? 'all', rows }, 'rows passed their retention')
        return { isIdle: true }
      },
      onError: (error) => log.warn({ error: messageOf(error) }, 'retention failed, trying again'),
    }).module,
  ]
}
