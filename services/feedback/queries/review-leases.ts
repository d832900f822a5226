/** Leases of review tasks: a reviewer claims a task, holds it for a while, and may give it back. */
import { randomUUID } from 'node:crypto'
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { lockTask, type ReviewStore } from './review-tasks.ts'

/** A task under a lease, as `POST /v1/reviews/claim` answers it; the time is RFC 3339. */
export interface ClaimedTask {
  task_id: string
  lease_id: string
  lease_expires_at: string
  model_id: string
  prediction_id: string
}

/** The lease that a reviewer says to hold. */
export interface HeldLease {
  taskId: string
  reviewer: string
  leaseId: string
}

/** How many tasks that others have just filled one claim passes by. */
const CLAIM_TRIES = 20

/** $1 is the reviewer, $2 the time. */
const LACKS_ANSWERS = `t.state = 'open'
  and not exists (select 1 from reviews r where r.task_id = t.task_id and r.reviewer = $1)
  and (select count(*) from reviews r where r.task_id = t.task_id and not r.skipped)
    + (select count(*) from review_leases l where l.task_id = t.task_id and l.reviewer <> $1 and l.expires_at > $2) < t.reviewers`

/**
 * The task to try next, locked. What is counted here may be old: under READ COMMITTED a statement
 * counts what was committed when it began, so it is counted again once the lock is held.
 */
const CLAIMABLE = `
select t.task_id from review_tasks t
where ${LACKS_ANSWERS} and ($3::text[] is null or t.model_id = any($3)) and t.task_id <> all($4::text[])
order by t.created_at, t.task_id limit 1 for update of t skip locked`

const LEASE = `
with lease as (
  insert into review_leases (task_id, reviewer, lease_id, expires_at)
  select t.task_id, $1, $4, $5 from review_tasks t where t.task_id = $3 and ${LACKS_ANSWERS}
  on conflict (task_id, reviewer) do update set lease_id = excluded.lease_id, expires_at = excluded.expires_at
  returning task_id, lease_id, expires_at
)
select lease.task_id, lease.lease_id, lease.expires_at as lease_expires_at, t.model_id, t.prediction_id
from lease join review_tasks t using (task_id)`

/**
 * Leases the oldest task that this reviewer has not seen and that still lacks answers; leases count
 * as answers to come.
 *
 * @param question.models tasks of these models alone; of any model where undefined
 * @returns undefined where there is no such task
 */
export function claimTask(
  store: ReviewStore,
  { reviewer, models }: { reviewer: string; models: readonly string[] | undefined },
): Promise<ClaimedTask | undefined> {
  return store.db.transaction(async (tx) => {
    const full: string[] = []
    while (full.length < CLAIM_TRIES) {
      const at = new Date(store.now())
      const question = [reviewer, at, models ?? null, full]
      const [task] = await tx.query<{ task_id: string }>(CLAIMABLE, question)
      if (!task) return undefined
      const lease = await leaseTask(store, tx, task.task_id, reviewer)
      if (lease) return lease
      full.push(task.task_id)
    }
    return undefined
  })
}

/** Leases a locked task, unless leases or answers have filled it since it was chosen. */
async function leaseTask(
  { now, leaseSeconds }: ReviewStore,
  tx: Sql,
  taskId: string,
  reviewer: string,
): Promise<ClaimedTask | undefined> {
  const at = now()
  const [lease] = await tx.query<ClaimedTask>(LEASE, [
    reviewer,
    new Date(at),
    taskId,
    randomUUID(),
    new Date(at + leaseSeconds * 1000),
  ])
  return lease && { ...lease, lease_expires_at: new Date(lease.lease_expires_at).toISOString() }
}

/**
 * Gives a claimed task back, so that others may claim it.
 *
 * @throws {Problem} 409 `lease_lost` where the lease has ended
 */
export function releaseTask(
  store: ReviewStore,
  held: HeldLease,
): Promise<{ task_id: string; state: string }> {
  return store.db.transaction(async (tx) => {
    await lockTask(tx, held.taskId)
    await requireLease(store, tx, held)
    await endLease(tx, held)
    return { task_id: held.taskId, state: 'open' }
  })
}

/** @throws {Problem} 409 `lease_lost` where the lease has ended, or is another one */
export async function requireLease(
  { now }: ReviewStore,
  tx: Sql,
  { taskId, reviewer, leaseId }: HeldLease,
): Promise<void> {
  const [lease] = await tx.query<{ expires_at: Date }>(
    'select expires_at from review_leases where task_id = $1 and reviewer = $2 and lease_id = $3 for update',
    [taskId, reviewer, leaseId],
  )
  if (!lease || new Date(lease.expires_at) < new Date(now()))
    throw new Problem(409, 'lease_lost', 'the lease of this task has ended; claim again')
}

/** Removes the lease of a reviewer on a task. */
export async function endLease(
  tx: Sql,
  { taskId, reviewer }: Pick<HeldLease, 'taskId' | 'reviewer'>,
): Promise<void> {
  await tx.query('delete from review_leases where task_id = $1 and reviewer = $2', [
    taskId,
    reviewer,
  ])
}
