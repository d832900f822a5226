/** Answers to review tasks, and their mirror in ClickHouse. */
import { enqueueRow } from '../../../lib/postgres/outbox.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import {
  isImpossible,
  resolveAnswers,
  type ReviewLabel,
  type SkipReason,
} from '../data/review-label.ts'
import { isGoldClosed, recordGold, takeGoldLease } from './gold/gold-leases.ts'
import { endLease, requireLease, type HeldLease } from './review-leases.ts'
import { lockTask, mirrorTask, rulesOf, type LockedTask, type ReviewStore } from './review-tasks.ts'

/** What a reviewer says of a claimed task. */
export interface ReviewAnswer extends HeldLease {
  label: ReviewLabel
  comment: string
  /** The model predicts a number: of several answers the middle one counts. */
  isNumber?: boolean
}

/** That a reviewer gives no answer. */
export interface ReviewSkip extends HeldLease {
  reason: SkipReason
  comment: string
}

/** The state that a task has come to. */
interface TaskState {
  task_id: string
  state: string
}

/** A task after an answer, and what it asks about. */
export interface AnsweredTask extends TaskState {
  model_id: string
  prediction_id: string
}

/** Reviewers that are asked beyond those of the model file, where the others disagree. */
const MAX_EXTRA = 3

/**
 * Records an answer and ends its lease; the answer that fills a task closes it, or has somebody else
 * asked where as many say one thing as another.
 *
 * @returns the task's state afterwards, `open`, `done` or `disputed`
 * @throws {Problem} 409 `lease_lost` where the lease has ended and another may have the task, 409
 *   `task_done` where the task takes no more answers
 */
export function answerTask(store: ReviewStore, answer: ReviewAnswer): Promise<AnsweredTask> {
  return store.db.transaction(async (tx) => {
    const at = new Date(store.now())
    const gold = await takeGoldLease(tx, answer)
    if (gold) {
      const state = await recordGold(tx, gold, { ...answer, reason: '' }, at)
      return { ...gold, state }
    }
    const task = await openTask(tx, answer)
    await recordReview(tx, task, { ...answer, reason: '' }, at)
    const hasAdjudicator = rulesOf(store, task.model_id).adjudicate !== undefined
    const state = await settle(
      tx,
      { ...task, mostExtra: hasAdjudicator ? 0 : MAX_EXTRA },
      answer.isNumber ?? false,
      at,
    )
    await mirrorTask(tx, answer.taskId)
    const { model_id, prediction_id } = task
    return { task_id: answer.taskId, state, model_id, prediction_id }
  })
}

/**
 * Records that a reviewer gives no answer, and leaves the task to others, at the end of the queue.
 *
 * @returns the task's state afterwards, `open`, or `impossible` where nobody else is asked
 * @throws {Problem} as {@link answerTask}
 */
export function skipTask(store: ReviewStore, skip: ReviewSkip): Promise<TaskState> {
  return store.db.transaction(async (tx) => {
    const at = new Date(store.now())
    const gold = await takeGoldLease(tx, skip)
    if (gold) {
      const state = await recordGold(tx, gold, { ...skip, label: null }, at)
      return { task_id: skip.taskId, state }
    }
    const task = await openTask(tx, skip)
    await recordReview(tx, task, { ...skip, label: null }, at)
    const [counts] = await tx.query<{ skips: number; bad: number }>(
      `select count(*)::int as skips, (count(*) filter (where reason = 'bad_example'))::int as bad from reviews where task_id = $1 and skipped`,
      [skip.taskId],
    )
    const { skips, bad } = counts!
    const { reviewers } = task
    const state = isImpossible({ skips, badExamples: bad, reviewers }) ? 'impossible' : 'open'
    await tx.query(
      `update review_tasks set revision = revision + 1, taken = taken - 1, position = nextval('review_positions'), state = $2 where task_id = $1`,
      [skip.taskId, state],
    )
    await mirrorTask(tx, skip.taskId)
    return { task_id: skip.taskId, state }
  })
}

/** The task, locked, with its lease taken off. */
async function openTask(tx: Sql, held: HeldLease): Promise<LockedTask> {
  const task = await lockTask(tx, held.taskId)
  // Clocks of two processes differ: a lease that has ended for one of them may stand for the
  // other.
  if (task && task.state !== 'open') throw taskDone()
  await requireLease(tx, held).catch(async (error: unknown) => {
    // A gold task that was answered is closed to its reviewer as another one is.
    throw (await isGoldClosed(tx, held)) ? taskDone() : error
  })
  await endLease(tx, held)
  return task!
}

const taskDone = () =>
  new Problem(409, 'task_done', 'the task takes no more answers; claim another one')

interface Review extends HeldLease {
  label: ReviewLabel | null
  reason: SkipReason | ''
  comment: string
}

/** Keeps an answer or a skip, and leaves it for ClickHouse's `reviews`. */
async function recordReview(tx: Sql, task: LockedTask, review: Review, at: Date): Promise<void> {
  const { taskId, reviewer, label, reason, comment } = review
  const isSkipped = label === null
  await tx.query(
    'insert into reviews (task_id, reviewer, label, skipped, reason, comment, submitted_at) values ($1, $2, $3::jsonb, $4, $5, $6, $7)',
    [taskId, reviewer, isSkipped ? null : JSON.stringify(label), isSkipped, reason, comment, at],
  )
  await enqueueRow(tx, 'reviews', {
    task_id: taskId,
    model_id: task.model_id,
    prediction_id: task.prediction_id,
    reviewer,
    label: isSkipped ? '' : String(label),
    skipped: isSkipped,
    reason,
    comment,
    submitted_at: at.toISOString(),
  })
}

/** Closes the task where it has all its answers, or asks one more reviewer, or an adjudicator. */
async function settle(
  tx: Sql,
  task: LockedTask & { mostExtra: number },
  isNumber: boolean,
  at: Date,
): Promise<string> {
  const rows = await tx.query<{ label: ReviewLabel }>(
    'select label from reviews where task_id = $1 and not skipped order by submitted_at, reviewer',
    [task.task_id],
  )
  if (rows.length < task.reviewers) {
    await tx.query('update review_tasks set revision = revision + 1 where task_id = $1', [
      task.task_id,
    ])
    return 'open'
  }
  const labels = rows.map((row) => row.label)
  const resolution = resolveAnswers(labels, isNumber)
  if (resolution.kind === 'resolved') {
    await tx.query(
      `update review_tasks set revision = revision + 1, state = 'done', label = $2::jsonb, votes = $3, answers = $4, answered_at = greatest($5, undone_at + interval '1 millisecond') where task_id = $1`,
      [task.task_id, JSON.stringify(resolution.label), resolution.votes, labels.length, at],
    )
    return 'done'
  }
  const state = task.extra < task.mostExtra ? 'open' : 'disputed'
  await tx.query(
    state === 'open'
      ? `update review_tasks set revision = revision + 1, reviewers = reviewers + 1, extra = extra + 1, position = nextval('review_positions') where task_id = $1`
      : `update review_tasks set revision = revision + 1, state = 'disputed' where task_id = $1`,
    [task.task_id],
  )
  return state
}
