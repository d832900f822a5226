/** Operators pause the queue of a model: nothing new is claimed, what is held ends as it would. */
import { expect, test } from 'vitest'
import { readAudit } from '../../../../lib/postgres/audit-log.ts'
import { answerTask } from '../../../../services/feedback/queries/review-answers.ts'
import { claimTask } from '../../../../services/feedback/queries/review-leases.ts'
import {
  pauseQueue,
  pausesOf,
  resumeQueue,
} from '../../../../services/feedback/queries/review-pauses.ts'
import { DATABASES, queueOn, startBoth } from './both-databases.ts'

startBoth()

test.each(DATABASES)('a paused queue gives nothing new, and goes on on %s', async (name) => {
  const { claim, db, heldBy, store } = await queueOn(name, 'paused')
  const other = await queueOn(name, 'not-paused')
  const held = await heldBy('ann')
  const act = { modelId: 'paused', actor: 'olga', reason: 'a fault' }
  const both = await Promise.allSettled([pauseQueue(store, act), pauseQueue(store, act)])
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  await expect(pauseQueue(store, act)).rejects.toThrow('olga has paused this queue')
  expect((await pausesOf(db)).get('paused')).toMatchObject({ by: 'olga', reason: 'a fault' })
  // Nobody gets a task; whoever has one keeps it.
  expect(await claim('bob')).toBeUndefined()
  expect((await claim('ann'))!.lease_id).toBe(held.leaseId)
  expect(await answerTask(store, { ...held, label: '1' })).toMatchObject({ state: 'done' })
  expect(await claim('ann')).toBeUndefined()
  const models = ['paused', 'not-paused']
  expect(await claimTask(other.store, { reviewer: 'cid', models })).toMatchObject({
    model_id: 'not-paused',
  })
  await resumeQueue(store, { ...act, reason: 'mended' })
  await expect(resumeQueue(store, act)).rejects.toThrow('not paused')
  expect(await claim('bob')).toMatchObject({ model_id: 'paused' })
  const acts = (await readAudit(db, 0, 1000)).filter(({ subject }) => subject === 'paused')
  expect(acts.map(({ actor, action, detail }) => [actor, action, detail['message']])).toEqual([
    ['olga', 'review.paused', 'a fault'],
    ['olga', 'review.resumed', 'mended'],
  ])
})
