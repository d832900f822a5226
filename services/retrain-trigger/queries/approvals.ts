/** Who may approve a run, and until when. */
import type { Sql } from '../../../lib/postgres/port.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { isSamePerson } from '../../../lib/runtime/person-names.ts'
import type { Ledger } from './ledger.ts'
import { toRun, type Run, type StoredRun } from './run-record.ts'
import { transition } from './run-transitions.ts'

/**
 * Adds a person's approval; the last that is needed makes the run due for launch. Whoever asked for
 * the run never approves it.
 *
 * @param message why, for the audit log
 * @throws {Problem} 404 where there is no such run, 409 where it awaits no approval, has waited too
 *   long, has this person's approval, under whatever spelling, or was asked for by this person
 */
export const approveRun = (
  { postgres, now }: Ledger,
  runId: string,
  actor: string,
  message: string,
): Promise<Run> =>
  postgres.transaction(async (tx) => {
    const at = new Date(now())
    const run = await lockApprovable(tx, runId, actor, at)
    const [row] = await tx.query<StoredRun>(
      'update runs set approvals = array_append(approvals, $2), revision = revision + 1, updated_at = $3 where run_id = $1 returning *',
      [runId, actor, at],
    )
    const detail = { model_id: run.model_id, message }
    await appendAudit(tx, { at, actor, action: 'run.approve', subject: runId, detail })
    if (row!.approvals.length < row!.approvals_needed) return toRun(row!)
    return transition(tx, { runId, from: ['awaiting_approval'], to: 'queued', actor }, at)
  })

/** Locks a run for its approval by `actor`. */
async function lockApprovable(tx: Sql, runId: string, actor: string, at: Date): Promise<StoredRun> {
  const [run] = await tx.query<StoredRun>('select * from runs where run_id = $1 for update', [
    runId,
  ])
  if (!run) throw new Problem(404, 'unknown_run', `there is no run ${runId}`)
  if (run.state !== 'awaiting_approval')
    throw new Problem(409, 'wrong_state', `the run is ${run.state}: nothing to approve`)
  const expires = run.approval_expires_at
  if (expires !== null && new Date(expires) <= at)
    throw new Problem(
      409,
      'approval_expired',
      `the run could be approved until ${new Date(expires).toISOString()}`,
    )
  if (run.approvals.some((approver) => isSamePerson(approver, actor)))
    throw new Problem(
      409,
      'already_approved',
      `${actor} has approved this run; another person is needed`,
    )
  if (isSamePerson(run.requested_by, actor))
    throw new Problem(
      409,
      'own_request',
      `${actor} asked for this run; ${run.approvals_needed > 1 ? 'two other people' : 'another person'} must approve it`,
    )
  return run
}

/** Runs that one look cancels; the others follow in the next. */
const MAX_EXPIRED = 100

/** Cancels the runs that nobody has approved in time. @returns how many */
export async function expireApprovals({ postgres, now }: Ledger): Promise<number> {
  const at = new Date(now())
  const due = await postgres.query<{ run_id: string; approval_expires_at: Date }>(
    `select run_id, approval_expires_at from runs where state = 'awaiting_approval' and approval_expires_at <= $1
     order by approval_expires_at limit ${MAX_EXPIRED}`,
    [at],
  )
  for (const { run_id: runId, approval_expires_at: expires } of due)
    await postgres.transaction(async (tx) => {
      // Another process, or a person, may have been faster.
      const [run] = await tx.query<{ state: string }>(
        'select state from runs where run_id = $1 for update',
        [runId],
      )
      if (run?.state !== 'awaiting_approval') return
      const message = `nobody approved it until ${new Date(expires).toISOString()}`
      const move = { runId, from: ['awaiting_approval'], to: 'cancelled', actor: 'policy' } as const
      await transition(tx, { ...move, detail: { message } }, at)
    })
  return due.length
}
