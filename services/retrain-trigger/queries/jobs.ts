/** Jobs of runs in the systems that run them: which are to be asked after, and which cancelled. */
import type { Sql } from '../../../lib/postgres/port.ts'
import { toRun, type Run, type StoredRun } from './run-record.ts'

/** A run with its job, to be asked after or cancelled now. */
export interface DueJob {
  run: Run
  id: string
  url: string
  isToCancel: boolean
  /** When the run was launched, epoch milliseconds; undefined where it was called off before. */
  launchedAt: number | undefined
  /** Requests about it that failed since one was answered. */
  failures: number
}

/** Due jobs that one process takes at a time, and those of one policy among them. */
const MAX_TAKEN = 50
const MAX_OF_ONE_POLICY = 10

/**
 * Takes the jobs that are due, of no policy so many that others wait behind it, which are then due again at `until` (epoch milliseconds): so no
 * other process asks after them meanwhile, and one that dies leaves none behind.
 */
export async function takeDueJobs(
  sql: Sql,
  { now, until }: { now: number; until: number },
): Promise<DueJob[]> {
  const rows = await sql.query<StoredJob>(
    `update runs set job_due_at = $2 where run_id in (
       select run_id from runs where job_due_at <= $1 and run_id in (
         select run_id from (
           select run_id, job_due_at, row_number() over (partition by model_id, policy order by job_due_at) as place
           from runs where job_state in ('followed', 'to cancel') and job_due_at <= $1) as due
         where place <= ${MAX_OF_ONE_POLICY} order by job_due_at limit ${MAX_TAKEN})
       for update skip locked) returning *`,
    [new Date(now), new Date(until)],
  )
  return rows.map((row) => ({
    run: toRun(row),
    id: row.job_id,
    url: row.job_url,
    isToCancel: row.job_state === 'to cancel',
    launchedAt: row.launched_at === null ? undefined : new Date(row.launched_at).getTime(),
    failures: row.job_failures,
  }))
}

type StoredJob = StoredRun & { job_id: string; job_state: string; job_failures: number }

/** When a job is due next, epoch milliseconds, and what was learned of it. */
export interface NextAsk {
  dueAt: number
  failures: number
  id?: string
  url?: string
}

/** Has a job asked after again; the run itself is as it was. */
export async function putOffJob(
  sql: Sql,
  runId: string,
  { dueAt, failures, id = '', url = '' }: NextAsk,
): Promise<void> {
  await sql.query(
    `update runs set job_due_at = $2, job_failures = $3,
       job_id = case when $4 <> '' then $4 else job_id end, job_url = case when $5 <> '' then $5 else job_url end
     where run_id = $1`,
    [runId, new Date(dueAt), failures, id, url],
  )
}

/** Has a job cancelled from now on, whatever becomes of its run. */
export async function markToCancel(sql: Sql, runId: string, nowMs: number): Promise<void> {
  await sql.query(
    `update runs set job_state = 'to cancel', job_due_at = $2, job_failures = 0
     where run_id = $1 and job_state = 'followed'`,
    [runId, new Date(nowMs)],
  )
}

/** Asks after a job no more. */
export async function endJob(sql: Sql, runId: string): Promise<void> {
  await sql.query(`update runs set job_state = 'ended', job_due_at = null where run_id = $1`, [
    runId,
  ])
}
