/**
 * Two feedback processes on one PostgreSQL server: reviewers race for tasks and answer at the same
 * instant.
 */
import { Registry } from 'prom-client'
import { beforeAll, expect, test } from 'vitest'
import { Problem } from '../../../lib/runtime/errors.ts'
import { serverPostgres, type Postgres } from '../../../lib/postgres/port.ts'
import { emitLabels } from '../../../services/feedback/loop/emit-labels.ts'
import { createItemFailures } from '../../../services/feedback/loop/item-failures.ts'
import { finishedTasks } from '../../../services/feedback/queries/finished-tasks.ts'
import { answerTask, skipTask } from '../../../services/feedback/queries/review-answers.ts'
import {
  claimTask,
  releaseTask,
  renewLease,
} from '../../../services/feedback/queries/review-leases.ts'
import {
  addTasks,
  reviewStats,
  type ReviewStore,
} from '../../../services/feedback/queries/review-tasks.ts'
import { UNDO_MS, undoAnswer } from '../../../services/feedback/queries/review-undo.ts'
import { certificateAuthority } from '../../servers/certificates.ts'
import { temporaryDirectory } from '../../harness.ts'
import { postgresServer } from '../../servers/postgres-server.ts'

const directory = temporaryDirectory()
let connections: Postgres[]
let overTls: string
beforeAll(async () => {
  const authority = certificateAuthority(directory, 'authority')
  const { url, stop } = await postgresServer(authority.sign('postgres'))
  overTls = `${url}?sslmode=verify-full&sslrootcert=${authority.ca}`
  connections = [serverPostgres(url), serverPostgres(url)]
  return async () => {
    await Promise.all(connections.map((db) => db.close()))
    await stop()
  }
})

test('the address says over which authority PostgreSQL is reached by TLS', async () => {
  const db = serverPostgres(overTls)
  expect(await db.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).toEqual([
    { ssl: true },
  ])
  await db.close()
  const stranger = certificateAuthority(directory, 'stranger').ca
  const strange = serverPostgres(overTls.replace(/[^=]*$/, stranger))
  await expect(strange.query('select 1')).rejects.toThrow(/certificate/)
  await strange.close()
})

const TASKS = 60

test('every task gets as many answers as it wants, however reviewers race', async () => {
  const stores = connections.map((db) => ({ db, leaseSeconds: 600, now: Date.now }))
  await addTasks(
    stores[0]!,
    Array.from({ length: TASKS }, (_, i) => ({
      taskId: `task-${i}`,
      modelId: 'raced',
      predictionId: `p-${i}`,
      reviewers: 2,
      inclusionProbability: 1,
    })),
  )
  const open = async () => {
    const [row] = await connections[0]!.query<{ n: number }>(
      `select count(*)::int as n from review_tasks where state = 'open'`,
    )
    return row!.n
  }
  const review = async (reviewer: string, store: ReviewStore) => {
    while ((await open()) > 0) {
      const task = await claimTask(store, { reviewer, models: ['raced'] })
      if (!task) continue
      const answer = { taskId: task.task_id, reviewer, leaseId: task.lease_id, label: '1' }
      await answerTask(store, { ...answer, comment: '' }).catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error
      })
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, i) => review(`reviewer-${i}`, stores[i % 2]!)))
  expect(
    await connections[0]!.query(
      'select n::int, count(*)::int as tasks from (select task_id, count(*) as n from reviews group by task_id) as counted group by n',
    ),
  ).toEqual([{ n: 2, tasks: TASKS }])
})

test('a task that has its answers takes no other, whatever lease is held', async () => {
  const one = { db: connections[0]!, leaseSeconds: 60, now: Date.now }
  // This process's clock is ahead: to it the other's leases have ended.
  const ahead = { db: connections[1]!, leaseSeconds: 60, now: () => Date.now() + 3_600_000 }
  await addTasks(one, [
    { taskId: 'late', modelId: 'clocks', predictionId: 'p', reviewers: 1, inclusionProbability: 1 },
  ])
  const first = await claimTask(one, { reviewer: 'ann', models: ['clocks'] })
  const second = await claimTask(ahead, { reviewer: 'bob', models: ['clocks'] })
  const answer = { taskId: 'late', comment: '' }
  await answerTask(ahead, {
    ...answer,
    reviewer: 'bob',
    leaseId: second!.lease_id,
    label: '1',
  })
  await expect(
    answerTask(one, { ...answer, reviewer: 'ann', leaseId: first!.lease_id, label: '0' }),
  ).rejects.toThrow('the task takes no more answers')
})

