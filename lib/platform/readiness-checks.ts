import type { ClickHouseEngine } from '../clickhouse/port.ts'
import type { DiskProblem } from '../disk/free-space.ts'
import type { EventLog } from '../event-log/port.ts'
import type { Postgres } from '../postgres/port.ts'
import { pingOf } from './stores.ts'

/** What `/health/ready` asks, by name: each check rejects where its part cannot serve. */
export function checksOf(
  engine: ClickHouseEngine,
  eventLog: EventLog,
  { diskProblem, postgres }: { diskProblem: DiskProblem; postgres: Postgres | undefined },
): Map<string, () => Promise<unknown>> {
  const checks = new Map<string, () => Promise<unknown>>([
    ['clickhouse', pingOf(engine)],
    ['disk', () => enough(diskProblem)],
  ])
  if (eventLog.kind === 'kafka') checks.set('kafka', () => eventLog.check())
  if (postgres) checks.set('postgres', () => postgres.query('select 1'))
  return checks
}

/** @throws Error with the sentence of the folder that has no room */
async function enough(problem: DiskProblem): Promise<void> {
  const sentence = await problem()
  if (sentence) throw new Error(sentence)
}
