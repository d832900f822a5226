/** Answers of reviewers to the same tasks. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { TaskAnswer } from '../data/reviewer-agreement.ts'

/** Answers that are read, the newest. */
const MAX_ANSWERS = 50_000

/** Answers to tasks of a model that were given since `from`, epoch milliseconds; skips are none. */
export const taskAnswers = (
  db: ClickHouse,
  { modelId, from }: { modelId: string; from: number },
): Promise<TaskAnswer[]> =>
  db.query<TaskAnswer>(
    `SELECT task_id, reviewer, label FROM reviews FINAL
     WHERE model_id = {model:String} AND NOT skipped AND submitted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
     ORDER BY submitted_at DESC, task_id, reviewer LIMIT ${MAX_ANSWERS}`,
    { model: modelId, from },
  )