/** Adds tasks of a model of its own, wanting so many answers each. */
async function queueOf(model: string, tasks: number, reviewers: number, now = Date.now) {
  const store = { db: connections[0]!, leaseSeconds: 60, now }
  await addTasks(
    store,
    Array.from({ length: tasks }, (_, i) => ({
      taskId: `${model}-${i}`,
      modelId: model,
      predictionId: `p-${i}`,
      reviewers,
      inclusionProbability: 1,
    })),
  )
  const claim = (reviewer: string, by: ReviewStore = store) =>
    claimTask(by, { reviewer, models: [model] })
  const heldBy = async (reviewer: string) => {
    const { task_id: taskId, lease_id: leaseId } = (await claim(reviewer))!
    return { taskId, leaseId, reviewer, comment: '' }
  }
  const say = async (reviewer: string, label: string) =>
    answerTask(store, { ...(await heldBy(reviewer)), label })
  return { store, claim, heldBy, say }
}

test('two tabs of one person have one task, whichever claims first', async () => {
  const { claim, store } = await queueOf('tabs', 5, 1)
  const other = { ...store, db: connections[1]! }
  const tabs = await Promise.all([claim('ann'), claim('ann', other), claim('ann'), claim('ann')])
  expect(new Set(tabs.map((tab) => tab!.lease_id)).size).toBe(1)
  const held = { taskId: tabs[0]!.task_id, reviewer: 'ann', leaseId: tabs[0]!.lease_id }
  await answerTask(store, { ...held, label: '1', comment: '' })
  expect((await claim('ann'))!.task_id).toBe('tabs-1')
})

test('a lease lasts while its reviewer works, and beyond its end until somebody asks', async () => {
  let at = Date.UTC(2026, 0, 1)
  const { claim, heldBy, store } = await queueOf('lasting', 1, 1, () => at)
  const ann = await heldBy('ann')
  at += 50_000
  expect((await renewLease(store, ann)).lease_expires_at).toBe('2026-01-01T00:01:50.000Z')
  at += 50_000
  expect(await claim('bob')).toBeUndefined()
  at += 3_600_000
  // Nobody wanted it meanwhile: the answer is not lost.
  expect(await answerTask(store, { ...ann, label: '1' })).toMatchObject({ state: 'done' })
})

test('a lease that another took over is told to its holder', async () => {
  let at = Date.UTC(2026, 0, 1)
  const { heldBy, store } = await queueOf('taken-over', 1, 1, () => at)
  const ann = await heldBy('ann')
  at += 61_000
  const bob = await heldBy('bob')
  for (const late of [
    () => renewLease(store, ann),
    () => answerTask(store, { ...ann, label: '1' }),
    () => skipTask(store, { ...ann, reason: 'cannot_tell' }),
    () => releaseTask(store, ann),
  ])
    await expect(late()).rejects.toThrow('the lease of this task has ended')
  expect(await answerTask(store, { ...bob, label: '1' })).toMatchObject({ state: 'done' })
})

test('what is given back goes to the end, and to others first', async () => {
  const { claim, heldBy, store } = await queueOf('given-back', 3, 1)
  const ann = await heldBy('ann')
  expect(await releaseTask(store, ann)).toEqual({ task_id: 'given-back-0', state: 'open' })
  const order = [await claim('ann'), await claim('bob'), await claim('cid')]
  expect(order.map((task) => task!.task_id)).toEqual([
    'given-back-1',
    'given-back-2',
    'given-back-0',
  ])
})

