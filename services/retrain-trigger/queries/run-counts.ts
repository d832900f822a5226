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

/** Runs of one phase within a span up to now, by whether they kept its target. */
export interface PhaseCount {
  model_id: string
  phase: Phase['phase']
  span: '6h' | '1d' | '3d' | '30d'
  outcome: 'kept' | 'late'
  n: number
}

/**
 * Counts the phases that have a target by whether they kept it, of runs whose phase ended in each span
 * up to `at`. One that is under way counts as late once its target is over; one that ended without its
 * result (a run that was never launched, a promotion that repaired nothing) is late, and one that was
 * called off, or whose repair nobody can know, is left out. Windows older than 30 days when they were
 * decided about are of a history that is replayed, and tell nothing of how fast they were detected.
 */
export const countTargets = (sql: Sql, at: Date): Promise<PhaseCount[]> =>
  sql.query<PhaseCount>(
    `with own as (
       select *, coalesce(detected_at, created_at) as known_at, terms->'targets' as targets, repair->>'outcome' as repaired,
         (repair->>'evaluated_at')::timestamptz as repaired_at
       from runs where step is null and state <> 'proposed' and jsonb_typeof(terms->'targets') = 'object'),
     phases as (
       select model_id, targets, 'detect' as phase, window_end as began, detected_at as ended, false as is_lost from own
         where detected_at is not null and created_at - window_end < interval '30 days'
       union all select model_id, targets, 'decide', known_at,
         coalesce(queued_at, case when state <> 'awaiting_approval' then updated_at end), false from own
       union all select model_id, targets, 'launch', queued_at,
         coalesce(launched_at, case when state <> 'queued' then updated_at end), launched_at is null and state <> 'queued' from own
         where queued_at is not null and (launched_at is not null or state in ('queued', 'failed', 'timed_out'))
       union all select model_id, targets, 'repair', known_at,
         case when repaired <> 'watching' then repaired_at end, repaired in ('not_repaired', 'made_worse') from own
         where repaired <> 'unknown'),
     judged as (
       select model_id, phase, ended, coalesce(ended, $1::timestamptz) as at,
         is_lost or coalesce(ended, $1::timestamptz) - began > (targets->>phase)::interval as is_late
       from phases where targets ? phase)
     select model_id, phase, span, case when is_late then 'late' else 'kept' end as outcome, count(*)::int as n
     from judged cross join unnest(array['6h', '1d', '3d', '30d']) as span
     where (is_late or ended is not null) and at > $1::timestamptz - span::interval
     group by model_id, phase, span, outcome`,
    [at],
  )

/** A model's false starts of one kind. */
export interface FalseStarts {
  model_id: string
  why: 'withdrawn' | 'rejected' | 'rolled_back' | 'not_repaired' | 'made_worse'
  n: number
}

/**
 * Counts runs whose job was started in vain, each once, by the first of these that it was: its cause
 * was withdrawn by a restated window, its candidate was rejected, or taken back, or its promotion
 * repaired nothing or made it worse.
 */
export const countFalseStarts = (sql: Sql): Promise<FalseStarts[]> =>
  sql.query<FalseStarts>(
    `select model_id, why, count(*)::int as n from (
       select model_id, case when withdrawn_at is not null then 'withdrawn' when state in ('rejected', 'rolled_back') then state
         when repair->>'outcome' in ('not_repaired', 'made_worse') then repair->>'outcome' end as why
       from runs where step is null and launched_at is not null) as started
     where why is not null group by model_id, why`,
  )
