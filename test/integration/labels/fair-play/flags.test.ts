/** Reviewers flag tasks, operators close the flags. */
import { expect, test } from 'vitest'
import { readAudit } from '../../../../lib/postgres/audit-log.ts'
import { goldInUse } from '../../../../services/feedback/queries/gold/known-answers.ts'
import { answerTask } from '../../../../services/feedback/queries/review-answers.ts'
import {
  closeFlag,
  flagTask,
  listFlags,
} from '../../../../services/feedback/queries/review-flags.ts'
import { undoAnswer } from '../../../../services/feedback/queries/review-undo.ts'
import { eraseTasks } from '../../../../services/keep/queries/control-store.ts'
import { DATABASES, queueOn, startBoth } from './both-databases.ts'

startBoth()
const closing = (modelId: string, flagId: string, takeOff = false) => ({
  ...{ modelId, flagId, takeOff, actor: 'olga', message: 'seen' },
})
const open = { state: 'open', limit: 10 } as const

test.each(DATABASES)('a flag is one, however often it is set at once, on %s', async (name) => {
  const { db, heldBy, store } = await queueOn(name, 'flagged')
  const held = await heldBy('ann')
  const flags = await Promise.all(
    [1, 2, 3, 4].map((i) =>
      flagTask(store, { ...held, reason: 'wrong_fields', comment: `try ${i}` }),
    ),
  )
  expect(new Set(flags.map((flag) => flag.flag_id)).size).toBe(1)
  await flagTask(store, { ...held, reason: 'personal_data', comment: 'a name' })
  const listed = await listFlags(db, 'flagged', open)
  expect(listed.open).toBe(2)
  expect(listed.flags.map(({ reason }) => reason).toSorted()).toEqual([
    'personal_data',
    'wrong_fields',
  ])
  // The task is still hers.
  expect(await answerTask(store, { ...held, label: '1' })).toMatchObject({ state: 'done' })
  const late = flagTask(store, { ...held, reason: 'bad_example', comment: '' })
  await expect(late).rejects.toMatchObject({ code: 'lease_lost' })
})

test.each(DATABASES)('a flag is closed once, and by its own model, on %s', async (name) => {
  const { db, heldBy, store } = await queueOn(name, 'closed')
  const held = await heldBy('ann')
  const { flag_id: flag } = await flagTask(store, { ...held, reason: 'bad_example', comment: 'x' })
  await expect(closeFlag(store, closing('other', flag))).rejects.toMatchObject({ status: 404 })
  const both = await Promise.allSettled([
    closeFlag(store, closing('closed', flag)),
    closeFlag(store, closing('closed', flag)),
  ])
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect((await listFlags(db, 'closed', open)).flags).toEqual([])
  expect((await listFlags(db, 'closed', { ...open, state: 'closed' })).flags).toMatchObject([
    { flag_id: flag, closed_by: 'olga', message: 'seen', taken_off: false },
  ])
  const acts = (await readAudit(db, 0, 1000)).filter(({ subject }) => subject === flag)
  expect(acts.map(({ actor, action }) => [actor, action])).toEqual([
    ['ann', 'review.flagged'],
    ['olga', 'review.flag_closed'],
  ])
  // Closed, it may be flagged anew.
  const again = await flagTask(store, { ...held, reason: 'bad_example', comment: 'still' })
  expect(again.flag_id).not.toBe(flag)
})

test.each(DATABASES)('a task that is taken off is asked of nobody on %s', async (name) => {
  const { db, claim, heldBy, store, say } = await queueOn(name, 'off', { tasks: 1, reviewers: 2 })
  await say('zoe', '1')
  const held = await heldBy('ann')
  const { flag_id: flag } = await flagTask(store, { ...held, reason: 'bad_example', comment: '' })
  await closeFlag(store, closing('off', flag, true))
  await expect(answerTask(store, { ...held, label: '1' })).rejects.toMatchObject({
    code: 'task_done',
  })
  expect(await claim('bob')).toBeUndefined()
  await expect(undoAnswer(store, { taskId: held.taskId, reviewer: 'zoe' })).rejects.toThrow(
    'taken off the queue',
  )
  expect(await eraseTasks(db, [{ model_id: 'off', prediction_id: 'p-0' }])).toBe(1)
  expect((await listFlags(db, 'off', { ...open, state: 'closed' })).flags).toEqual([])
})

test.each(DATABASES)('gold is flagged as any task is on %s', async (name) => {
  const queue = await queueOn(name, 'gold-flag', { goldShare: 0.5, store: { random: () => 0 } })
  await queue.know(1)
  const held = await queue.heldBy('ann')
  expect(held.predictionId).toBe('gold-0')
  const found = await flagTask(queue.store, { ...held, reason: 'bad_example', comment: '' })
  expect(Object.keys(found)).toEqual(['task_id', 'flag_id'])
  await closeFlag(queue.store, closing('gold-flag', found.flag_id, true))
  expect(await goldInUse(queue.db, 'gold-flag')).toBe(0)
})
