/** Finished review tasks become labels on the topic of labels. */
import {
  finishedTasks,
  markEmitted,
  markWithdrawn,
  withdrawnLabels,
  type FinishedTask,
  type WithdrawnLabel,
} from '../queries/finished-tasks.ts'
import type { ReviewStore } from '../queries/review-tasks.ts'
import { passedBy, sendLabels, type LabelSender } from './send-labels.ts'

/** What the loop of review labels holds. */
export interface LabelEmitter extends LabelSender {
  reviews: ReviewStore
}

/**
 * Sends retractions of labels whose answers were undone, and the labels of finished tasks; one that
 * cannot be sent is set aside for a minute, and the others go on.
 *
 * @returns whether there was none of either
 */
export async function emitLabels(emitter: LabelEmitter): Promise<{ isIdle: boolean }> {
  const { db, now } = emitter.reviews
  const of = { loop: 'review labels', idOf: ({ taskId }: { taskId: string }) => taskId, now: now() }
  const withdrawn = await withdrawnLabels(db, passedBy(emitter, now()))
  await sendLabels(emitter, withdrawn, {
    ...of,
    eventOf: retractionOf,
    mark: (one) => markWithdrawn(db, one),
  })
  const finished = await finishedTasks(db, passedBy(emitter, now()))
  await sendLabels(emitter, finished, {
    ...of,
    eventOf: labelOf,
    mark: (one) => markEmitted(db, one),
  })
  return { isIdle: withdrawn.length === 0 && finished.length === 0 }
}

/**
 * One label per task, and one more for each time that an answer was undone: its id says which, so
 * that emitting it twice counts once.
 */
function labelOf(task: FinishedTask) {
  return {
    label_id: task.undone === 0 ? `review:${task.taskId}` : `review.${task.undone}:${task.taskId}`,
    model_id: task.modelId,
    prediction_id: task.predictionId,
    label: task.label,
    labelled_at: task.answeredAt.toISOString(),
    source: 'human_review',
    // It is never undone, so that no retraction of another labeler has to reach it.
    ...(task.isAdjudicated && { labeler: 'adjudication' }),
    ...(task.agreement !== null && { confidence: task.agreement }),
    inclusion_probability: task.inclusionProbability,
  }
}

/** Takes back whatever label of the task is older. */
function retractionOf(withdrawn: WithdrawnLabel) {
  return {
    label_id: `review.${withdrawn.undone}.undone:${withdrawn.taskId}`,
    model_id: withdrawn.modelId,
    prediction_id: withdrawn.predictionId,
    label: withdrawn.label,
    labelled_at: withdrawn.undoneAt.toISOString(),
    source: 'human_review',
    retracted: true,
  }
}
