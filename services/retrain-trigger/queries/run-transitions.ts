/**
 * How a run moves on: every change of its state is one transaction with its audit entry, its row
 * and its message.
 */
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import { markToCancel } from './jobs.ts'
import type { Ledger } from './ledger.ts'
import { recordTransition, toRun, type Run, type RunState, type StoredRun } from './run-record.ts'

/** What is kept of a change besides the state; empty texts leave what was there. */
export interface TransitionDetail {
  message?: string
  new_version?: string
}

interface Transition {
  runId: string
  /** States that `to` may follow on. */
  from: readonly RunState[]
  to: RunState
  actor: string
  detail?: TransitionDetail
  /** What the audit entry holds besides. */
  evidence?: object
}

/**
 * Moves a run on, if its state allows; one winner among concurrent callers.
 *
 * @throws {Problem} 404 where there is no such run, 409 where its state is none of `from`
 */
export async function transition(
  tx: Sql,
  { runId, from, to, actor, detail = {}, evidence = {} }: Transition,
  at: Date,
): Promise<Run> {
  const [row] = await tx.query<StoredRun>(
    `update runs set state = $2::text, revision = revision + 1, updated_at = $3::timestamptz,
       launched_at = case when $2 in ('launching', 'running', 'succeeded') then coalesce(launched_at, $3) else launched_at end,
       queued_at = case when $2 = 'queued' then coalesce(queued_at, $3) else queued_at end,
       new_version = case when $4 <> '' then $4 else new_version end, message = case when $5 <> '' then $5 else message end
     where run_id = $1 and state = any($6) returning *`,
    [runId, to, at, detail.new_version ?? '', detail.message ?? '', from],
  )
  if (!row) throw await refusalOf(tx, { runId, from, to })
  await recordTransition(tx, row, actor, { ...detail, ...evidence })
  if (row.step)
    await tx.query(
      'update runs set look_at = $2 where run_id = $1 and look_at is not null and rollout is not null',
      [row.step.of, at],
    )
  return toRun(row)
}

/** Why a transition found no run to move. */
async function refusalOf(
  tx: Sql,
  { runId, from, to }: Pick<Transition, 'runId' | 'from' | 'to'>,
): Promise<Problem> {
  const [current] = await tx.query<{ state: string }>('select state from runs where run_id = $1', [
    runId,
  ])
  return current
    ? new Problem(
        409,
        'wrong_state',
        `the run is ${current.state}, and ${to} follows only on ${from.join(', ')}`,
      )
    : new Problem(404, 'unknown_run', `there is no run ${runId}`)
}

const moveOn = ({ postgres, now }: Ledger, change: Transition): Promise<Run> =>
  postgres.transaction((tx) => transition(tx, change, new Date(now())))

/**
 * Refuses a run that awaits approval.
 *
 * @throws {Problem} 404 where there is no such run, 409 where it awaits no approval
 */
export const rejectRun = (
  ledger: Ledger,
  runId: string,
  actor: string,
  message: string,
): Promise<Run> =>
  ledger.postgres.transaction((tx) =>
    rejectWithin(tx, runId, { actor, message }, new Date(ledger.now())),
  )

/**
 * Refuses a run within the caller's transaction; as {@link rejectRun}.
 *
 * @param answer `link` is the link by which it is done; undefined where the actor has signed in
 */
export const rejectWithin = (
  tx: Sql,
  runId: string,
  { actor, message, link }: { actor: string; message: string; link?: string },
  at: Date,
): Promise<Run> =>
  transition(
    tx,
    {
      runId,
      actor,
      detail: { message },
      from: ['awaiting_approval'],
      to: 'rejected',
      ...(link !== undefined && { evidence: { link_id: link } }),
    },
    at,
  )

/**
 * Calls off a run that has not ended; the system that runs its job is asked to cancel it.
 *
 * @throws {Problem} 404 where there is no such run, 409 where it has ended
 */
export const cancelRun = (
  { postgres, now }: Ledger,
  runId: string,
  actor: string,
  message: string,
): Promise<Run> =>
  postgres.transaction(async (tx) => {
    await markToCancel(tx, runId, now())
    return transition(
      tx,
      {
        runId,
        actor,
        detail: { message },
        from: ['awaiting_approval', 'queued', 'launching', 'running', 'validating'],
        to: 'cancelled',
      },
      new Date(now()),
    )
  })

/**
 * Records that people have taken the new version of a run back.
 *
 * @throws {Problem} 404 where there is no such run, 409 where its version was not promoted
 */
export const rollBackRun = (
  ledger: Ledger,
  runId: string,
  actor: string,
  message: string,
): Promise<Run> =>
  moveOn(ledger, {
    runId,
    actor,
    detail: { message },
    from: ['promoted', 'succeeded'],
    to: 'rolled_back',
  })

/** A job that has been started; `dueAt`: when it is asked after first, epoch milliseconds. */
export interface StartedJob {
  id: string
  url: string
  dueAt: number
}

/**
 * Records the job of a run, which is launched then; the job of a run that was called off meanwhile
 * is to be cancelled.
 */
export const recordJob = (
  { postgres, now }: Ledger,
  runId: string,
  { id, url, dueAt }: StartedJob,
): Promise<void> =>
  postgres.transaction(async (tx) => {
    const [row] = await tx.query<{ state: string }>(
      `update runs set job_id = $2, job_url = $3,
         job_due_at = case when state = 'queued' then $4::timestamptz else $5::timestamptz end,
         job_state = case when state = 'queued' then 'followed' else 'to cancel' end
       where run_id = $1 returning state`,
      [runId, id, url, new Date(dueAt), new Date(now())],
    )
    if (row?.state !== 'queued') return
    const move: Transition = { runId, actor: 'launcher', from: ['queued'], to: 'launching' }
    await transition(tx, move, new Date(now()))
  })

/**
 * Records that the job of a run was started.
 *
 * @throws {Problem} 404 where there is no such run, 409 where it is not pending
 */
export const markLaunched = (ledger: Ledger, runId: string): Promise<Run> =>
  moveOn(ledger, { runId, actor: 'launcher', from: ['queued'], to: 'launching' })

/** Adds the hash of a token by which the run's job may report. */
export async function addTokenHash(sql: Sql, runId: string, hash: string): Promise<void> {
  await sql.query(
    'update runs set token_hashes = array_append(token_hashes, $2) where run_id = $1',
    [runId, hash],
  )
}
