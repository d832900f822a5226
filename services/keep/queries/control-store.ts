/** What PostgreSQL holds about subjects, and which process does the work of keeping. */
import type { Postgres } from '../../../lib/postgres/port.ts'
import { MIN_FOUND_ANYWHERE } from '../data/subject-tables.ts'

/** Tables that hold something by task, those first that others are named by. */
const TASK_TABLES = [
  'reviews',
  'review_leases',
  'review_adjudications',
  'review_tasks',
  'gold_answers',
  'gold_leases',
  'review_gold',
  'review_flags',
]

/**
 * Removes tasks, leases and answers of predictions, known answers among them, questions to judges, and
 * rows of them on their way to ClickHouse.
 *
 * @returns how many tasks and questions there were
 */
export async function eraseTasks(
  db: Postgres,
  predictions: readonly { model_id: string; prediction_id: string }[],
): Promise<number> {
  const of = [predictions.map((one) => one.model_id), predictions.map((one) => one.prediction_id)]
  return db.transaction(async (tx) => {
    const questions = await tx.query(
      `delete from judge_questions q using unnest($1::text[], $2::text[]) as p (model_id, prediction_id)
       where q.model_id = p.model_id and q.prediction_id = p.prediction_id returning q.question_id`,
      of,
    )
    const tasks = await tx.query<{ task_id: string }>(
      `select t.task_id from (
         select task_id, model_id, prediction_id from review_tasks union select task_id, model_id, prediction_id from review_gold
       ) as t join unnest($1::text[], $2::text[]) as p (model_id, prediction_id) using (model_id, prediction_id)`,
      of,
    )
    const ids = tasks.map((task) => task.task_id)
    if (ids.length === 0) return questions.length
    for (const table of TASK_TABLES)
      await tx.query(`delete from ${table} where task_id = any($1)`, [ids])
    for (const table of ['outbox', 'outbox_refused'])
      await tx.query(`delete from ${table} where row->>'task_id' = any($1)`, [ids])
    return ids.length + questions.length
  })
}

/**
 * Forgets what data sets were asked by, where that names a subject: ids of {@link MIN_FOUND_ANYWHERE}
 * characters or more are looked for anywhere, shorter ones between quotes.
 */
export async function eraseManifests(
  db: Postgres,
  ids: readonly string[],
  now: number,
): Promise<number> {
  const texts = ids.map((id) => {
    const quoted = JSON.stringify(id)
    return id.length >= MIN_FOUND_ANYWHERE ? quoted.slice(1, -1) : quoted
  })
  const rows = await db.query(
    `update datasets set manifest = null, erased_at = $2
     where exists (select 1 from unnest($1::text[]) as text where position(text in manifest::text) > 0) returning dataset_id`,
    [texts, new Date(now)],
  )
  return rows.length
}

/**
 * Rewrites the tables without the rows that were deleted, and lets go of the log that still has
 * them.
 */
export async function compact(db: Postgres): Promise<void> {
  for (const table of [...TASK_TABLES, 'outbox', 'outbox_refused', 'datasets', 'judge_questions'])
    await db.exec(`vacuum full ${table}`)
  await db.forgetLog?.()
}

/** Tasks and answers of predictions, for their export. */
export const reviewsOf = (
  db: Postgres,
  predictions: readonly { model_id: string; prediction_id: string }[],
): Promise<Record<string, unknown>[]> =>
  db.query(
    `select t.task_id, t.model_id, t.prediction_id, t.state, r.reviewer, r.label, r.skipped, r.comment, r.submitted_at
     from review_tasks t
     join unnest($1::text[], $2::text[]) as p (model_id, prediction_id) using (model_id, prediction_id)
     left join reviews r using (task_id)
     union all
     select g.task_id, g.model_id, g.prediction_id, 'gold', a.reviewer, a.label, a.skipped, a.comment, a.submitted_at
     from review_gold g
     join unnest($1::text[], $2::text[]) as p (model_id, prediction_id) using (model_id, prediction_id)
     left join gold_answers a using (task_id) order by task_id, reviewer limit 1000`,
    [predictions.map((one) => one.model_id), predictions.map((one) => one.prediction_id)],
  )

/** Questions to judges about predictions, with their answers, for their export. */
export const judgementsOf = (
  db: Postgres,
  predictions: readonly { model_id: string; prediction_id: string }[],
): Promise<Record<string, unknown>[]> =>
  db.query(
    `select q.model_id, q.prediction_id, q.judge, q.version, q.state, q.reason, q.label, q.comment, q.created_at, q.ended_at
     from judge_questions q
     join unnest($1::text[], $2::text[]) as p (model_id, prediction_id) using (model_id, prediction_id)
     order by q.question_id limit 1000`,
    [predictions.map((one) => one.model_id), predictions.map((one) => one.prediction_id)],
  )

/**
 * Takes a piece of work for this process alone, or keeps it for longer; false where another one has
 * it.
 */
export async function claimWork(
  db: Postgres,
  { name, holder, now, forMs }: { name: string; holder: string; now: number; forMs: number },
): Promise<boolean> {
  const rows = await db.query(
    `insert into keep_work (name, holder, until) values ($1, $2, $3)
     on conflict (name) do update set holder = excluded.holder, until = excluded.until
     where keep_work.until <= $4 or keep_work.holder = excluded.holder returning name`,
    [name, holder, new Date(now + forMs), new Date(now)],
  )
  return rows.length > 0
}

/** Gives the work back, and says when it was done, where it was. */
export async function releaseWork(
  db: Postgres,
  { name, holder, now, isDone }: { name: string; holder: string; now: number; isDone: boolean },
): Promise<void> {
  await db.query(
    'update keep_work set until = $3, done_at = case when $4 then $3 else done_at end where name = $1 and holder = $2',
    [name, holder, new Date(now), isDone],
  )
}

/** When a piece of work was done last; undefined where it never was. */
export async function lastDone(db: Postgres, name: string): Promise<Date | undefined> {
  const [row] = await db.query<{ done_at: Date | string | null }>(
    'select done_at from keep_work where name = $1',
    [name],
  )
  return row?.done_at ? new Date(row.done_at) : undefined
}
