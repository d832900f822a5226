/** Which process may launch a run: one at a time, for as long as a launch may take. */
import { randomUUID } from 'node:crypto'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { Ledger } from './ledger.ts'

/** The right to launch a run, until it is released or its time is over. */
export interface Claim {
  runId: string
  claim: string
  /** Launches that were tried, this one included. */
  attempt: number
  /** When the first was tried, epoch milliseconds. */
  firstAttemptAt: number
}

/**
 * Claims a run for one launch, in the store and so against every other process.
 *
 * @param times epoch milliseconds; the claim of a process that has died ends by itself at `until`
 * @returns undefined where the run is not due, or another has claimed it
 */
export async function claimRun(
  sql: Sql,
  runId: string,
  { now, until }: { now: number; until: number },
): Promise<Claim | undefined> {
  const [row] = await sql.query<{ claim: string; attempts: number; first_attempt_at: Date }>(
    // A release that knows no steps makes claims without it, which the store refuses for a step.
    `update runs set claim = case when step is null then $2 else 'step:' || $2 end, claimed_until = $3, attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $4)
     where run_id = $1 and state = 'queued' and (claimed_until is null or claimed_until <= $4)
       and (next_attempt_at is null or next_attempt_at <= $4)
       -- Of one rollout a step goes out at a time, so that a later one is never overtaken.
       and not exists (select 1 from runs other where other.step->>'of' = runs.step->>'of'
         and other.run_id <> runs.run_id and other.claimed_until > $4)
     returning claim, attempts, first_attempt_at`,
    [runId, randomUUID(), new Date(until), new Date(now)],
  )
  if (!row) return undefined
  const firstAttemptAt = new Date(row.first_attempt_at).getTime()
  return { runId, claim: row.claim, attempt: row.attempts, firstAttemptAt }
}

/**
 * Gives a claim back, and puts the next launch off until `untilMs` (epoch milliseconds); a claim
 * that has ended changes nothing.
 */
export async function releaseRun(
  sql: Sql,
  { runId, claim }: Pick<Claim, 'runId' | 'claim'>,
  untilMs: number,
): Promise<void> {
  await sql.query(
    'update runs set claim = null, claimed_until = null, next_attempt_at = $3 where run_id = $1 and claim = $2',
    [runId, claim, new Date(untilMs)],
  )
}

/**
 * Puts off the launch of a run that nobody has claimed: its endpoint is not to be asked before
 * `until` (epoch milliseconds), or its policy holds it back till then.
 *
 * @param why what is said of the run then; '' leaves what was said
 */
export async function deferRun(
  { postgres, now }: Ledger,
  runId: string,
  { until, why }: { until: number; why: string },
): Promise<void> {
  await postgres.query(
    `update runs set next_attempt_at = $2, message = case when $4 <> '' then $4 else message end
     where run_id = $1 and state = 'queued' and (claimed_until is null or claimed_until <= $3)`,
    [runId, new Date(until), new Date(now()), why],
  )
}

/**
 * Holds a claim for longer, while the process that has it works on: until `untilMs` (epoch
 * milliseconds).
 */
export async function keepClaim(
  sql: Sql,
  { runId, claim }: Pick<Claim, 'runId' | 'claim'>,
  untilMs: number,
): Promise<void> {
  await sql.query('update runs set claimed_until = $3 where run_id = $1 and claim = $2', [
    runId,
    claim,
    new Date(untilMs),
  ])
}
