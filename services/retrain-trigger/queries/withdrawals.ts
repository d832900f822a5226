/** Runs whose evidence was withdrawn: the window that gave it was restated. */
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { Rollout } from '../../../schemas/http/runs/rollout.ts'
import type { Ledger } from './ledger.ts'
import { change } from './rollout/moves.ts'
import type { StoredRun } from './run-record.ts'
import { transition } from './run-transitions.ts'

/** Which window of a launch was restated. */
export interface Restated {
  modelId: string
  policy: string
  cause: string
  /** The newest revision of the window. */
  revision: number
}

/** Notes that a run keeps. */
const MAX_NOTES = 20

/** Records that a restated window was looked at, and gives reason to its run still. */
export async function keepRestated(
  sql: Sql,
  { modelId, policy, cause, revision }: Restated,
): Promise<void> {
  await sql.query(
    `update decisions set evidence_revision = $4 where model_id = $1 and policy = $2 and cause = $3 and action = 'launch'`,
    [modelId, policy, cause, revision],
  )
}

/** What is held, or goes back, stays so. */
const mayBeHeld = (rollout: Rollout | null): boolean =>
  rollout !== null && ['waiting', 'moving', 'watching'].includes(rollout.state)

/**
 * Cancels the run of a window that was restated and no longer gives reason to it, where its launch
 * has not begun; of one that has begun or ended it is noted, and a candidate that is getting its
 * traffic gets no more of it until a person has looked.
 */
export const withdrawRun = ({ postgres, now }: Ledger, restated: Restated): Promise<void> =>
  postgres.transaction(async (tx) => {
    const { modelId, policy, cause, revision } = restated
    const at = new Date(now())
    await keepRestated(tx, restated)
    const [run] = await tx.query<StoredRun & { claimed_until: Date | null }>(
      'select * from runs where model_id = $1 and policy = $2 and cause = $3 for update',
      [modelId, policy, cause],
    )
    if (!run || run.state === 'cancelled' || run.state === 'proposed') return
    const why = `revision ${revision} of its window withdrew the evidence: the condition no longer holds`
    const isClaimed = run.claimed_until !== null && new Date(run.claimed_until) > at
    if (run.state === 'awaiting_approval' || (run.state === 'queued' && !isClaimed)) {
      const from = ['awaiting_approval', 'queued'] as const
      const move = { runId: run.run_id, from, to: 'cancelled', actor: 'policy' } as const
      await transition(tx, { ...move, detail: { message: why } }, at)
      return
    }
    await tx.query(
      `update runs set notes = (array_append(notes, $2))[greatest(1, cardinality(notes) + 2 - ${MAX_NOTES}):],
         withdrawn_at = coalesce(withdrawn_at, $3), revision = revision + 1, updated_at = $3 where run_id = $1`,
      [run.run_id, why, at],
    )
    await appendAudit(tx, {
      at,
      actor: 'policy',
      action: 'run.note',
      subject: run.run_id,
      detail: { model_id: modelId, policy, message: why },
    })
    if (run.state !== 'promoting' || !mayBeHeld(run.rollout)) return
    const hold = { kind: 'hold', reason: why, severity: 'warning', proposes: null } as const
    await change(tx, run, hold, { actor: 'policy', message: '', at })
  })
