/** What is wrong now: active alarms, and runs that people are told of. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import { activeAlarmsSql, type ActiveAlarm } from '../../../schemas/active-alarms.ts'
import type { RunFinding } from '../decide/incidents.ts'

/** Alarms that are read at a time. */
export const MAX_ALARMS = 20_000

/** Active alarms and warnings of each model as a whole; snoozed ones are left out. */
export const alarmsOfModels = (db: ClickHouse): Promise<ActiveAlarm[]> =>
  db.query<ActiveAlarm>(
    ...activeAlarmsSql({ models: [], isWhole: true, withSnoozed: false, most: MAX_ALARMS }),
  )

/** Active alarms and warnings of every cohort; snoozed ones are left out. */
export const alarmsOfCohorts = (db: ClickHouse): Promise<ActiveAlarm[]> =>
  db.query<ActiveAlarm>(
    ...activeAlarmsSql({ models: [], isWhole: false, withSnoozed: false, most: MAX_ALARMS }),
  )

/**
 * Runs that people are told of: those that wait for approval, candidates whose traffic is held, and the newest run of a policy where
 * it failed or has made it worse within 7 days of `now` (epoch milliseconds).
 */
export async function runFindings(sql: Sql, now: number): Promise<RunFinding[]> {
  const rows = await sql.query<
    Omit<RunFinding, 'at' | 'approval_expires_at'> & { at: Date; approval_expires_at: Date | null }
  >(
    `with newest as (select distinct on (model_id, policy) * from runs
         where state not in ('proposed', 'rejected', 'cancelled', 'awaiting_approval', 'queued') and step is null
         order by model_id, policy, created_at desc, run_id)
     select run_id, model_id, policy, 'approval' as kind, 'warning' as severity, reason as message, updated_at as at, approval_expires_at from runs
       where state = 'awaiting_approval'
     union all select run_id, model_id, policy, 'run_failed', 'alarm', message, updated_at, null from newest
       where state in ('failed', 'timed_out') and updated_at > $1
     union all select run_id, model_id, policy, 'made_worse', 'alarm', coalesce(repair->>'reason', ''), updated_at, null from newest
       where state in ('succeeded', 'promoted') and repair->>'outcome' = 'made_worse'
         and (repair->>'evaluated_at')::timestamptz > $1
     union all select run_id, model_id, policy, 'canary', rollout->>'severity', coalesce(rollout->>'reason', ''), updated_at, null from runs
       where state in ('promoting', 'promoted') and rollout->>'severity' is not null`,
    [new Date(now - 7 * 86_400_000)],
  )
  const iso = (at: Date) => new Date(at).toISOString()
  return rows.map(({ approval_expires_at: expires, ...row }) => ({
    ...row,
    at: iso(row.at),
    approval_expires_at: expires && iso(expires),
  }))
}
