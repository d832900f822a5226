/**
 * Two feedback processes on one PostgreSQL server: reviewers race for tasks and answer at the same
 * instant.
 */
import { beforeAll, expect, test } from 'vitest'
import { Problem } from '../../lib/runtime/errors.ts'
import { serverPostgres, type Postgres } from '../../lib/postgres/port.ts'
import { answerTask } from '../../services/feedback/queries/review-answers.ts'
import { claimTask } from '../../services/feedback/queries/review-leases.ts'
import { addTasks, type ReviewStore } from '../../services/feedback/queries/review-tasks.ts'
import { certificateAuthority } from '../certificates.ts'
import { temporaryDirectory } from '../harness.ts'
import { postgresServer } from '../postgres-server.ts'

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
  ).rejects.toThrow('the task has all its answers')
})
