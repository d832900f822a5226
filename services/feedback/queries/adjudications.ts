/** Tasks whose reviewers disagree, as an adjudicator claims and decides them. */
import { randomUUID } from 'node:crypto'
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Vote } from '../../../schemas/http/reviews/adjudication.ts'
import type { ReviewLabel } from '../data/review-label.ts'
import type { AnsweredTask, ReviewAnswer } from './review-answers.ts'
import type { ClaimedTask } from './review-leases.ts'
import { lockTask, mirrorTask, type ReviewStore } from './review-tasks.ts'

/**
 * The first disputed task of models $2 that nobody else holds and that the adjudicator $1 has not
 * voted on, theirs first; what another transaction takes at this moment is passed by.
 */
const CLAIM = `
with next as (
  select t.task_id, t.model_id, t.prediction_id from review_tasks t left join review_adjudications a using (task_id)
  where t.state = 'disputed' and t.model_id = any($2) and (a.task_id is null or a.adjudicator = $1 or a.expires_at < $3)
    and not exists (select 1 from reviews r where r.task_id = t.task_id and r.reviewer = $1 and not r.skipped)
    and not exists (select 1 from review_pauses p where p.model_id = t.model_id)
  order by (a.adjudicator is not distinct from $1) desc, t.position limit 1 for update of t skip locked
)
insert into review_adjudications as a (task_id, adjudicator, lease_id, expires_at) select task_id, $1, $4, $5 from next
on conflict (task_id) do update set adjudicator = excluded.adjudicator, expires_at = excluded.expires_at,
  lease_id = case when a.adjudicator = excluded.adjudicator then a.lease_id else excluded.lease_id end
returning a.task_id, a.lease_id, a.expires_at as lease_expires_at, (select model_id from next) as model_id, (select prediction_id from next) as prediction_id`

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
    const ends = new Date(store.now() + store.leaseSeconds * 1000)
    const [task] = await tx.query<ClaimedTask>(CLAIM, [
      adjudicator,
      models,
      new Date(store.now()),
      randomUUID(),
      ends,
    ])
    if (!task) return undefined
    return { ...task, lease_expires_at: ends.toISOString(), votes: await votesOf(tx, task.task_id) }
  })
}

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
