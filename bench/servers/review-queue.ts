/**
 * Claims of review tasks from long queues, in PGlite and in PostgreSQL, beside the least that a
 * claim can be: one transaction that locks a task by its key and changes it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedPostgres, serverPostgres, type Postgres } from '../../lib/postgres/port.ts'
import { migratePostgres } from '../../lib/postgres/migrations.ts'
import { answerTask } from '../../services/feedback/queries/review-answers.ts'
import { claimTask } from '../../services/feedback/queries/review-leases.ts'
import { postgresServer } from '../../test/servers/postgres-server.ts'
import type { Result } from '../result.ts'

const CLAIMS = 400
const REVIEWERS = 20
const MODELS = 3

/**
 * Claims from queues of the given lengths; each task wants two answers, so that those who answer
 * leave tasks behind that they have seen.
 *
 * @param sizes open tasks
 */
export async function benchReviewQueue(sizes: readonly number[]): Promise<Result[]> {
  const results: Result[] = []
  for (const size of sizes) {
    const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
    const embedded = await embeddedPostgres(join(directory, 'postgres'))
    await migratePostgres(embedded)
    results.push(await measured('PGlite', embedded, size))
    await embedded.close()
    rmSync(directory, { recursive: true, force: true })
    const { url, stop } = await postgresServer()
    const server = serverPostgres(url)
    results.push(await measured('PostgreSQL', server, size))
    await server.close()
    await stop()
  }
  return results
}

async function measured(name: string, db: Postgres, size: number): Promise<Result> {
  await plant(db, size)
  const store = { db, leaseSeconds: 600, now: Date.now }
  const claims: number[] = []
  const cpu = process.cpuUsage()
  for (let i = 0; i < CLAIMS; i++) {
    const reviewer = `reviewer-${i % REVIEWERS}`
    const begun = performance.now()
    const task = await claimTask(store, { reviewer, models: undefined })
    claims.push(performance.now() - begun)
    if (!task) throw new Error(`no task was left of ${size}`)
    const answer = { taskId: task.task_id, reviewer, leaseId: task.lease_id, label: '1' }
    await answerTask(store, { ...answer, comment: '' })
  }
  const { user, system } = process.cpuUsage(cpu)
  const least: number[] = []
  for (let i = 0; i < CLAIMS; i++) {
    const begun = performance.now()
    await touch(db, `task-${i}`)
    least.push(performance.now() - begun)
  }
  const p = (values: number[], q: number) =>
    values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1]!
  return {
    name: `claim p99, ${size.toLocaleString('en').replaceAll(',', ' ')} open tasks, ${name}`,
    value: p(claims, 0.99),
    unit: 'ms',
    against: 'p99 of a locked change by key',
    ratio: p(claims, 0.99) / p(least, 0.99),
    rounds: CLAIMS,
    settings: {
      size,
      claims: CLAIMS,
      reviewers: REVIEWERS,
      models: MODELS,
      p50: p(claims, 0.5),
      most: p(claims, 1),
      leastP99: p(least, 0.99),
      cpuMsEach: (user + system) / 1000 / CLAIMS,
    },
    note: `${((user + system) / 1000 / CLAIMS).toFixed(1)} ms of CPU of this process per claim and answer, p50 ${p(claims, 0.5).toFixed(2)} ms, most ${p(claims, 1).toFixed(1)} ms; ${CLAIMS} claims and answers of ${REVIEWERS} reviewers, ${MODELS} models`,
  }
}

const touch = (db: Postgres, taskId: string) =>
  db.transaction(async (tx) => {
    await tx.query('select state from review_tasks where task_id = $1 for update', [taskId])
    await tx.query('update review_tasks set revision = revision + 1 where task_id = $1', [taskId])
  })

async function plant(db: Postgres, size: number): Promise<void> {
  await db.query(
    `insert into review_tasks (task_id, model_id, prediction_id, reviewers, inclusion_probability, created_at)
     select 'task-' || i, 'model-' || i % ${MODELS}, 'p-' || i, 2, 0.1, timestamptz '2026-01-01' + i * interval '1 second'
     from generate_series(0, $1::int - 1) as i`,
    [size],
  )
  await db.exec('analyze review_tasks; checkpoint')
}
