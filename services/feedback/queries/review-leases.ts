/**
 * Leases of review tasks: a reviewer claims a task, holds it for a while, and may give it back.
 *
 * `taken` of a task counts its answers, and its leases as answers to come; whoever changes it holds
 * the task's lock. A lease counts until it is taken off, also when its time is over: until another
 * reviewer asks for a task, its own reviewer may answer.
 */
import { randomUUID } from 'node:crypto'
import type { Sql } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { claimGold, retireGone, takeGoldLease } from './gold/gold-leases.ts'
import { lockTask, mirrorTask, rulesOf, type ReviewStore } from './review-tasks.ts'

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

/** Who asks for a task, of which models; of any where undefined. */
interface Claim {
  reviewer: string
  models: readonly string[] | undefined
  /** Models whose tasks are assigned to others; what they hold of these they keep. */
  except?: readonly string[]
}

/** Ended leases that one claim takes off. */
const MAX_ENDED = 100

const CLAIMABLE = `t.state = 'open' and t.taken < t.reviewers`
/** $1 is the reviewer. */
const UNSEEN = `not exists (select 1 from reviews r where r.task_id = t.task_id and r.reviewer = $1)
  and not exists (select 1 from review_leases l where l.task_id = t.task_id and l.reviewer = $1)`

/**
 * Models with claimable tasks, neither paused nor of $3, in the order of their next one past the
 * reviewer's cursor; those with none there last. The models themselves are read off the index, one step each.
 */
const MODELS = `
with recursive found as (
  (select model_id from review_tasks t where ${CLAIMABLE} order by model_id limit 1)
  union all
  select (select t.model_id from review_tasks t where ${CLAIMABLE} and t.model_id > found.model_id order by t.model_id limit 1)
  from found where found.model_id is not null
), asked as (
  select model_id from found where model_id is not null and $2::text[] is null
  union select unnest($2::text[])
)
select a.model_id, (
  select t.position from review_tasks t where t.model_id = a.model_id and ${CLAIMABLE}
    and t.position > coalesce((select c.position from review_cursors c where c.reviewer = $1 and c.model_id = a.model_id), 0)
  order by t.position limit 1) as position
from asked a where not exists (select 1 from review_pauses p where p.model_id = a.model_id) and not a.model_id = any($3::text[])
order by position nulls last, model_id`

/** The first task of model $2 past the reviewer's cursor, locked; what others hold is passed by. */
const NEXT = `
select t.task_id from review_tasks t where t.model_id = $2 and ${CLAIMABLE} and ${UNSEEN}
  and t.position > coalesce((select c.position from review_cursors c where c.reviewer = $1 and c.model_id = $2), 0)
order by t.position limit 1 for update of t skip locked`

/** The first of all, locked; waits for those that hold one. */
const ANY = `
select t.task_id from review_tasks t where t.model_id = $2 and ${CLAIMABLE} and ${UNSEEN}
order by t.position limit 1 for update of t`

const LEASE = `
with task as (
  update review_tasks set taken = taken + 1 where task_id = $1 returning task_id, model_id, prediction_id, position
), cursor as (
  insert into review_cursors (reviewer, model_id, position) select $2, model_id, position from task
  on conflict (reviewer, model_id) do update set position = greatest(review_cursors.position, excluded.position)
)
insert into review_leases (task_id, reviewer, lease_id, expires_at) select task_id, $2, $3, $4 from task
returning task_id, lease_id, expires_at as lease_expires_at, (select model_id from task) as model_id, (select prediction_id from task) as prediction_id`

/** The task that the reviewer works on already, for longer; gold as well. */
const HELD = `
with held as (
  select l.lease_id, l.expires_at, false as is_gold from review_leases l join review_tasks t using (task_id)
  where l.reviewer = $1 and t.state = 'open' and ($2::text[] is null or t.model_id = any($2))
  union all
  select l.lease_id, l.expires_at, true from gold_leases l join review_gold g using (task_id)
  where l.reviewer = $1 and ($2::text[] is null or g.model_id = any($2))
  order by expires_at desc limit 1
), drawn as (
  update review_leases l set expires_at = $3 from review_tasks t
  where l.lease_id = (select lease_id from held where not is_gold) and t.task_id = l.task_id
  returning l.task_id, l.lease_id, l.expires_at as lease_expires_at, t.model_id, t.prediction_id
), gold as (
  update gold_leases l set expires_at = $3 from review_gold g
  where l.lease_id = (select lease_id from held where is_gold) and g.task_id = l.task_id
  returning l.task_id, l.lease_id, l.expires_at as lease_expires_at, g.model_id, g.prediction_id
)
select * from drawn union all select * from gold`

/**
 * Takes off leases of others than $2 whose time is over; their tasks are locked first, as by all who change
 * `taken`.
 */
const END = `
with due as (
  select t.task_id from review_tasks t
  where t.task_id in (select task_id from review_leases where expires_at < $1 and reviewer <> $2 order by expires_at limit ${MAX_ENDED})
  for update skip locked
), ended as (
  delete from review_leases l using due where l.task_id = due.task_id and l.expires_at < $1 and l.reviewer <> $2 returning l.task_id
), gold as (
  delete from gold_leases where expires_at < $1 and reviewer <> $2
)
update review_tasks t set taken = taken - n, position = nextval('review_positions')
from (select task_id, count(*)::int as n from ended group by task_id) as counted where counted.task_id = t.task_id`

/**
 * Leases the task that the reviewer holds already, for longer: two tabs of one person have one
 * task. Otherwise it leases the first of the queue that they have not seen and that still lacks
 * answers; leases count as answers to come.
 *
 * @param claim.models tasks of these models alone; of any model where undefined
 * @returns undefined where there is no such task
 */
