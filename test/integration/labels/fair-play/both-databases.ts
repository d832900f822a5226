/** Review queues on PGlite and on a PostgreSQL server, with nothing else in them. */
import { afterAll, beforeAll } from 'vitest'
import { reviewRules, type ReviewRules } from '../../../../lib/models/labels/review-rules.ts'
import { serverPostgres, type Postgres } from '../../../../lib/postgres/port.ts'
import { claimTask } from '../../../../services/feedback/queries/review-leases.ts'
import { answerTask, skipTask } from '../../../../services/feedback/queries/review-answers.ts'
import { addTasks, type ReviewStore } from '../../../../services/feedback/queries/review-tasks.ts'
import { declareGold } from '../../../../services/feedback/queries/gold/known-answers.ts'
import { migratedPostgres, temporaryDirectory } from '../../../harness.ts'
import { postgresServer } from '../../../servers/postgres-server.ts'

export const AT = Date.UTC(2026, 0, 1)
const databases = new Map<string, Postgres>()
export const DATABASES = ['PGlite', 'PostgreSQL'] as const

/** Starts both, once for a file of tests. */
export function startBoth(): void {
  let stop = async () => {}
  beforeAll(async () => {
    const server = await postgresServer()
    databases.set('PGlite', await migratedPostgres(temporaryDirectory()))
    databases.set('PostgreSQL', serverPostgres(server.url))
    stop = server.stop
  })
  afterAll(async () => {
    await databases.get('PostgreSQL')?.close()
    await stop()
  })
}

/** A queue of one model that nobody else has. */
export async function queueOn(
  name: (typeof DATABASES)[number],
  model: string,
  rules: Partial<ReviewRules> & { tasks?: number; store?: Partial<ReviewStore> } = {},
) {
  const db = databases.get(name)!
  const review = { ...reviewRules(undefined), ...rules }
  const store: ReviewStore = {
    ...{ db, leaseSeconds: 60, now: () => AT },
    rulesOf: () => review,
    ...rules.store,
  }
  await addTasks(
    store,
    Array.from({ length: rules.tasks ?? 4 }, (_, i) => ({
      ...{ taskId: `${model}-${i}`, modelId: model, predictionId: `p-${i}` },
      ...{ reviewers: review.reviewers, inclusionProbability: 1 },
    })),
  )
  const claim = (reviewer: string) => claimTask(store, { reviewer, models: [model] })
  const heldBy = async (reviewer: string) => {
    const task = (await claim(reviewer))!
    return {
      ...{ taskId: task.task_id, predictionId: task.prediction_id, leaseId: task.lease_id },
      ...{ reviewer, comment: '' },
    }
  }
  return {
    ...{ db, store, claim, heldBy },
    say: async (reviewer: string, label: string) =>
      answerTask(store, { ...(await heldBy(reviewer)), label }),
    skip: async (reviewer: string, reason: 'cannot_tell' | 'bad_example') =>
      skipTask(store, { ...(await heldBy(reviewer)), reason }),
    /** Declares `gold-0`, `gold-1` and so on, all with the answer 1. */
    know: (count: number) =>
      declareGold(
        db,
        model,
        Array.from({ length: count }, (_, i) => ({
          ...{ predictionId: `gold-${i}`, label: '1', tolerance: 0 },
        })),
        { actor: 'olga', now: AT },
      ),
  }
}
