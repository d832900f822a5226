/** Approvals of runs, and how long runs wait for them. */
import type { Sql } from '../../../../lib/postgres/port.ts'
import { appendAudit } from '../../../../lib/postgres/audit-log.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import { approverRefusal } from '../../decide/approvers.ts'
import type { Ledger } from '../ledger.ts'
import { toRun, type Run, type StoredRun } from '../run-record.ts'
import { transition } from '../run-transitions.ts'
import { requireDelegation, type Lapsed } from './delegations.ts'

/** An approval as it is given. */
export interface Approval {
  actor: string
  /** Why, for the audit log. */
  message: string
  /** In whose stead, by a delegation; undefined: in the actor's own name. */
  inStead?: { person: string; lapsed: Lapsed } | undefined
  /** The link by which it is given; undefined where the actor has signed in. */
  link?: string
}

/**
 * Adds a person's approval; the last that is needed makes the run due for launch. Whoever asked for
 * the run never approves it, nor does anybody in their stead.
 *
 * @throws {Problem} 404 where there is no such run, 403 where nobody delegated to the actor, 409
 *   where it awaits no approval, has waited too long, has an approval of this person, under whatever
 *   spelling, or was asked for by this person
 */
export const approveRun = (
  { postgres, now }: Ledger,
  runId: string,
  approval: Approval,
): Promise<Run> => postgres.transaction((tx) => approveWithin(tx, runId, approval, new Date(now())))

/** Adds a person's approval within the caller's transaction; as {@link approveRun}. */
export async function approveWithin(
  tx: Sql,
  runId: string,
  { actor, message, inStead, link }: Approval,
  at: Date,
): Promise<Run> {
  const run = await lockApprovable(tx, runId, at)
  const { model_id } = run
  const delegation =
    inStead === undefined
      ? undefined
      : await requireDelegation(tx, {
          by: actor,
          inStead: inStead.person,
          lapsed: inStead.lapsed,
          modelId: model_id,
          at,
        })
  const refused = approverRefusal(run, actor, delegation?.delegator)
  if (refused) throw new Problem(409, refused.code, refused.message)
  const delegated = delegation && {
    by: actor,
    for: delegation.delegator,
    delegation_id: delegation.delegation_id,
  }
  const [row] = await tx.query<StoredRun>(
    `update runs set approvals = array_append(approvals, $2), delegated = delegated || $4::jsonb,
       revision = revision + 1, updated_at = $3 where run_id = $1 returning *`,
    [runId, actor, at, JSON.stringify(delegated ? [delegated] : [])],
  )
  const detail = { model_id, message, ...delegated, ...(link !== undefined && { link_id: link }) }
  await appendAudit(tx, { at, actor, action: 'run.approve', subject: runId, detail })
  if (row!.approvals.length < row!.approvals_needed) return toRun(row!)
  return transition(tx, { runId, from: ['awaiting_approval'], to: 'queued', actor }, at)
}

/** Locks a run that can still be approved. */
async function lockApprovable(tx: Sql, runId: string, at: Date): Promise<StoredRun> {
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
