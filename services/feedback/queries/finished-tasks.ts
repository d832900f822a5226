/** Review tasks that have all their answers, and whether their label was sent. */
import type { Sql } from '../../../lib/postgres/port.ts'
import { majority, type ReviewLabel } from '../data/review-label.ts'

/** A task with all its answers, whose label has not been sent yet. */
export interface FinishedTask {
  taskId: string
  modelId: string
  predictionId: string
  inclusionProbability: number
  label: ReviewLabel
  /** Share of the answers that agree with the label. */
  agreement: number
  answeredAt: Date
}

interface AnswerRow {
  task_id: string
  model_id: string
  prediction_id: string
  inclusion_probability: number
  label: ReviewLabel
  submitted_at: Date
}

const MAX_ANSWERS = 1000

const ANSWERS_OF_FINISHED = `
select t.task_id, t.model_id, t.prediction_id, t.inclusion_probability, r.label, r.submitted_at
from review_tasks t join reviews r using (task_id)
where t.state = 'done' and not t.label_emitted and not r.skipped and t.task_id <> all($1::text[])
order by t.task_id, r.submitted_at limit ${MAX_ANSWERS}`

/**
 * Tasks with all their answers whose label is not sent, by task id; those of about 1 000 answers at
 * once.
 *
 * @param except ids of tasks to leave out
 */
export async function finishedTasks(
  db: Sql,
  except: readonly string[] = [],
): Promise<FinishedTask[]> {
  const rows = await db.query<AnswerRow>(ANSWERS_OF_FINISHED, [except])
  const byTask = Map.groupBy(rows, (row) => row.task_id)
  // The last of many may have more answers than were read: its turn comes.
  if (rows.length === MAX_ANSWERS && byTask.size > 1) byTask.delete(rows.at(-1)!.task_id)
  return [...byTask.values()].map(finishedTask)
}

function finishedTask(answers: readonly AnswerRow[]): FinishedTask {
  const [first] = answers
  const { label, votes } = majority(answers.map((row) => row.label))
  return {
    taskId: first!.task_id,
    modelId: first!.model_id,
    predictionId: first!.prediction_id,
    inclusionProbability: first!.inclusion_probability,
    label,
    agreement: votes / answers.length,
    answeredAt: new Date(answers.at(-1)!.submitted_at),
  }
}

/** Records that the label of a task was sent. */
export async function markEmitted(db: Sql, taskId: string): Promise<void> {
  await db.query('update review_tasks set label_emitted = true where task_id = $1', [taskId])
}
