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
  /** How often an answer to the task was undone before. */
  undone: number
  /** An adjudicator decided, since reviewers disagreed. */
  isAdjudicated: boolean
}

/** A label that may have been sent, and does not hold any more. */
export interface WithdrawnLabel {
  taskId: string
  modelId: string
  predictionId: string
  label: ReviewLabel
  undone: number
  undoneAt: Date
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
  undone: number
  is_adjudicated: boolean
}

const MAX_TASKS = 500

const FINISHED = `
select task_id, model_id, prediction_id, inclusion_probability, label, votes, answers, answered_at, undone,
  exists (select 1 from review_adjudications a where a.task_id = t.task_id and a.decided_at is not null) as is_adjudicated from review_tasks t
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
    undone: row.undone,
    isAdjudicated: row.is_adjudicated,
  }))
}

/** Records that the label of a task was sent, unless an answer was undone meanwhile. */
export async function markEmitted(
  db: Sql,
  { taskId, undone }: Pick<FinishedTask, 'taskId' | 'undone'>,
): Promise<void> {
  await db.query(
    'update review_tasks set label_emitted = true where task_id = $1 and undone = $2',
    [taskId, undone],
  )
}

/**
 * Labels whose retraction is not sent, by task id; 500 at once.
 *
 * @param except ids of tasks to leave out
 */
export async function withdrawnLabels(
  db: Sql,
  except: readonly string[] = [],
): Promise<WithdrawnLabel[]> {
  const rows = await db.query<
    Pick<FinishedRow, 'task_id' | 'model_id' | 'prediction_id' | 'undone'> & {
      withdrawn_label: ReviewLabel
      undone_at: Date
    }
  >(
    `select task_id, model_id, prediction_id, withdrawn_label, undone, undone_at from review_tasks
     where withdrawn_label is not null and task_id <> all($1::text[]) order by task_id limit ${MAX_TASKS}`,
    [except],
  )
  return rows.map((row) => ({
    taskId: row.task_id,
    modelId: row.model_id,
    predictionId: row.prediction_id,
    label: row.withdrawn_label,
    undone: row.undone,
    undoneAt: new Date(row.undone_at),
  }))
}

/** Records that a retraction was sent, unless another answer was undone meanwhile. */
export async function markWithdrawn(
  db: Sql,
  { taskId, undone }: Pick<WithdrawnLabel, 'taskId' | 'undone'>,
): Promise<void> {
  await db.query(
    'update review_tasks set withdrawn_label = null where task_id = $1 and undone = $2',
    [taskId, undone],
  )
}
