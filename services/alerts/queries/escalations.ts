/** Approvals that nobody has given, and the steps by which they were taken further. */
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { Escalation } from '../../../schemas/model-retrain.ts'
import type { DueStep, Unanswered } from '../decide/escalations.ts'

/** Runs that one look takes further; the others follow in the next. */
const MAX_RUNS = 500

/**
 * Reads the runs that await approval, have steps that were not taken, and have not expired, the
 * longest waiting first. They are locked: nobody answers them until the transaction ends.
 */
export async function readUnanswered(tx: Sql, at: Date): Promise<Unanswered[]> {
  const rows = await tx.query<{
    run_id: string
    model_id: string
    created_at: Date
    escalate: Escalation[]
    taken: number[]
  }>(
    `select r.run_id, r.model_id, r.created_at, r.terms->'escalate' as escalate,
       array(select e.step from approval_escalations e where e.run_id = r.run_id) as taken
     from runs r where r.state = 'awaiting_approval' and r.terms->'escalate' is not null
       and (r.approval_expires_at is null or r.approval_expires_at > $1)
       and jsonb_array_length(r.terms->'escalate') > (select count(*) from approval_escalations e where e.run_id = r.run_id)
     order by r.created_at, r.run_id limit ${MAX_RUNS} for update of r`,
    [at],
  )
  return rows.map(({ created_at: since, ...row }) => ({
    ...row,
    since: new Date(since).getTime(),
  }))
}

/** Records that a step was taken, with its entry in the audit log. */
export async function recordEscalation(
  tx: Sql,
  { run_id: runId, model_id }: Pick<Unanswered, 'run_id' | 'model_id'>,
  {
    step,
    receivers,
    missing,
  }: { step: DueStep; receivers: readonly string[]; missing: readonly string[] },
  at: Date,
): Promise<void> {
  await tx.query(
    'insert into approval_escalations (run_id, step, told_at, receivers, missing) values ($1, $2, $3, $4, $5)',
    [runId, step.place, at, receivers, missing],
  )
  const whom = receivers.length === 0 ? 'nobody is told' : `told ${receivers.join(', ')}`
  const gone =
    missing.length === 0 ? '' : `; the file of alerts has no receiver ${missing.join(', ')}`
  await appendAudit(tx, {
    at,
    actor: 'alerts',
    action: 'run.escalate',
    subject: runId,
    detail: {
      model_id,
      step: step.place,
      message: `nobody answered for ${step.after}: ${whom}${gone}`,
    },
  })
}
