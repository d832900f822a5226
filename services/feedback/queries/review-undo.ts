/** Reviewers take back what they said last. */
import { randomUUID } from 'node:crypto'
import { enqueueRow } from '../../../lib/postgres/outbox.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { isDecided } from './adjudications.ts'
import { undoGold } from './gold/gold-leases.ts'
import type { HeldLease } from './review-leases.ts'
import { lockTask, mirrorTask, type LockedTask, type ReviewStore } from './review-tasks.ts'

/** How long an answer may be taken back, in milliseconds. */
export const UNDO_MS = 120_000

/** The lease under which a task is answered again. */
export interface ReopenedTask {
  task_id: string
  lease_id: string
  lease_expires_at: string
}

interface LastReview {
  task_id: string
  skipped: boolean
  submitted_at: Date | string
  is_gold: boolean
}

const LAST = `
(select task_id, skipped, submitted_at, false as is_gold from reviews where reviewer = $1 order by submitted_at desc, task_id limit 1)
union all
(select task_id, skipped, submitted_at, true from gold_answers where reviewer = $1 order by submitted_at desc, task_id limit 1)
order by submitted_at desc, task_id limit 1`

/**
 * One reviewer more than before is not asked where the answer that called for them is gone and
 * nobody has come. The label of a task that was done is withdrawn, whether it was sent or not: it may
 * be on its way.
 */
const REOPEN = `
update review_tasks set revision = revision + 1, state = 'open', undone = undone + 1,
  undone_at = greatest($2, answered_at + interval '1 millisecond', undone_at + interval '1 millisecond'),
  withdrawn_label = case when state = 'done' then label else withdrawn_label end,
  label = null, votes = null, answers = null, answered_at = null, label_emitted = false,
  taken = taken + $3,
  reviewers = reviewers - case when extra > 0 and taken + $3 < reviewers then 1 else 0 end,
  extra = extra - case when extra > 0 and taken + $3 < reviewers then 1 else 0 end
where task_id = $1`

/**
 * Takes back the last answer or skip of a reviewer, and gives them the task under a new lease. A
 * label that was made of it is withdrawn; the next one of the task takes its place.
 *
 * @throws {Problem} 409 `nothing_to_undo` where the task is not what the reviewer answered last,
 *   the answer is older than {@link UNDO_MS}, others hold what was skipped, or the prediction is gone
 */
export function undoAnswer(
  store: ReviewStore,
  { taskId, reviewer }: Pick<HeldLease, 'taskId' | 'reviewer'>,
): Promise<ReopenedTask> {
  return store.db.transaction(async (tx) => {
    const at = new Date(store.now())
    // As a claim does, before a task is locked: one tab of a person waits for another.
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [reviewer])
    const task = await lockTask(tx, taskId)
    const [last] = await tx.query<LastReview>(LAST, [reviewer])
    if (!last || last.task_id !== taskId)
      throw nothing('the task is not the one that you answered last')
    if (at.getTime() - new Date(last.submitted_at).getTime() > UNDO_MS)
      throw nothing(`an answer can be undone for ${UNDO_MS / 1000} seconds`)
    const ends = new Date(at.getTime() + store.leaseSeconds * 1000)
    if (last.is_gold) return undoGold(tx, { taskId, reviewer, until: ends })
    if (!task || task.state === 'gone') throw nothing('the prediction is not stored any more')
    await requireOnQueue(tx, taskId)
    if (await isDecided(tx, taskId)) throw nothing('an adjudicator has decided the task')
    if (last.skipped) await requireRoom(tx, taskId)
    await tx.query('delete from reviews where task_id = $1 and reviewer = $2', [taskId, reviewer])
    // An answer was counted as taken, a skip was not; the lease is.
    await tx.query(REOPEN, [taskId, at, last.skipped ? 1 : 0])
    await mirrorUndone(tx, task, reviewer, at)
    await mirrorTask(tx, taskId)
    const leaseId = randomUUID()
    await tx.query(
      'insert into review_leases (task_id, reviewer, lease_id, expires_at) values ($1, $2, $3, $4)',
      [taskId, reviewer, leaseId, ends],
    )
    return { task_id: taskId, lease_id: leaseId, lease_expires_at: ends.toISOString() }
  })
}

/** @throws {Problem} 409 where an operator took the task off the queue */
async function requireOnQueue(tx: Sql, taskId: string): Promise<void> {
  const [off] = await tx.query('select 1 from review_flags where task_id = $1 and taken_off', [
    taskId,
  ])
  if (off) throw nothing('the task was taken off the queue')
}

/** @throws {Problem} 409 where others hold, or have answered, all that the task still wants */
async function requireRoom(tx: Sql, taskId: string): Promise<void> {
  const [room] = await tx.query(
    'select 1 from review_tasks where task_id = $1 and taken < reviewers',
    [taskId],
  )
  if (!room) throw nothing('others have the task that you skipped')
}

/** Leaves for ClickHouse's `reviews` that the answer does not count: one row a task and reviewer. */
async function mirrorUndone(tx: Sql, task: LockedTask, reviewer: string, at: Date): Promise<void> {
  await enqueueRow(tx, 'reviews', {
    task_id: task.task_id,
    model_id: task.model_id,
    prediction_id: task.prediction_id,
    reviewer,
    label: '',
    skipped: true,
    reason: 'undone',
    comment: '',
    submitted_at: at.toISOString(),
  })
}

const nothing = (why: string) => new Problem(409, 'nothing_to_undo', why)
