/** Tasks whose reviewers disagree, as an adjudicator claims and decides them. */
import { randomUUID } from 'node:crypto'
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Vote } from '../../../schemas/http/reviews/adjudication.ts'
import type { ReviewLabel } from '../data/review-label.ts'
import type { AnsweredTask, ReviewAnswer } from './review-answers.ts'
import type { ClaimedTask } from './review-leases.ts'
import { lockTask, mirrorTask, type ReviewStore } from './review-tasks.ts'

/** The task that the adjudicator $1 holds already, of models $2. */
const HELD = `
select t.task_id, t.model_id, t.prediction_id from review_adjudications a join review_tasks t using (task_id)
where a.adjudicator = $1 and a.decided_at is null and t.state = 'disputed' and t.model_id = any($2) limit 1 for update of t`

/**
 * The first disputed task of each of models $2 that nobody else holds and that the adjudicator $1
 * has not voted on, and the first of these; what another transaction takes at this moment is passed
 * by. Asked of each task in its place, and not as a join, which would read all of them.
 */
const NEXT = `
select first.task_id, first.model_id, first.prediction_id from unnest($2::text[]) as asked (model_id) cross join lateral (
  select t.task_id, t.model_id, t.prediction_id, t.position from review_tasks t
  where t.state = 'disputed' and t.model_id = asked.model_id
    and coalesce((select false from review_adjudications a where a.task_id = t.task_id and a.adjudicator <> $1 and a.expires_at >= $3), true)
    and coalesce((select false from reviews r where r.task_id = t.task_id and r.reviewer = $1 and not r.skipped), true)
  order by t.position limit 1 for update of t skip locked
) as first
where not exists (select 1 from review_pauses p where p.model_id = asked.model_id) order by first.position limit 1`

const LEASE = `
insert into review_adjudications as a (task_id, adjudicator, lease_id, expires_at) values ($1, $2, $3, $4)
on conflict (task_id) do update set adjudicator = excluded.adjudicator, expires_at = excluded.expires_at,
  lease_id = case when a.adjudicator = excluded.adjudicator then a.lease_id else excluded.lease_id end
returning lease_id`

/**
 * Leases a disputed task to an adjudicator, with its votes; two tabs of one person have one task.
 *
 * @param claim.models models whose disputes they may decide
 * @returns undefined where there is none
 */
export function claimDispute(
  store: ReviewStore,
  { adjudicator, models }: { adjudicator: string; models: readonly string[] },
): Promise<(ClaimedTask & { votes: Vote[] }) | undefined> {
  return store.db.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [adjudicator])
    const now = new Date(store.now())
    const [held] = await tx.query<Disputed>(HELD, [adjudicator, models])
    const task = held ?? (await tx.query<Disputed>(NEXT, [adjudicator, models, now]))[0]
    if (!task) return undefined
    const ends = new Date(store.now() + store.leaseSeconds * 1000)
    const lease = [task.task_id, adjudicator, randomUUID(), ends]
    const [given] = await tx.query<{ lease_id: string }>(LEASE, lease)
    return {
      ...task,
      lease_id: given!.lease_id,
      lease_expires_at: ends.toISOString(),
      votes: await votesOf(tx, task.task_id),
    }
  })
}

type Disputed = Pick<ClaimedTask, 'task_id' | 'model_id' | 'prediction_id'>

const votesOf = (tx: Sql, taskId: string): Promise<Vote[]> =>
  tx.query<Vote>(
    `select label #>> '{}' as label, count(*)::int as votes from reviews where task_id = $1 and not skipped group by 1 order by 1`,
    [taskId],
  )

const DECIDE = `
update review_tasks set revision = revision + 1, state = 'done', label = $2::jsonb, votes = $3, answers = $4,
  answered_at = greatest($5, undone_at + interval '1 millisecond') where task_id = $1`

/**
 * Decides a disputed task: what the adjudicator says is its label, whoever voted for it.
 *
 * @throws {Problem} 409 `task_done` where it is disputed no more, 409 `lease_lost` where another has
 *   it, 409 `own_vote` for whoever has voted on it
 */
export function decideDispute(
  store: ReviewStore,
  { taskId, reviewer, leaseId, label, comment }: ReviewAnswer,
): Promise<AnsweredTask> {
  return store.db.transaction(async (tx) => {
    const task = await lockTask(tx, taskId)
    if (task?.state !== 'disputed')
      throw new Problem(409, 'task_done', 'the task is disputed no more; claim another one')
    await requireNoVote(tx, taskId, reviewer)
    const at = new Date(store.now())
    const [held] = await tx.query(
      `update review_adjudications set label = $4::jsonb, comment = $5, decided_at = $6
       where task_id = $1 and adjudicator = $2 and lease_id = $3 returning task_id`,
      [taskId, reviewer, leaseId, JSON.stringify(label), comment, at],
    )
    if (!held) throw new Problem(409, 'lease_lost', 'the lease of this task has ended; claim again')
    const votes = await votesOf(tx, taskId)
    const answers = votes.reduce((sum, vote) => sum + vote.votes, 0)
    const own = votes.find((vote) => vote.label === String(label))?.votes ?? 0
    await tx.query(DECIDE, [taskId, JSON.stringify(label), own, answers, at])
    await mirrorTask(tx, taskId)
    const { model_id, prediction_id } = task
    return { task_id: taskId, state: 'done', model_id, prediction_id }
  })
}

async function requireNoVote(tx: Sql, taskId: string, reviewer: string): Promise<void> {
  const [own] = await tx.query<{ label: ReviewLabel }>(
    'select label from reviews where task_id = $1 and reviewer = $2 and not skipped',
    [taskId, reviewer],
  )
  if (own) throw new Problem(409, 'own_vote', 'you have voted on this task: another decides it')
}

/** Whether an adjudicator has decided the task. */
export async function isDecided(tx: Sql, taskId: string): Promise<boolean> {
  const rows = await tx.query(
    'select 1 from review_adjudications where task_id = $1 and decided_at is not null',
    [taskId],
  )
  return rows.length > 0
}
