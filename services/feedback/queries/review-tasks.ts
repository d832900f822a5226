/**
 * Review tasks in PostgreSQL: adding, finding and counting them, and their mirror in ClickHouse.
 */
import type { Clock } from '../../../lib/runtime/clock.ts'
import { enqueueRow } from '../../../lib/postgres/outbox.ts'
import { reviewRules, type ReviewRules } from '../../../lib/models/labels/review-rules.ts'
import type { Postgres, Sql } from '../../../lib/postgres/port.ts'

/** Where the review queue lies, and by what clock and for how long its leases run. */
export interface ReviewStore {
  db: Postgres
  leaseSeconds: number
  now: Clock
  /** What model files say; what holds without any unless given. */
  rulesOf?: (modelId: string) => ReviewRules
  /** In [0, 1): whether a claim meets a task whose answer is known; `Math.random` unless given. */
  random?: () => number
}

/** What a model file says about review. */
export const rulesOf = (store: ReviewStore, modelId: string): ReviewRules =>
  store.rulesOf?.(modelId) ?? reviewRules(undefined)

/** A prediction that was drawn for review. */
export interface DrawnTask {
  taskId: string
  modelId: string
  predictionId: string
  /** Answers that make a label. */
  reviewers: number
  /** Probability in (0, 1] with which this prediction was drawn. */
  inclusionProbability: number
}

/** Tasks, leases and answers of one model, as `GET /v1/reviews/stats` answers them. */
export interface ReviewStats {
  model_id: string
  open: number
  done: number
  /** As many say one thing as another. */
  disputed: number
  /** Nobody can tell. */
  impossible: number
  /** The prediction is not stored any more. */
  gone: number
  /** Leases that have not ended. */
  leased: number
  answers: number
  skips: number
  /** Answers and skips that their reviewers took back. */
  undone: number
}

/** A task that no other transaction changes meanwhile. */
export interface LockedTask {
  task_id: string
  model_id: string
  prediction_id: string
  state: string
  /** Answers that it wants by now. */
  reviewers: number
  /** How many of these are asked since the others disagreed. */
  extra: number
}

/**
 * Adds tasks that are not there yet; the same draw again adds none. Each is added in a transaction
 * of its own.
 *
 * @returns how many were added
 */
export async function addTasks(
  { db, now }: ReviewStore,
  tasks: readonly DrawnTask[],
): Promise<number> {
  let added = 0
  for (const task of tasks) {
    if (await db.transaction((tx) => addTask(tx, task, new Date(now())))) added++
  }
  return added
}

async function addTask(tx: Sql, task: DrawnTask, at: Date): Promise<boolean> {
  const rows = await tx.query(
    `insert into review_tasks (task_id, model_id, prediction_id, reviewers, inclusion_probability, created_at)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning task_id`,
    [task.taskId, task.modelId, task.predictionId, task.reviewers, task.inclusionProbability, at],
  )
  if (rows.length === 0) return false
  await mirrorTask(tx, task.taskId)
  return true
}

/** The model a task is of; undefined where there is no such task. */
export async function modelOfTask(db: Sql, taskId: string): Promise<string | undefined> {
  const [task] = await db.query<{ model_id: string }>(
    'select model_id from review_tasks where task_id = $1 union select model_id from review_gold where task_id = $1',
    [taskId],
  )
  return task?.model_id
}

const STATS = `
select t.*, t.leased + coalesce(g.leased, 0) as leased, t.answers + coalesce(g.answers, 0) as answers, t.skips + coalesce(g.skips, 0) as skips,
  t.undone + coalesce(g.undone, 0) as undone, g.model_id is not null as has_gold
from (
  select t.model_id, count(*) filter (where t.state = 'open')::int as open, count(*) filter (where t.state = 'done')::int as done,
    count(*) filter (where t.state = 'disputed')::int as disputed, count(*) filter (where t.state = 'impossible')::int as impossible, count(*) filter (where t.state = 'gone')::int as gone,
    (select count(*)::int from review_leases l join review_tasks o using (task_id) where o.model_id = t.model_id and l.expires_at > $1) as leased,
    (select count(*)::int from reviews r join review_tasks o using (task_id) where o.model_id = t.model_id and not r.skipped) as answers,
    (select count(*)::int from reviews r join review_tasks o using (task_id) where o.model_id = t.model_id and r.skipped) as skips,
    sum(t.undone)::int as undone
  from review_tasks t group by t.model_id
) as t left join (
  select g.model_id, sum(g.undone)::int as undone,
    (select count(*)::int from gold_leases l join review_gold o using (task_id) where o.model_id = g.model_id and l.expires_at > $1) as leased,
    (select count(*)::int from gold_answers a join review_gold o using (task_id) where o.model_id = g.model_id and not a.skipped) as answers,
    (select count(*)::int from gold_answers a join review_gold o using (task_id) where o.model_id = g.model_id and a.skipped) as skips
  from review_gold g group by g.model_id
) as g using (model_id) order by model_id`

/**
 * Counts of tasks, leases and answers by model, in the order of model ids. What people did counts
 * gold in; tasks do not.
 */
export const reviewStats = ({
  db,
  now,
}: ReviewStore): Promise<(ReviewStats & { has_gold: boolean })[]> =>
  db.query(STATS, [new Date(now())])

/**
 * Locks a task until the transaction ends: answers and leases of one task change one after another.
 *
 * @returns undefined where there is no such task
 */
export async function lockTask(tx: Sql, taskId: string): Promise<LockedTask | undefined> {
  const [task] = await tx.query<LockedTask>(
    'select task_id, model_id, prediction_id, state, reviewers, extra from review_tasks where task_id = $1 for update',
    [taskId],
  )
  return task
}

/** Leaves a task's row as it is now for ClickHouse's `review_tasks_log`. */
export async function mirrorTask(tx: Sql, taskId: string): Promise<void> {
  const [task] = await tx.query(
    'select task_id, model_id, prediction_id, state, reviewers, inclusion_probability, created_at, revision from review_tasks where task_id = $1',
    [taskId],
  )
  await enqueueRow(tx, 'review_tasks_log', task!)
}
