/** Review tasks that have all their answers, and whether their label was sent. */
import type { Sql } from '../../../lib/postgres/port.ts'
import type { ReviewLabel } from '../data/review-label.ts'

/** A task with all its answers, whose label has not been sent yet. */
export interface FinishedTask {
  taskId: string
  modelId: string
  predictionId: string
  inclusionProbability: number
  label: ReviewLabel
  /** Share of the answers that agree with the label; null of numbers. */
  agreement: number | null
  answeredAt: Date
}

interface FinishedRow {
  task_id: string
  model_id: string
  prediction_id: string
  inclusion_probability: number
  label: ReviewLabel
  votes: number | null
  answers: number
  answered_at: Date
}

const MAX_TASKS = 500

const FINISHED = `
select task_id, model_id, prediction_id, inclusion_probability, label, votes, answers, answered_at from review_tasks
where state = 'done' and not label_emitted and task_id <> all($1::text[]) order by task_id limit ${MAX_TASKS}`

/**
 * Tasks with all their answers whose label is not sent, by task id; 500 at once.
 *
 * @param except ids of tasks to leave out
 */
export async function finishedTasks(
  db: Sql,
  except: readonly string[] = [],
): Promise<FinishedTask[]> {
  const rows = await db.query<FinishedRow>(FINISHED, [except])
  return rows.map((row) => ({
    taskId: row.task_id,
    modelId: row.model_id,
    predictionId: row.prediction_id,
    inclusionProbability: row.inclusion_probability,
    label: row.label,
    agreement: row.votes === null ? null : row.votes / row.answers,
    answeredAt: new Date(row.answered_at),
  }))
}

/** Records that the label of a task was sent. */
export async function markEmitted(db: Sql, taskId: string): Promise<void> {
  await db.query('update review_tasks set label_emitted = true where task_id = $1', [taskId])
}