export async function claimTask(
  store: ReviewStore,
  claim: Claim,
): Promise<ClaimedTask | undefined> {
  // Apart from the claim: who waits for a task holds no other.
  await store.db.query(END, [new Date(store.now()), claim.reviewer])
  return store.db.transaction(
    async (tx) => (await heldTask(store, tx, claim)) ?? (await nextTask(store, tx, claim)),
  )
}

/** Has one tab of a person wait for another, until the transaction ends. */
async function heldTask(
  store: ReviewStore,
  tx: Sql,
  { reviewer, models }: Claim,
): Promise<ClaimedTask | undefined> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [reviewer])
  const [held] = await tx.query<ClaimedTask>(HELD, [reviewer, models ?? null, endOf(store)])
  return held && claimed(held)
}

async function nextTask(
  store: ReviewStore,
  tx: Sql,
  { reviewer, models, except = [] }: Claim,
): Promise<ClaimedTask | undefined> {
  const found = await tx.query<{ model_id: string; position: string | null }>(MODELS, [
    reviewer,
    models ?? null,
    except,
  ])
  const ahead = found.filter(({ position }) => position !== null)
  // Last what the cursor has passed: tasks that others held at that moment.
  const tries = [
    ...ahead.map((model) => ({ ...model, sql: NEXT })),
    ...found.map((model) => ({ ...model, sql: ANY })),
  ]
  for (const { model_id: modelId, sql } of tries) {
    const [task] = await tx.query<{ task_id: string }>(sql, [reviewer, modelId])
    if (!task) continue
    if (isGoldTurn(store, modelId)) {
      const until = endOf(store)
      const gold = await claimGold(tx, { modelId, reviewer, instead: task.task_id, until })
      if (gold) return gold
    }
    const lease = [task.task_id, reviewer, randomUUID(), endOf(store)]
    return claimed((await tx.query<ClaimedTask>(LEASE, lease))[0]!)
  }
  return undefined
}

/** By chance, so that nobody can count when it comes; and only where the queue has a task as well. */
const isGoldTurn = (store: ReviewStore, modelId: string) =>
  (store.random ?? Math.random)() < rulesOf(store, modelId).goldShare

const endOf = ({ now, leaseSeconds }: ReviewStore) => new Date(now() + leaseSeconds * 1000)

const claimed = (task: ClaimedTask): ClaimedTask => ({
  ...task,
  lease_expires_at: new Date(task.lease_expires_at).toISOString(),
})

/**
 * Keeps a lease for longer while its reviewer works.
 *
 * @throws {Problem} 409 `lease_lost` where another may have the task
 */
export async function renewLease(
  store: ReviewStore,
  { taskId, reviewer, leaseId }: HeldLease,
): Promise<{ task_id: string; lease_expires_at: string }> {
  const [lease] = await store.db.query<{ expires_at: Date }>(
    `with drawn as (
       update review_leases set expires_at = $4 where task_id = $1 and reviewer = $2 and lease_id = $3 returning expires_at
     ), gold as (
       update gold_leases set expires_at = $4 where task_id = $1 and reviewer = $2 and lease_id = $3 returning expires_at
     ) select * from drawn union all select * from gold`,
    [taskId, reviewer, leaseId, endOf(store)],
  )
  if (!lease) throw leaseLost()
  return { task_id: taskId, lease_expires_at: new Date(lease.expires_at).toISOString() }
}

/**
 * Gives a claimed task back, to the end of the queue, so that others may claim it first.
 *
 * @throws {Problem} 409 `lease_lost` where the lease has ended
 */
export function releaseTask(
  store: ReviewStore,
  held: HeldLease,
): Promise<{ task_id: string; state: string }> {
  return store.db.transaction(async (tx) => {
    if (await takeGoldLease(tx, held)) return { task_id: held.taskId, state: 'open' }
    const task = await lockTask(tx, held.taskId)
    await requireLease(tx, held)
    await endLease(tx, held)
    await tx.query(
      `update review_tasks set taken = taken - 1, position = nextval('review_positions') where task_id = $1`,
      [held.taskId],
    )
    return { task_id: held.taskId, state: task!.state }
  })
}

/** Takes a task off the queue whose prediction is not stored any more. */
export function closeGone(
  { db, now }: Pick<ReviewStore, 'db' | 'now'>,
  taskId: string,
): Promise<void> {
  return db.transaction(async (tx) => {
    await retireGone(tx, taskId, new Date(now()))
    if (!(await lockTask(tx, taskId))) return
    await tx.query('delete from review_leases where task_id = $1', [taskId])
    await tx.query(
      `update review_tasks set state = 'gone', revision = revision + 1 where task_id = $1 and state in ('open', 'disputed')`,
      [taskId],
    )
    await mirrorTask(tx, taskId)
  })
}

/** @throws {Problem} 409 `lease_lost` where the lease was taken off, or is another one */
export async function requireLease(
  tx: Sql,
  { taskId, reviewer, leaseId }: HeldLease,
): Promise<void> {
  const [lease] = await tx.query(
    'select 1 from review_leases where task_id = $1 and reviewer = $2 and lease_id = $3 for update',
    [taskId, reviewer, leaseId],
  )
  if (!lease) throw leaseLost()
}

const leaseLost = () =>
  new Problem(409, 'lease_lost', 'the lease of this task has ended; claim again')

/** Removes the lease of a reviewer on a task; whoever does so counts it off, or as an answer. */
export async function endLease(
  tx: Sql,
  { taskId, reviewer }: Pick<HeldLease, 'taskId' | 'reviewer'>,
): Promise<void> {
  await tx.query('delete from review_leases where task_id = $1 and reviewer = $2', [
    taskId,
    reviewer,
  ])
}
