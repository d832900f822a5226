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
import { closedUntil, drawnPredictions } from '../queries/drawn-predictions.ts'
import { addTasks, type DrawnTask, type ReviewStore } from '../queries/review-tasks.ts'
import { attemptItem, type ItemFailures } from './item-failures.ts'

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
  const draw = {
    modelId: model.modelId,
    latenessMs: durationMs(model.windows.lateness),
    share: 1,
    perHour,
    limit: MAX_DRAWN,
  }
  const drawn = await drawnPredictions(db, draw, await closedUntil(db, draw))
  return drawn.map(({ predictionId, inclusionProbability }) => ({
    taskId: taskIdOf(model.modelId, predictionId),
    modelId: model.modelId,
    predictionId,
    reviewers: model.review.reviewers,
    inclusionProbability,
  }))
}