test('a task that too many skip leaves the queue; nobody is asked twice', async () => {
  const { claim, heldBy, store } = await queueOf('skipped', 1, 1)
  for (const [reviewer, state] of [
    ['ann', 'open'],
    ['bob', 'open'],
    ['cid', 'impossible'],
  ] as const) {
    const held = await heldBy(reviewer)
    expect(await skipTask(store, { ...held, reason: 'cannot_tell' })).toMatchObject({ state })
    expect(await claim(reviewer)).toBeUndefined()
  }
  expect(await claim('dan')).toBeUndefined()
  const mirrored = await connections[0]!.query(
    `select row->>'reviewer' as reviewer, (row->>'skipped')::boolean as skipped, row->>'reason' as reason
     from outbox where target = 'reviews' and row->>'model_id' = 'skipped' order by id`,
  )
  expect(mirrored).toEqual(
    ['ann', 'bob', 'cid'].map((reviewer) => ({ reviewer, skipped: true, reason: 'cannot_tell' })),
  )
})

test('where two disagree a third decides, and where none decides there is no label', async () => {
  const { claim, say, store } = await queueOf('disputed', 1, 2)
  expect(await say('ann', '1')).toMatchObject({ state: 'open' })
  expect(await say('bob', '0')).toMatchObject({ state: 'open' })
  expect(await say('cid', '0')).toMatchObject({ state: 'done' })
  const [task] = (await finishedTasks(store.db)).filter(({ modelId }) => modelId === 'disputed')
  expect(task).toMatchObject({ label: '0', agreement: 2 / 3 })
  expect(await claim('dan')).toBeUndefined()

  const each = await queueOf('each-another', 1, 2)
  const states: string[] = []
  for (const [i, reviewer] of ['ann', 'bob', 'cid', 'dan', 'eve'].entries())
    states.push((await each.say(reviewer, String(i))).state)
  expect(states).toEqual(['open', 'open', 'open', 'open', 'disputed'])
  expect((await finishedTasks(store.db)).map(({ modelId }) => modelId)).not.toContain(
    'each-another',
  )
})

test('of any model the longest waiting comes first, and only of those that may be reviewed', async () => {
  const { store } = await queueOf('any-a', 1, 1)
  await queueOf('any-b', 1, 1)
  const models = ['any-b', 'any-a', 'any-none']
  const claimed = [
    await claimTask(store, { reviewer: 'ann', models }),
    await claimTask(store, { reviewer: 'bob', models }),
    await claimTask(store, { reviewer: 'cid', models }),
  ]
  expect(claimed.map((task) => task?.model_id)).toEqual(['any-a', 'any-b', undefined])
  expect(await claimTask(store, { reviewer: 'dan', models: [] })).toBeUndefined()
})

/** Sends review labels, as the loop does; `during` runs once a first event is on its way. */
async function sentOf(store: ReviewStore, model: string, during = async () => {}) {
  const sent: Record<string, unknown>[] = []
  const failures = createItemFailures(new Registry(), {
    warn: (told: unknown) => expect.fail(JSON.stringify(told)),
  })
  let isFirst = true
  const append = async (_topic: string, messages: readonly { value?: unknown }[]) => {
    for (const { value } of messages) {
      const event = JSON.parse(String(value)) as Record<string, unknown>
      if (event['model_id'] !== model) continue
      sent.push(event)
      if (isFirst) await during()
      isFirst = false
    }
  }
  await emitLabels({ reviews: store, eventLog: { append }, failures, setAside: new Map() })
  return sent
}

test('an answer that is undone is asked again, and its label is withdrawn', async () => {
  const { heldBy, say, store } = await queueOf('undone', 2, 1)
  const undo = () => undoAnswer(store, { taskId: 'undone-0', reviewer: 'ann' })
  await say('ann', '1')
  expect(await sentOf(store, 'undone')).toMatchObject([{ label_id: 'review:undone-0', label: '1' }])
  const other = await heldBy('ann')
  const again = await undo()
  await expect(undo()).rejects.toThrow('not the one that you answered last')
  await answerTask(store, { ...other, taskId: 'undone-0', leaseId: again.lease_id, label: '0' })
  const [back, label] = await sentOf(store, 'undone')
  expect(back).toMatchObject({ label_id: 'review.1.undone:undone-0', label: '1', retracted: true })
  expect(label).toMatchObject({ label_id: 'review.1:undone-0', label: '0' })
  expect(String(label!['labelled_at']) > String(back!['labelled_at'])).toBe(true)
  expect(await sentOf(store, 'undone')).toEqual([])
  // The task that was claimed meanwhile is still held.
  expect(await answerTask(store, { ...other, label: '1' })).toMatchObject({ state: 'done' })
  const [stats] = (await reviewStats(store)).filter(({ model_id: id }) => id === 'undone')
  expect(stats).toMatchObject({ done: 2, answers: 2, undone: 1, leased: 0 })
  const mirrored = await connections[0]!.query(
    `select row->>'label' as label, row->>'reason' as reason from outbox where target = 'reviews' and row->>'task_id' = 'undone-0' order by id`,
  )
  expect(mirrored).toEqual([
    { label: '1', reason: '' },
    { label: '', reason: 'undone' },
    { label: '0', reason: '' },
  ])
})

