/**
 * Tasks with known answers as reviewers hold them: leases, answers and skips of gold, which look to
 * a reviewer as those of the queue do and change nothing there.
 */
import { randomUUID } from 'node:crypto'
import type { Sql } from '../../../../lib/postgres/port.ts'
import {
  nextStates,
  type NextStates,
  type ReviewLabel,
  type SkipReason,
} from '../../data/review-label.ts'

/** The reviewer's hold on a task, by the lease that the claim gave. */
interface Hold {
  taskId: string
  reviewer: string
  leaseId: string
}

/** A gold task whose lease was taken off. */
export interface HeldGold {
  task_id: string
  model_id: string
  prediction_id: string
  next_states: NextStates
}

/** What is kept of an answer to gold. */
interface GoldAnswer extends Hold {
  label: ReviewLabel | null
  reason: SkipReason | ''
  comment: string
}

/** A lease as a claim answers it. */
interface GoldLease extends Omit<HeldGold, 'next_states'> {
  lease_id: string
  lease_expires_at: string
}

/** Gold that the reviewer has not seen in any way; each reviewer meets it in an order of their own. */
const UNSEEN_GOLD = `
select g.task_id, g.model_id, g.prediction_id from review_gold g
where g.model_id = $1 and g.retired_at is null
  and not exists (select 1 from gold_answers a where a.task_id = g.task_id and a.reviewer = $2)
  and not exists (select 1 from reviews r where r.task_id = g.task_id and r.reviewer = $2)
order by md5(g.task_id || $2) limit 1`

/** How a task of the queue stands. */
const STANDING = `
select t.reviewers, (count(r.*) filter (where not r.skipped))::int as answers, (count(r.*) filter (where r.skipped))::int as skips,
  (count(r.*) filter (where r.reason = 'bad_example'))::int as "badExamples"
from review_tasks t left join reviews r using (task_id) where t.task_id = $1 group by t.task_id`

/**
 * Leases a gold task of a model that the reviewer has not seen, in place of a task of the queue.
 *
 * @param claim.instead the task whose place it takes: answers to both come to the same state
 * @param claim.until when the lease ends
 * @returns undefined where there is none
 */
export async function claimGold(
  tx: Sql,
  claim: { modelId: string; reviewer: string; instead: string; until: Date },
): Promise<GoldLease | undefined> {
  const { modelId, reviewer, instead, until } = claim
  const [gold] = await tx.query<Omit<HeldGold, 'next_states'>>(UNSEEN_GOLD, [modelId, reviewer])
  if (!gold) return undefined
  const [standing] = await tx.query<Parameters<typeof nextStates>[0]>(STANDING, [instead])
  const states = nextStates(standing!)
  return { ...gold, ...(await leaseGold(tx, { taskId: gold.task_id, reviewer, states, until })) }
}

/** Gives a reviewer a lease of a gold task. */
async function leaseGold(
  tx: Sql,
  lease: { taskId: string; reviewer: string; states: NextStates; until: Date },
): Promise<{ lease_id: string; lease_expires_at: string }> {
  const leaseId = randomUUID()
  await tx.query(
    'insert into gold_leases (task_id, reviewer, lease_id, expires_at, next_states) values ($1, $2, $3, $4, $5::jsonb)',
    [lease.taskId, lease.reviewer, leaseId, lease.until, JSON.stringify(lease.states)],
  )
  return { lease_id: leaseId, lease_expires_at: lease.until.toISOString() }
}

/** Takes the lease off; undefined where it is none of a gold task. */
export async function takeGoldLease(tx: Sql, hold: Hold): Promise<HeldGold | undefined> {
  const [gold] = await tx.query<HeldGold>(
    `delete from gold_leases l using review_gold g
     where g.task_id = l.task_id and l.task_id = $1 and l.reviewer = $2 and l.lease_id = $3
     returning g.task_id, g.model_id, g.prediction_id, l.next_states`,
    [hold.taskId, hold.reviewer, hold.leaseId],
  )
  return gold
}

/**
 * Keeps an answer or a skip of a gold task.
 *
 * @returns the state that the task of the queue would have come to, whose place it took
 */
export async function recordGold(
  tx: Sql,
  { next_states: states }: HeldGold,
  answer: GoldAnswer,
  at: Date,
): Promise<string> {
  const { taskId, reviewer, label, reason, comment } = answer
  const isSkipped = label === null
  const state = states[reason === '' ? 'answer' : reason]
  await tx.query(
    `insert into gold_answers (task_id, reviewer, label, skipped, reason, comment, state, next_states, submitted_at)
     values ($1, $2, $3::jsonb, $4, $5, $6, $7, $8::jsonb, $9)`,
    [
      taskId,
      reviewer,
      isSkipped ? null : JSON.stringify(label),
      isSkipped,
      reason,
      comment,
      state,
      JSON.stringify(states),
      at,
    ],
  )
  return state
}

/** Whether the reviewer was told that this gold task takes no more answers. */
export async function isGoldClosed(
  tx: Sql,
  { taskId, reviewer }: Pick<Hold, 'taskId' | 'reviewer'>,
): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from gold_answers where task_id = $1 and reviewer = $2 and state <> 'open'`,
    [taskId, reviewer],
  )
  return rows.length > 0
}

/**
 * Takes an answer to gold back and gives its reviewer the task again.
 *
 * @param until when the new lease ends
 */
export async function undoGold(
  tx: Sql,
  { taskId, reviewer, until }: { taskId: string; reviewer: string; until: Date },
): Promise<{ task_id: string; lease_id: string; lease_expires_at: string }> {
  const [answer] = await tx.query<{ next_states: NextStates }>(
    'delete from gold_answers where task_id = $1 and reviewer = $2 returning next_states',
    [taskId, reviewer],
  )
  await tx.query('update review_gold set undone = undone + 1 where task_id = $1', [taskId])
  return {
    task_id: taskId,
    ...(await leaseGold(tx, { taskId, reviewer, states: answer!.next_states, until })),
  }
}

/** Gives a gold task to nobody any more, whose prediction is not stored. */
export async function retireGone(tx: Sql, taskId: string, at: Date): Promise<void> {
  await tx.query('delete from gold_leases where task_id = $1', [taskId])
  await tx.query(
    'update review_gold set retired_at = $2 where task_id = $1 and retired_at is null',
    [taskId, at],
  )
}
