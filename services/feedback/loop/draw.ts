/**
 * Draws predictions for review. Each closed hour of stream time is drawn from once its events have
 * come: every prediction whose hash lies below the hour's inclusion probability, which is recorded
 * with the task. An hour that is drawn again gives the same predictions.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { MAX_BUDGET_PER_DAY } from '../../../schemas/review/model-review.ts'
import { taskIdOf } from '../data/task-id.ts'
import { addTasks, type DrawnTask, type ReviewStore } from '../queries/review-tasks.ts'
import { attemptItem, type ItemFailures } from './item-failures.ts'

const HOUR_MS = 3_600_000
/** How far back an hour may lie and still be drawn from. */
const LOOK_BACK_HOURS = 24
/**
 * Beyond what a day's greatest budget ever draws: a cut would make inclusion probabilities wrong.
 */
const MAX_DRAWN = 2 * MAX_BUDGET_PER_DAY

/** What the draw reads from, adds to, and counts its failures in. */
export interface ReviewDraw {
  db: ClickHouse
  reviews: ReviewStore
  failures: ItemFailures
}

/**
 * Draws from each model and adds what was drawn to the queue; a model that fails is passed by until
 * the next round.
 */
export async function addDrawnTasks(
  { db, reviews, failures }: ReviewDraw,
  models: readonly Model[],
): Promise<void> {
  for (const model of models)
    await attemptItem(failures, 'review draw', model.modelId, async () => {
      await addTasks(reviews, await drawTasks(db, model))
    })
}

/**
 * Draws from the closed hours of the last day of a model's stream; reads only.
 *
 * @returns the drawn tasks, at most twice a day's greatest budget; none where the model's budget is
 *   0
 */
export async function drawTasks(db: ClickHouse, model: Model): Promise<DrawnTask[]> {
  const perHour = (model.review.budgetPerDay * model.review.randomShare) / 24
  if (perHour <= 0) return []
  const [mark] = await db.query<{ newest: string }>(
    'SELECT toUnixTimestamp64Milli(max(newest)) AS newest FROM watermarks WHERE model_id = {model:String}',
    { model: model.modelId },
  )
  const closed =
    Math.floor((Number(mark?.newest ?? 0) - durationMs(model.windows.lateness)) / HOUR_MS) * HOUR_MS
  if (closed <= 0) return []
  const rows = await db.query<{ prediction_id: string; pi: number }>(
    `WITH hours AS (
       SELECT toStartOfHour(step) AS hour, least(1, {budget:Float64} / sum(events)) AS pi FROM event_counts
       WHERE model_id = {model:String} AND NOT shadow AND step >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND step < fromUnixTimestamp64Milli({to:Int64}, 'UTC') GROUP BY hour)
     SELECT p.prediction_id AS prediction_id, h.pi AS pi
     FROM (SELECT prediction_id, toStartOfHour(predicted_at) AS hour FROM predictions
           WHERE model_id = {model:String} AND NOT shadow AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND predicted_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')) AS p
     INNER JOIN hours AS h ON h.hour = p.hour
     WHERE sipHash64('review', prediction_id) / 18446744073709551616 < pi LIMIT ${MAX_DRAWN}`,
    { model: model.modelId, budget: perHour, from: closed - LOOK_BACK_HOURS * HOUR_MS, to: closed },
  )
  return rows.map((row) => ({
    taskId: taskIdOf(model.modelId, row.prediction_id),
    modelId: model.modelId,
    predictionId: row.prediction_id,
    reviewers: model.review.reviewers,
    inclusionProbability: row.pi,
  }))
}