test('an answer that is undone while its label is on its way loses none', async () => {
  const { heldBy, say, store } = await queueOf('on-its-way', 1, 1)
  await say('ann', '1')
  const sent = await sentOf(store, 'on-its-way', async () => {
    await undoAnswer(store, { taskId: 'on-its-way-0', reviewer: 'ann' })
    await answerTask(store, { ...(await heldBy('ann')), label: '0' })
  })
  sent.push(...(await sentOf(store, 'on-its-way')))
  expect(sent.map(({ label, retracted }) => [label, retracted ?? false])).toEqual([
    ['1', false],
    ['1', true],
    ['0', false],
  ])
  const times = sent.map((event) => String(event['labelled_at']))
  expect(times).toEqual([...new Set(times)].toSorted())
})

test('only the own last answer is undone, for two minutes, and by one of two presses', async () => {
  let at = Date.UTC(2026, 0, 1)
  const { say, store } = await queueOf('too-late', 2, 1, () => at)
  const undo = (taskId: string, reviewer = 'dee', by: ReviewStore = store) =>
    undoAnswer(by, { taskId, reviewer })
  await say('dee', '1')
  at += 1000
  await say('dee', '1')
  for (const [taskId, reviewer] of [
    ['too-late-0', 'dee'],
    ['too-late-1', 'bob'],
    ['no such task', 'dee'],
  ] as const)
    await expect(undo(taskId, reviewer)).rejects.toMatchObject({ code: 'nothing_to_undo' })
  at += UNDO_MS + 1
  await expect(undo('too-late-1')).rejects.toThrow('an answer can be undone for 120 seconds')
  at -= 1
  const other = { ...store, db: connections[1]! }
  const presses = await Promise.allSettled([undo('too-late-1'), undo('too-late-1', 'dee', other)])
  expect(presses.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test('a tie that is undone asks nobody more; a skip is undone until others have the task', async () => {
  const { claim, say, store } = await queueOf('untied', 1, 2)
  await say('fay', '1')
  await say('gus', '0')
  await undoAnswer(store, { taskId: 'untied-0', reviewer: 'gus' })
  expect(await say('gus', '1')).toMatchObject({ state: 'done' })

  const skipped = await queueOf('unskipped', 1, 1)
  const skip = async (reviewer: string) =>
    skipTask(store, { ...(await skipped.heldBy(reviewer)), reason: 'bad_example' })
  expect(await skip('fay')).toMatchObject({ state: 'impossible' })
  await undoAnswer(store, { taskId: 'unskipped-0', reviewer: 'fay' })
  const lease = await skipped.heldBy('fay')
  expect(await skipTask(store, { ...lease, reason: 'cannot_tell' })).toMatchObject({
    state: 'open',
  })
  await skipped.heldBy('gus')
  await expect(undoAnswer(store, { taskId: 'unskipped-0', reviewer: 'fay' })).rejects.toThrow(
    'others have the task that you skipped',
  )
  expect(await claim('hal')).toBeUndefined()
})

test('what is taken of a task is its answers and leases, whatever happened to it', async () => {
  expect(
    await connections[0]!.query(
      `select t.task_id, t.taken from review_tasks t where t.state = 'open' and t.taken <>
         (select count(*) from reviews r where r.task_id = t.task_id and not r.skipped)
         + (select count(*) from review_leases l where l.task_id = t.task_id)`,
    ),
  ).toEqual([])
})
