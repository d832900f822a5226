/** Flags: what reviewers say is wrong with a task itself, and how operators close them. */
import { randomUUID } from 'node:crypto'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Postgres, Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Flag, FlagReason } from '../../../schemas/http/reviews/flags.ts'
import { retireGone } from './gold/gold-leases.ts'
import type { HeldLease } from './review-leases.ts'
import { lockTask, mirrorTask, type ReviewStore } from './review-tasks.ts'

/** What a reviewer says of the task that they hold. */
interface NewFlag extends HeldLease {
  reason: FlagReason
  comment: string
}

/** The task under a lease, of the queue or of gold. */
const LEASED = `
select t.model_id, t.prediction_id from review_leases l join review_tasks t using (task_id)
where l.task_id = $1 and l.reviewer = $2 and l.lease_id = $3
union all
select g.model_id, g.prediction_id from gold_leases l join review_gold g using (task_id)
where l.task_id = $1 and l.reviewer = $2 and l.lease_id = $3`

const FLAG = `
insert into review_flags (flag_id, task_id, model_id, prediction_id, reviewer, reason, comment, flagged_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (task_id, reviewer, reason) where closed_at is null do update set comment = excluded.comment
returning flag_id`

/**
 * Keeps a flag; the same reason again replaces the comment of the open one. The lease stays.
 *
 * @throws {Problem} 409 `lease_lost` where the reviewer does not hold the task
 */
export function flagTask(
  store: ReviewStore,
  { taskId, reviewer, leaseId, reason, comment }: NewFlag,
): Promise<{ task_id: string; flag_id: string }> {
  return store.db.transaction(async (tx) => {
    const [task] = await tx.query<Record<'model_id' | 'prediction_id', string>>(LEASED, [
      taskId,
      reviewer,
      leaseId,
    ])
    if (!task) throw new Problem(409, 'lease_lost', 'the lease of this task has ended; claim again')
    const at = new Date(store.now())
    const flagId = randomUUID()
    const [flag] = await tx.query<{ flag_id: string }>(FLAG, [
      flagId,
      taskId,
      task.model_id,
      task.prediction_id,
      reviewer,
      reason,
      comment,
      at,
    ])
    // One entry a flag, however often its comment is written anew.
    if (flag!.flag_id === flagId)
      await appendAudit(tx, {
        at,
        actor: reviewer,
        action: 'review.flagged',
        subject: flagId,
        detail: { model_id: task.model_id, message: reason },
      })
    return { task_id: taskId, flag_id: flag!.flag_id }
  })
}

const COLUMNS =
  'flag_id, task_id, prediction_id, reviewer, reason, comment, flagged_at, closed_by, closed_at, message, taken_off'
const LISTS = {
  open: `select ${COLUMNS} from review_flags where model_id = $1 and closed_at is null order by flagged_at, flag_id limit $2`,
  closed: `select ${COLUMNS} from review_flags where model_id = $1 and closed_at is not null order by closed_at desc, flag_id limit $2`,
}

/** Flags of a model, and how many are open. */
export async function listFlags(
  db: Sql,
  modelId: string,
  { state, limit }: { state: 'open' | 'closed'; limit: number },
): Promise<{ open: number; flags: Flag[] }> {
  const rows = await db.query<Flag>(LISTS[state], [modelId, limit])
  const [counted] = await db.query<{ open: number }>(
    'select count(*)::int as open from review_flags where model_id = $1 and closed_at is null',
    [modelId],
  )
  const iso = (at: string | null) => (at === null ? null : new Date(at).toISOString())
  const flags = rows.map((row) => ({
    ...row,
    flagged_at: iso(row.flagged_at)!,
    closed_at: iso(row.closed_at),
  }))
  return { open: counted!.open, flags }
}

/** How an operator closes a flag. */
interface Closing {
  modelId: string
  flagId: string
  actor: string
  message: string
  /** The task is taken off the queue, or out of gold. */
  takeOff: boolean
}

/**
 * Closes a flag.
 *
 * @throws {Problem} 404 where the model has no such flag, 409 `flag_closed` where it is closed
 */
export function closeFlag(
  store: Pick<ReviewStore, 'db' | 'now'> & { db: Postgres },
  { modelId, flagId, actor, message, takeOff }: Closing,
): Promise<{ flag_id: string; task_id: string; closed_by: string; taken_off: boolean }> {
  return store.db.transaction(async (tx) => {
    const [flag] = await tx.query<{ task_id: string; reason: string; closed_by: string | null }>(
      'select task_id, reason, closed_by from review_flags where flag_id = $1 and model_id = $2 for update',
      [flagId, modelId],
    )
    if (!flag) throw new Problem(404, 'not_found', `${modelId} has no flag ${flagId}`)
    if (flag.closed_by !== null)
      throw new Problem(409, 'flag_closed', `${flag.closed_by} has closed this flag`)
    const at = new Date(store.now())
    if (takeOff) await takeOffQueue(tx, flag.task_id, at)
    await tx.query(
      'update review_flags set closed_by = $2, closed_at = $3, message = $4, taken_off = $5 where flag_id = $1',
      [flagId, actor, at, message, takeOff],
    )
    const what = takeOff ? `${flag.reason}, its task is taken off` : flag.reason
    await appendAudit(tx, {
      at,
      actor,
      action: 'review.flag_closed',
      subject: flagId,
      detail: { model_id: modelId, message: message ? `${what}: ${message}` : what },
    })
    return { flag_id: flagId, task_id: flag.task_id, closed_by: actor, taken_off: takeOff }
  })
}

/** Nobody else is asked; who holds the task hears that it takes no more answers. */
async function takeOffQueue(tx: Sql, taskId: string, at: Date): Promise<void> {
  await retireGone(tx, taskId, at)
  const task = await lockTask(tx, taskId)
  if (task?.state !== 'open') return
  await tx.query('delete from review_leases where task_id = $1', [taskId])
  await tx.query(
    `update review_tasks set state = 'impossible', revision = revision + 1,
       taken = (select count(*) from reviews r where r.task_id = $1 and not r.skipped) where task_id = $1`,
    [taskId],
  )
  await mirrorTask(tx, taskId)
}
