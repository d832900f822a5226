/** Answers of reviewers to the same tasks. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { DrawnAnswer } from '../data/gold/gold-measures.ts'

/** Answers that are read, the newest. */
const MAX_ANSWERS = 50_000

/** Answers to tasks of a model that were given since `from`, epoch milliseconds; skips are none. */
export const taskAnswers = (
  db: ClickHouse,
  { modelId, from }: { modelId: string; from: number },
): Promise<DrawnAnswer[]> =>
  db.query<DrawnAnswer>(
    `SELECT r.task_id AS task_id, r.reviewer AS reviewer, r.label AS label, t.inclusion_probability AS inclusion_probability
     FROM (SELECT task_id, reviewer, label, submitted_at FROM reviews FINAL
       WHERE model_id = {model:String} AND NOT skipped AND submitted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
       ORDER BY submitted_at DESC, task_id, reviewer LIMIT ${MAX_ANSWERS}) AS r
     INNER JOIN (SELECT task_id, inclusion_probability FROM review_tasks WHERE model_id = {model:String}) AS t ON t.task_id = r.task_id`,
    { model: modelId, from },
  )
