/** Pauses of queues: nothing new is claimed, and leases that are held end as they would. */
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { ReviewStore } from './review-tasks.ts'

/** Who paused a queue, why and since when. */
export interface QueuePause {
  by: string
  reason: string
  /** RFC 3339. */
  since: string
}

interface Act {
  modelId: string
  actor: string
  reason: string
}

/**
 * Pauses the queue of a model.
 *
 * @throws {Problem} 409 `queue_paused` where it is paused already, with by whom
 */
export function pauseQueue(
  { db, now }: ReviewStore,
  { modelId, actor, reason }: Act,
): Promise<QueuePause> {
  return db.transaction(async (tx) => {
    const at = new Date(now())
    const [made] = await tx.query(
      'insert into review_pauses (model_id, paused_by, reason, paused_at) values ($1, $2, $3, $4) on conflict do nothing returning 1',
      [modelId, actor, reason, at],
    )
    if (!made) {
      const before = (await pausesOf(tx)).get(modelId)
      throw new Problem(409, 'queue_paused', `${before?.by ?? 'somebody'} has paused this queue`)
    }
    await audit(tx, 'review.paused', { modelId, actor, reason }, at)
    return { by: actor, reason, since: at.toISOString() }
  })
}

/**
 * Lets the queue of a model go on.
 *
 * @throws {Problem} 409 `queue_runs` where it is not paused
 */
export function resumeQueue({ db, now }: ReviewStore, act: Act): Promise<void> {
  return db.transaction(async (tx) => {
    const [ended] = await tx.query(
      'delete from review_pauses where model_id = $1 returning model_id',
      [act.modelId],
    )
    if (!ended) throw new Problem(409, 'queue_runs', 'this queue is not paused')
    await audit(tx, 'review.resumed', act, new Date(now()))
  })
}

const audit = (tx: Sql, action: string, { modelId, actor, reason }: Act, at: Date) =>
  appendAudit(tx, {
    at,
    actor,
    action,
    subject: modelId,
    detail: { model_id: modelId, message: reason },
  })

/** Queues that are paused, by model. */
export async function pausesOf(db: Sql): Promise<Map<string, QueuePause>> {
  const rows = await db.query<{
    model_id: string
    paused_by: string
    reason: string
    paused_at: Date
  }>('select * from review_pauses')
  return new Map(
    rows.map((row) => [
      row.model_id,
      { by: row.paused_by, reason: row.reason, since: new Date(row.paused_at).toISOString() },
    ]),
  )
}
