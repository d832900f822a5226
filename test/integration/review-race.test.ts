/** Two feedback processes on one PostgreSQL server: reviewers race for tasks and answer at the same instant. */
import { beforeAll, expect, test } from 'vitest'
import { Problem } from '../../lib/runtime/errors.ts'
import { serverPostgres, type Postgres } from '../../lib/postgres/port.ts'
import { reviewQueue } from '../../services/feedback/queries/review-queue.ts'
import { postgresServer } from '../postgres-server.ts'

let connections: Postgres[]
beforeAll(async () => {
  const { url, stop } = await postgresServer()
  connections = [serverPostgres(url), serverPostgres(url)]
  return async () => {
    await Promise.all(connections.map((db) => db.close()))
    await stop()
  }
}, 120_000)

const TASKS = 60

test('every task gets as many answers as it wants, however reviewers race', async () => {
  const queues = connections.map((db) => reviewQueue(db, 600, Date.now))
  await queues[0]!.add(
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
  const review = async (reviewer: string, queue: (typeof queues)[number]) => {
    while ((await open()) > 0) {
      const task = await queue.claim(reviewer, 'raced')
      if (!task) continue
      await queue.submit(task.task_id, reviewer, task.lease_id, '1', '').catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error
      })
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, i) => review(`reviewer-${i}`, queues[i % 2]!)))
  expect(
    await connections[0]!.query(
      'select n::int, count(*)::int as tasks from (select task_id, count(*) as n from reviews group by task_id) as counted group by n',
    ),
  ).toEqual([{ n: 2, tasks: TASKS }])
})

test('a task that has its answers takes no other, whatever lease is held', async () => {
  const [one, ahead] = [
    reviewQueue(connections[0]!, 60, Date.now),
    // This process's clock is ahead: to it the other's leases have ended.
    reviewQueue(connections[1]!, 60, () => Date.now() + 3_600_000),
  ]
  await one.add([
    { taskId: 'late', modelId: 'clocks', predictionId: 'p', reviewers: 1, inclusionProbability: 1 },
  ])
  const first = await one.claim('ann', 'clocks')
  const second = await ahead.claim('bob', 'clocks')
  await ahead.submit('late', 'bob', second!.lease_id, '1', '')
  await expect(one.submit('late', 'ann', first!.lease_id, '0', '')).rejects.toThrow(
    'the task has all its answers',
  )
})
