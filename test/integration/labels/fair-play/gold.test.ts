/** Tasks whose answer is known hide among the others, change nothing there and measure people. */
import { expect, test } from 'vitest'
import { Problem } from '../../../../lib/runtime/errors.ts'
import { readAudit } from '../../../../lib/postgres/audit-log.ts'
import { finishedTasks } from '../../../../services/feedback/queries/finished-tasks.ts'
import {
  declareGold,
  goldGiven,
  goldInUse,
  listGold,
  MAX_GOLD,
} from '../../../../services/feedback/queries/gold/known-answers.ts'
import { answerTask, skipTask } from '../../../../services/feedback/queries/review-answers.ts'
import {
  claimTask,
  closeGone,
  releaseTask,
  renewLease,
} from '../../../../services/feedback/queries/review-leases.ts'
import { modelOfTask, reviewStats } from '../../../../services/feedback/queries/review-tasks.ts'
import { undoAnswer } from '../../../../services/feedback/queries/review-undo.ts'
import { eraseTasks } from '../../../../services/keep/queries/control-store.ts'
import { AT, DATABASES, queueOn, startBoth } from './both-databases.ts'

startBoth()
const always = { goldShare: 0.5, store: { random: () => 0 } }
const never = { goldShare: 0.5, store: { random: () => 0.9 } }
const shapeOf = (value: object) =>
  Object.entries(value)
    .map(([name, one]) => `${name}: ${typeof one}`)
    .toSorted()

test.each(DATABASES)('gold is leased, renewed and answered as others are on %s', async (db) => {
  const gold = await queueOn(db, 'alike-gold', always)
  await gold.know(1)
  const other = await queueOn(db, 'alike', never)
  const stepsOn = async ({ claim, store }: typeof gold) => {
    const first = (await claim('ann'))!
    const held = { taskId: first.task_id, leaseId: first.lease_id, reviewer: 'ann' }
    const again = (await claim('ann'))!
    expect(again.lease_id).toBe(first.lease_id)
    const renewed = await renewLease(store, held)
    const answer = await answerTask(store, { ...held, label: '1', comment: '' })
    const twice = await answerTask(store, { ...held, label: '1', comment: '' }).catch(String)
    const late = await renewLease(store, held).catch(String)
    const undone = await undoAnswer(store, { taskId: first.task_id, reviewer: 'ann' })
    const back = await releaseTask(store, { ...held, leaseId: undone.lease_id })
    return [
      ...[shapeOf(first), shapeOf(renewed), answer.state, twice, late, shapeOf(undone)],
      ...[Object.keys(back).toSorted(), back.state],
    ]
  }
  // One after the other: what ann may undo is her last answer in either queue.
  const first = await stepsOn(gold)
  expect(first).toEqual(await stepsOn(other))
  // The id is that which a drawn task of the prediction would have.
  const held = (await gold.claim('ann'))!
  expect(held).toMatchObject({ prediction_id: 'gold-0' })
  expect(held.task_id).toMatch(/^[0-9a-f]{32}$/)
  expect(await modelOfTask(gold.db, held.task_id)).toBe('alike-gold')
})

test.each(DATABASES)(
  'gold comes to the state of the task whose place it takes on %s',
  async (db) => {
    const queue = await queueOn(db, 'states', { ...always, reviewers: 2, tasks: 1 })
    await queue.say('zoe', '1')
    await queue.know(4)
    // Zoe has answered: the next answer fills the task.
    expect(await queue.say('ann', '0')).toMatchObject({ state: 'done' })
    expect(await queue.skip('bob', 'bad_example')).toMatchObject({ state: 'open' })
    const fresh = await queueOn(db, 'states-fresh', { ...always, reviewers: 2, tasks: 1 })
    await fresh.know(2)
    expect(await fresh.say('ann', '0')).toMatchObject({ state: 'open' })
    const alone = await queueOn(db, 'states-alone', { ...always, tasks: 1 })
    await alone.know(2)
    expect(await alone.skip('ann', 'bad_example')).toMatchObject({ state: 'impossible' })
    expect(await alone.skip('bob', 'cannot_tell')).toMatchObject({ state: 'open' })
  },
)

