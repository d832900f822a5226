/** What is counted of runs in the control database. */
import type { Sql } from '../../../lib/postgres/port.ts'
import type { RunState } from './run-record.ts'

/** Counts runs by model and state; a state without runs is left out. */
export const countRuns = (sql: Sql) =>
  sql.query<{ model_id: string; state: RunState; n: number }>(
    'select model_id, state, count(*)::int as n from runs where step is null group by model_id, state',
  )

/** Counts watched runs by model and outcome. */
export const countOutcomes = (sql: Sql) =>
  sql.query<{ model_id: string; outcome: string; n: number }>(
    `select model_id, repair->>'outcome' as outcome, count(*)::int as n from runs
     where repair is not null group by 1, 2`,
  )

/** Reads when a run of each model failed last, in seconds since the epoch. */
export const readLastFailures = (sql: Sql) =>
  sql.query<{ model_id: string; at: number }>(
    `select model_id, extract(epoch from max(updated_at))::float8 as at from runs
     where state in ('failed', 'timed_out') and step is null group by model_id`,
  )

/** How long a phase of a model's runs took, in seconds. */
export interface Phase {
  model_id: string
  phase: 'detect' | 'decide' | 'launch' | 'repair'
  seconds: number
}

/**
 * Medians over the runs that were made within 30 days of the newest one of their model; a phase
 * that no run has gone through is left out.
 */
export const readPhases = (sql: Sql): Promise<Phase[]> =>
  sql.query<Phase>(
    `with newest as (select model_id, max(created_at) as at from runs where step is null group by model_id),
     own as (
       select r.* from runs r join newest n on n.model_id = r.model_id and r.created_at > n.at - interval '30 days' where r.step is null),
     spans as (
       select model_id, 'detect' as phase, detected_at - window_end as span from own
       union all select model_id, 'decide', queued_at - coalesce(detected_at, created_at) from own
       union all select model_id, 'launch', launched_at - queued_at from own
       union all select model_id, 'repair', (repair->>'evaluated_at')::timestamptz - coalesce(detected_at, created_at) from own
         where repair->>'outcome' = 'repaired')
     select model_id, phase, percentile_cont(0.5) within group (order by extract(epoch from span))::float8 as seconds
     from spans where span >= interval '0' group by model_id, phase`,
  )
