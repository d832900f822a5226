/** The review queue: tasks, leases and answers in PostgreSQL. Each reviewer answers a task once; N answers make a label. */
import { randomUUID } from 'node:crypto'
import type { Postgres, Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { leaveRow } from '../../../lib/postgres/outbox.ts'

export interface DrawnTask {
  taskId: string
  modelId: string
  predictionId: string
  reviewers: number
  inclusionProbability: number
}

export interface ClaimedTask {
  task_id: string
  lease_id: string
  lease_expires_at: string
  model_id: string
  prediction_id: string
}

export type ReviewLabel = string | number | boolean

/** A task with all its answers, whose label has not been sent yet. */
export interface FinishedTask {
  taskId: string
  modelId: string
  predictionId: string
  inclusionProbability: number
  label: ReviewLabel
  /** Share of the answers that agree with the label. */
  agreement: number
  answeredAt: Date
}

/** How many tasks that others have just filled one claim passes by. */
const CLAIM_TRIES = 20

const MAX_ANSWERS = 1000

/** $1 is the reviewer, $2 the time. */
const LACKS_ANSWERS = `t.state = 'open'
  and not exists (select 1 from reviews r where r.task_id = t.task_id and r.reviewer = $1)
  and (select count(*) from reviews r where r.task_id = t.task_id and not r.skipped)
    + (select count(*) from review_leases l where l.task_id = t.task_id and l.reviewer <> $1 and l.expires_at > $2) < t.reviewers`

/**
 * The task to try next, locked. What is counted here may be old: under READ COMMITTED a statement counts what was committed
 * when it began, so it is counted again once the lock is held.
 */
const CLAIMABLE = `
select t.task_id from review_tasks t
where ${LACKS_ANSWERS} and ($3::text is null or t.model_id = $3) and t.task_id <> all($4::text[])
order by t.created_at, t.task_id limit 1 for update of t skip locked`

export function reviewQueue(db: Postgres, leaseSeconds: number, now: () => number) {
  const at = () => new Date(now())

  async function leaseOf(tx: Sql, taskId: string, reviewer: string, leaseId: string) {
    const [lease] = await tx.query<{ expires_at: Date }>(
      'select expires_at from review_leases where task_id = $1 and reviewer = $2 and lease_id = $3 for update',
      [taskId, reviewer, leaseId],
    )
    if (!lease || new Date(lease.expires_at) < at())
      throw new Problem(409, 'lease_lost', 'the lease of this task has ended; claim again')
  }

  /** Leases a locked task, unless leases or answers have filled it since it was chosen. */
  async function leaseTask(
    tx: Sql,
    taskId: string,
    reviewer: string,
  ): Promise<ClaimedTask | undefined> {
    const [lease] = await tx.query<ClaimedTask>(
      `with lease as (
         insert into review_leases (task_id, reviewer, lease_id, expires_at)
         select t.task_id, $1, $4, $5 from review_tasks t where t.task_id = $3 and ${LACKS_ANSWERS}
         on conflict (task_id, reviewer) do update set lease_id = excluded.lease_id, expires_at = excluded.expires_at
         returning task_id, lease_id, expires_at
       )
       select lease.task_id, lease.lease_id, lease.expires_at as lease_expires_at, t.model_id, t.prediction_id from lease join review_tasks t using (task_id)`,
      [reviewer, at(), taskId, randomUUID(), new Date(now() + leaseSeconds * 1000)],
    )
    return lease && { ...lease, lease_expires_at: new Date(lease.lease_expires_at).toISOString() }
  }

  async function answer(
    taskId: string,
    reviewer: string,
    leaseId: string,
    label: ReviewLabel | null,
    comment: string,
  ) {
    return db.transaction(async (tx) => {
      const state = await lockTask(tx, taskId)
      await leaseOf(tx, taskId, reviewer, leaseId)
      // Clocks of two processes differ: a lease that has ended for one of them may stand for the other.
      if (state === 'done' && label !== null)
        throw new Problem(409, 'task_done', 'the task has all its answers; claim another one')
      await tx.query('delete from review_leases where task_id = $1 and reviewer = $2', [
        taskId,
        reviewer,
      ])
      await tx.query(
        'insert into reviews (task_id, reviewer, label, skipped, comment, submitted_at) values ($1, $2, $3::jsonb, $4, $5, $6)',
        [
          taskId,
          reviewer,
          label === null ? null : JSON.stringify(label),
          label === null,
          comment,
          at(),
        ],
      )
      const [task] = await tx.query<{ model_id: string; prediction_id: string; state: string }>(
        `update review_tasks t set revision = revision + 1,
           state = case when (select count(*) from reviews r where r.task_id = t.task_id and not r.skipped) >= t.reviewers then 'done' else state end
         where task_id = $1 returning model_id, prediction_id, state`,
        [taskId],
      )
      if (label !== null)
        await leaveRow(tx, 'reviews', {
          task_id: taskId,
          model_id: task!.model_id,
          prediction_id: task!.prediction_id,
          reviewer,
          label: String(label),
          comment,
          submitted_at: at().toISOString(),
        })
      await mirrorTask(tx, taskId)
      return { task_id: taskId, state: task!.state }
    })
  }

  return {
    /** Adds tasks that are not there yet; the same draw again adds none. */
    add: async (tasks: readonly DrawnTask[]): Promise<number> => {
      let added = 0
      for (const task of tasks) {
        await db.transaction(async (tx) => {
          const rows = await tx.query(
            `insert into review_tasks (task_id, model_id, prediction_id, reviewers, inclusion_probability, created_at)
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning task_id`,
            [
              task.taskId,
              task.modelId,
              task.predictionId,
              task.reviewers,
              task.inclusionProbability,
              at(),
            ],
          )
          if (rows.length === 0) return
          added++
          await mirrorTask(tx, task.taskId)
        })
      }
      return added
    },

    /** The oldest task that this reviewer has not seen and that still lacks answers, counting leases as answers to come. */
    claim: (reviewer: string, modelId: string | undefined): Promise<ClaimedTask | undefined> =>
      db.transaction(async (tx) => {
        const full: string[] = []
        while (full.length < CLAIM_TRIES) {
          const [task] = await tx.query<{ task_id: string }>(CLAIMABLE, [
            reviewer,
            at(),
            modelId ?? null,
            full,
          ])
          if (!task) return undefined
          const lease = await leaseTask(tx, task.task_id, reviewer)
          if (lease) return lease
          full.push(task.task_id)
        }
        return undefined
      }),

    /** The model a task is of; undefined where there is no such task. */
    modelOf: async (taskId: string): Promise<string | undefined> => {
      const [task] = await db.query<{ model_id: string }>(
        'select model_id from review_tasks where task_id = $1',
        [taskId],
      )
      return task?.model_id
    },

    submit: (
      taskId: string,
      reviewer: string,
      leaseId: string,
      label: ReviewLabel,
      comment: string,
    ) => answer(taskId, reviewer, leaseId, label, comment),
    skip: (taskId: string, reviewer: string, leaseId: string, comment: string) =>
      answer(taskId, reviewer, leaseId, null, comment),

    release: (taskId: string, reviewer: string, leaseId: string) =>
      db.transaction(async (tx) => {
        await lockTask(tx, taskId)
        await leaseOf(tx, taskId, reviewer, leaseId)
        await tx.query('delete from review_leases where task_id = $1 and reviewer = $2', [
          taskId,
          reviewer,
        ])
        return { task_id: taskId, state: 'open' }
      }),

    stats: async () =>
      db.query(
        `select t.model_id, count(*) filter (where t.state = 'open')::int as open, count(*) filter (where t.state = 'done')::int as done,
           (select count(*)::int from review_leases l join review_tasks o using (task_id) where o.model_id = t.model_id and l.expires_at > $1) as leased,
           (select count(*)::int from reviews r join review_tasks o using (task_id) where o.model_id = t.model_id and not r.skipped) as answers,
           (select count(*)::int from reviews r join review_tasks o using (task_id) where o.model_id = t.model_id and r.skipped) as skips
         from review_tasks t group by t.model_id order by t.model_id`,
        [at()],
      ),

    /** Tasks with all their answers whose label is not sent, but those of `except`; of a bounded number of answers. */
    finished: async (except: readonly string[] = []): Promise<FinishedTask[]> => {
      const rows = await db.query<{
        task_id: string
        model_id: string
        prediction_id: string
        inclusion_probability: number
        label: ReviewLabel
        submitted_at: Date
      }>(
        `select t.task_id, t.model_id, t.prediction_id, t.inclusion_probability, r.label, r.submitted_at
         from review_tasks t join reviews r using (task_id)
         where t.state = 'done' and not t.label_emitted and not r.skipped and t.task_id <> all($1::text[]) order by t.task_id, r.submitted_at limit ${MAX_ANSWERS}`,
        [except],
      )
      const byTask = Map.groupBy(rows, (row) => row.task_id)
      // The last of many may have more answers than were read: its turn comes.
      if (rows.length === MAX_ANSWERS && byTask.size > 1) byTask.delete(rows.at(-1)!.task_id)
      return [...byTask.values()].map((answers) => {
        const [first] = answers
        const { label, votes } = majority(answers.map((row) => row.label))
        return {
          taskId: first!.task_id,
          modelId: first!.model_id,
          predictionId: first!.prediction_id,
          inclusionProbability: first!.inclusion_probability,
          label,
          agreement: votes / answers.length,
          answeredAt: new Date(answers.at(-1)!.submitted_at),
        }
      })
    },

    markEmitted: async (taskId: string) => {
      await db.query('update review_tasks set label_emitted = true where task_id = $1', [taskId])
    },
  }
}
export type ReviewQueue = ReturnType<typeof reviewQueue>

/** The label most answers give; of equals, the one given first. */
function majority(labels: readonly ReviewLabel[]): { label: ReviewLabel; votes: number } {
  const votes = new Map<string, { label: ReviewLabel; votes: number }>()
  for (const label of labels) {
    const entry = votes.get(String(label)) ?? { label, votes: 0 }
    entry.votes++
    votes.set(String(label), entry)
  }
  return [...votes.values()].reduce((a, b) => (b.votes > a.votes ? b : a))
}

/** Answers and leases of one task change one after another. @returns its state, undefined where there is none */
async function lockTask(tx: Sql, taskId: string): Promise<string | undefined> {
  const [task] = await tx.query<{ state: string }>(
    'select state from review_tasks where task_id = $1 for update',
    [taskId],
  )
  return task?.state
}

async function mirrorTask(tx: Sql, taskId: string) {
  const [task] = await tx.query(
    'select task_id, model_id, prediction_id, state, reviewers, inclusion_probability, created_at, revision from review_tasks where task_id = $1',
    [taskId],
  )
  await leaveRow(tx, 'review_tasks_log', task!)
}
