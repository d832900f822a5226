/** A person decides where reviewers disagree: one of a list, none that has voted. */
import { expect, test } from 'vitest'
import { emitLabels } from '../../../../services/feedback/loop/emit-labels.ts'
import { claimDispute, decideDispute } from '../../../../services/feedback/queries/adjudications.ts'
import { claimTask } from '../../../../services/feedback/queries/review-leases.ts'
import { undoAnswer } from '../../../../services/feedback/queries/review-undo.ts'
import { eraseTasks } from '../../../../services/keep/queries/control-store.ts'
import { AT, DATABASES, queueOn, startBoth } from './both-databases.ts'

startBoth()
const rules = { reviewers: 2, adjudicate: { people: ['eva'], teams: [] } }

async function disputedOn(
  name: (typeof DATABASES)[number],
  model: string,
  more: Parameters<typeof queueOn>[2] = {},
) {
  const queue = await queueOn(name, model, { ...rules, ...more })
  const dispute = (adjudicator: string) =>
    claimDispute(queue.store, { adjudicator, models: [model] })
  const decide = (reviewer: string, task: { task_id: string; lease_id: string }, label = '1') =>
    decideDispute(queue.store, {
      ...{ taskId: task.task_id, leaseId: task.lease_id },
      ...{ reviewer, label, comment: '' },
    })
  return { ...queue, dispute, decide }
}

test.each(DATABASES)(
  'a tie goes to an adjudicator, whose word is the label, on %s',
  async (name) => {
    const { db, decide, dispute, say, store } = await disputedOn(name, 'tie', { tasks: 1 })
    await say('ann', '1')
    expect(await dispute('eva')).toBeUndefined()
    expect(await say('bob', '0')).toMatchObject({ state: 'disputed' })
    // A third reviewer is not asked.
    expect(await claimTask(store, { reviewer: 'cid', models: ['tie'] })).toBeUndefined()
    for (const voter of ['ann', 'bob']) expect(await dispute(voter)).toBeUndefined()
    const held = (await dispute('eva'))!
    expect(held.votes).toEqual([
      { label: '0', votes: 1 },
      { label: '1', votes: 1 },
    ])
    expect(JSON.stringify(held)).not.toMatch(/ann|bob/)
    expect(await decide('eva', held)).toMatchObject({ state: 'done', prediction_id: 'p-0' })
    await expect(decide('eva', held)).rejects.toMatchObject({ code: 'task_done' })
    await expect(undoAnswer(store, { taskId: held.task_id, reviewer: 'bob' })).rejects.toThrow(
      'an adjudicator has decided',
    )
    const sent: Record<string, unknown>[] = []
    await emitLabels({
      reviews: store,
      failures: { failed: () => expect.fail('no label fails') } as never,
      eventLog: {
        append: async (_topic, messages) => {
          for (const { value } of messages)
            sent.push(JSON.parse(String(value)) as Record<string, unknown>)
        },
      },
      setAside: new Map(),
    })
    expect(sent.filter((label) => label['model_id'] === 'tie')).toMatchObject([
      { label: '1', labeler: 'adjudication', source: 'human_review', confidence: 0.5 },
    ])
    expect(await eraseTasks(db, [{ model_id: 'tie', prediction_id: 'p-0' }])).toBe(1)
  },
)

test.each(DATABASES)('one adjudicator has a task, and never a voter, on %s', async (name) => {
  let at = AT
  const store = { now: () => at }
  const { decide, dispute, say } = await disputedOn(name, 'held', { tasks: 2, store })
  for (let i = 0; i < 2; i++) {
    await say('ann', '1')
    await say('bob', '0')
  }
  const tabs = await Promise.all(Array.from({ length: 5 }, () => dispute('eva')))
  expect(new Set(tabs.map((tab) => tab!.lease_id)).size).toBe(1)
  const others = await Promise.all(['fay', 'gus', 'hal', 'ida'].map(dispute))
  const [second, ...rest] = others.filter((task) => task !== undefined)
  expect(rest).toEqual([])
  expect(second!.task_id).not.toBe(tabs[0]!.task_id)
  await expect(decide('ann', tabs[0]!)).rejects.toMatchObject({ code: 'own_vote' })
  await expect(decide('zoe', tabs[0]!)).rejects.toMatchObject({ code: 'lease_lost' })
  at += 61_000
  const over = (await dispute('zoe'))!
  await expect(decide('eva', { ...over, lease_id: tabs[0]!.lease_id })).rejects.toMatchObject({
    code: 'lease_lost',
  })
  expect(await decide('zoe', over, '0')).toMatchObject({ state: 'done' })
})

test.each(DATABASES)('a vote that is taken back ends the dispute on %s', async (name) => {
  const { decide, dispute, say, store } = await disputedOn(name, 'back', { tasks: 1 })
  await say('ann', '1')
  await say('bob', '0')
  const held = (await dispute('eva'))!
  await undoAnswer(store, { taskId: held.task_id, reviewer: 'bob' })
  await expect(decide('eva', held)).rejects.toMatchObject({ code: 'task_done' })
  expect(await say('bob', '1')).toMatchObject({ state: 'done' })
})

test.each(DATABASES)('without adjudicators more reviewers are asked on %s', async (name) => {
  const { say } = await disputedOn(name, 'none', { tasks: 1, adjudicate: undefined })
  await say('ann', '1')
  expect(await say('bob', '0')).toMatchObject({ state: 'open' })
  expect(await say('cid', '0')).toMatchObject({ state: 'done' })
})