test.each(DATABASES)('answers to gold make no label and move no task on %s', async (db) => {
  const queue = await queueOn(db, 'apart', always)
  await queue.know(2)
  for (const reviewer of ['ann', 'bob']) await queue.say(reviewer, '0')
  const { store } = queue
  expect((await finishedTasks(queue.db)).map(({ modelId }) => modelId)).not.toContain('apart')
  const [stats] = (await reviewStats(store)).filter(({ model_id: id }) => id === 'apart')
  expect(stats).toMatchObject({ open: 4, done: 0, answers: 2, has_gold: true })
  const mirrored = await queue.db.query(
    `select 1 from outbox where target = 'reviews' and row->>'model_id' = 'apart'`,
  )
  expect(mirrored).toEqual([])
  // Once a reviewer has seen all of it, the queue goes on without.
  await queue.say('ann', '0')
  expect(await queue.claim('ann')).toMatchObject({ prediction_id: 'p-0' })
})

test.each(DATABASES)('gold comes by its share, and only where a task waits on %s', async (db) => {
  let turn = 0
  // Evenly spread, so that the share is exact.
  const random = () => (turn++ % 20) / 20
  const queue = await queueOn(db, 'share', { tasks: 60, goldShare: 0.25, store: { random } })
  await queue.know(40)
  const seen: string[] = []
  for (let i = 0; i < 40; i++) {
    const held = await queue.heldBy('ann')
    seen.push(held.predictionId)
    await answerTask(queue.store, { ...held, label: '1' })
  }
  expect(seen.filter((id) => id.startsWith('gold')).length).toBe(10)
  expect(new Set(seen).size).toBe(40)
  const empty = await queueOn(db, 'share-empty', { ...always, tasks: 0 })
  await empty.know(3)
  expect(await empty.claim('ann')).toBeUndefined()
})

test.each(DATABASES)(
  'two tabs have one gold task, and many people never one twice on %s',
  async (db) => {
    const queue = await queueOn(db, 'raced', { tasks: 40, goldShare: 0.5 })
    await queue.know(10)
    const tabs = await Promise.all(Array.from({ length: 6 }, () => queue.claim('tab')))
    expect(new Set(tabs.map((one) => one!.lease_id)).size).toBe(1)
    const review = async (reviewer: string) => {
      for (let i = 0; i < 12; i++) {
        const task = await queue.claim(reviewer)
        if (!task) return
        const held = { taskId: task.task_id, leaseId: task.lease_id, reviewer, comment: '' }
        await answerTask(queue.store, { ...held, label: '1' }).catch((error: unknown) => {
          if (!(error instanceof Problem)) throw error
        })
      }
    }
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(review))
    const counted = await queue.db.query<{ n: number }>(
      `select count(*)::int as n from reviews r join review_tasks t using (task_id) where t.model_id = 'raced' group by task_id having count(*) > 1`,
    )
    expect(counted).toEqual([])
    expect((await goldGiven(queue.db, { modelId: 'raced', from: AT - 1 })).length).toBeGreaterThan(
      3,
    )
    expect(
      await queue.db.query(
        `select t.task_id from review_tasks t where t.state = 'open' and t.taken <>
         (select count(*) from reviews r where r.task_id = t.task_id and not r.skipped)
         + (select count(*) from review_leases l where l.task_id = t.task_id)`,
      ),
    ).toEqual([])
  },
)

