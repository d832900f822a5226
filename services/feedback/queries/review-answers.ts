/**
 * Answers to review tasks. Each reviewer answers a task once; as many answers as the task wants
 * make a label.
 */
import { enqueueRow } from '../../../lib/postgres/outbox.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { ReviewLabel } from '../data/review-label.ts'
import { endLease, requireLease, type HeldLease } from './review-leases.ts'
import { lockTask, mirrorTask, type ReviewStore } from './review-tasks.ts'

/** What a reviewer says of a claimed task. */
export interface ReviewAnswer extends HeldLease {
  /** Null: the reviewer cannot tell, and skips the task. */
  label: ReviewLabel | null
  comment: string
}

interface AnsweredTask {
  model_id: string
  prediction_id: string
  state: string
}

/**
 * Records an answer, or a skip, and ends its lease; the answer that fills a task closes it.
 *
 * @returns the task's state afterwards, `open` or `done`
 * @throws {Problem} 409 `lease_lost` where the lease has ended, 409 `task_done` where the task has
 *   all its answers
 */
export function answerTask(
  store: ReviewStore,
  answer: ReviewAnswer,
): Promise<{ task_id: string; state: string }> {
  return store.db.transaction(async (tx) => {
    const state = await lockTask(tx, answer.taskId)
    await requireLease(store, tx, answer)
    // Clocks of two processes differ: a lease that has ended for one of them may stand for the
    // other.
    if (state === 'done' && answer.label !== null)
      throw new Problem(409, 'task_done', 'the task has all its answers; claim another one')
    await endLease(tx, answer)
    const at = new Date(store.now())
    await insertAnswer(tx, answer, at)
    const task = await countAnswer(tx, answer.taskId)
    await mirrorAnswer(tx, answer, task, at)
    await mirrorTask(tx, answer.taskId)
    return { task_id: answer.taskId, state: task.state }
  })
}

async function insertAnswer(
  tx: Sql,
  { taskId, reviewer, label, comment }: ReviewAnswer,
  at: Date,
): Promise<void> {
  const value = label === null ? null : JSON.stringify(label)
  await tx.query(
    'insert into reviews (task_id, reviewer, label, skipped, comment, submitted_at) values ($1, $2, $3::jsonb, $4, $5, $6)',
    [taskId, reviewer, value, label === null, comment, at],
  )
}

/** Closes the task where it has all its answers now. */
async function countAnswer(tx: Sql, taskId: string): Promise<AnsweredTask> {
  const [task] = await tx.query<AnsweredTask>(
    `update review_tasks t set revision = revision + 1,
       state = case when (select count(*) from reviews r where r.task_id = t.task_id and not r.skipped) >= t.reviewers then 'done' else state end
     where task_id = $1 returning model_id, prediction_id, state`,
    [taskId],
  )
  return task!
}

/** Leaves an answer for ClickHouse's `reviews`; a skip is none. */
async function mirrorAnswer(
  tx: Sql,
  { taskId, reviewer, label, comment }: ReviewAnswer,
  task: AnsweredTask,
  at: Date,
): Promise<void> {
  if (label === null) return
  await enqueueRow(tx, 'reviews', {
    task_id: taskId,
    model_id: task.model_id,
    prediction_id: task.prediction_id,
    reviewer,
    label: String(label),
    comment,
    submitted_at: at.toISOString(),
  })
}