test.each(DATABASES)('a lease of gold that another asks over is lost on %s', async (db) => {
  let at = AT
  const store = { random: () => 0, now: () => at }
  const queue = await queueOn(db, 'over', { goldShare: 0.5, tasks: 2, store })
  await queue.know(2)
  const ann = await queue.heldBy('ann')
  at += 61_000
  await queue.claim('bob')
  const late = answerTask(queue.store, { ...ann, label: '1' })
  await expect(late).rejects.toThrow('the lease of this task has ended')
  const skip = skipTask(queue.store, { ...ann, reason: 'cannot_tell' })
  await expect(skip).rejects.toThrow('the lease of this task has ended')
})

test.each(DATABASES)('known answers change, end and have their bound on %s', async (db) => {
  const queue = await queueOn(db, 'declared', always)
  expect(await queue.know(3)).toMatchObject({ declared: 3, changed: 0 })
  expect(await queue.know(3)).toMatchObject({ declared: 0, unchanged: 3 })
  await queue.say('ann', '1')
  const told = { actor: 'olga', now: AT }
  const one = { predictionId: 'gold-0', tolerance: 0 }
  const set = (label: string | null) => declareGold(queue.db, 'declared', [{ ...one, label }], told)
  expect(await set('0')).toMatchObject({ changed: 1 })
  expect(await set(null)).toMatchObject({ retired: 1 })
  expect(await set(null)).toMatchObject({ retired: 0, unchanged: 1 })
  expect(await goldInUse(queue.db, 'declared')).toBe(2)
  expect((await listGold(queue.db, 'declared', 10)).gold.map((gold) => gold.prediction_id)).toEqual(
    ['gold-1', 'gold-2'],
  )
  const many = Array.from({ length: MAX_GOLD }, (_, i) => ({
    ...{ predictionId: `many-${i}`, label: '1', tolerance: 0 },
  }))
  const { declared, beyond } = await declareGold(queue.db, 'declared', many, told)
  expect([declared, beyond]).toEqual([MAX_GOLD - 2, ['many-4998', 'many-4999']])
  const log = await readAudit(queue.db, 0, 1000)
  const own = log.filter(({ subject }) => subject === 'declared')
  expect(own.map(({ actor, action }) => `${actor} ${action}`)).toContain('olga review.gold')
  // Predictions may be erased; the log may not.
  expect(JSON.stringify(own)).not.toContain('gold-')
})

test.each(DATABASES)('a known answer that most contradict comes first on %s', async (db) => {
  const queue = await queueOn(db, 'doubtful', always)
  await queue.know(1)
  await declareGold(queue.db, 'doubtful', [{ predictionId: 'number', label: 10, tolerance: 0.5 }], {
    actor: 'olga',
    now: AT,
  })
  for (const [reviewer, label] of [
    ['ann', '10.4'],
    ['bob', '9.4'],
    ['cid', 'ten'],
  ] as const)
    for (let i = 0; i < 2; i++) await queue.say(reviewer, label)
  const { gold } = await listGold(queue.db, 'doubtful', 10)
  expect(gold.map(({ prediction_id: id, answers, correct }) => [id, answers, correct])).toEqual([
    ['gold-0', 3, 0],
    ['number', 3, 1],
  ])
})

test.each(DATABASES)('gold of an erased prediction is gone with its answers on %s', async (db) => {
  const queue = await queueOn(db, 'erased', always)
  await queue.know(2)
  await queue.say('ann', '1')
  const held = (await queue.claim('ann'))!
  await closeGone(queue.store, held.task_id)
  expect(await goldInUse(queue.db, 'erased')).toBe(1)
  expect((await queue.claim('ann'))!.task_id).not.toBe(held.task_id)
  const ids = ['gold-0', 'gold-1'].map((prediction_id) => ({ model_id: 'erased', prediction_id }))
  expect(await eraseTasks(queue.db, ids)).toBe(2)
  expect(await goldGiven(queue.db, { modelId: 'erased', from: 0 })).toEqual([])
  expect(await claimTask(queue.store, { reviewer: 'bob', models: ['erased'] })).toMatchObject({
    prediction_id: expect.stringMatching(/^p-/) as string,
  })
})
