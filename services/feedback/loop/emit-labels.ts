/** Finished review tasks become labels on the topic of labels. */
import type { EventLog } from '../../../lib/event-log/port.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import {
  finishedTasks,
  markEmitted,
  markWithdrawn,
  withdrawnLabels,
  type FinishedTask,
  type WithdrawnLabel,
} from '../queries/finished-tasks.ts'
import type { ReviewStore } from '../queries/review-tasks.ts'
import { attemptItem, type ItemFailures } from './item-failures.ts'

/** What the loop of review labels holds. */
export interface LabelEmitter {
  reviews: ReviewStore
  eventLog: Pick<EventLog, 'append'>
  failures: ItemFailures
  /**
   * Task ids whose label could not be sent, and until when (epoch milliseconds) they are passed by.
   */
  setAside: Map<string, number>
}

const SET_ASIDE_MS = 60_000
/**
 * So many labels that cannot be sent mean that the log takes none: the rest is left alone until
 * then.
 */
const MAX_SET_ASIDE = 100

/**
 * Sends retractions of labels whose answers were undone, and the labels of finished tasks; one that
 * cannot be sent is set aside for a minute, and the others go on.
 *
 * @returns whether there was none of either
 */
export async function emitLabels(emitter: LabelEmitter): Promise<{ isIdle: boolean }> {
  const { reviews, setAside } = emitter
  for (const [taskId, until] of setAside) if (until <= reviews.now()) setAside.delete(taskId)
  const withdrawn = await withdrawnLabels(reviews.db, [...setAside.keys()])
  await sendEach(emitter, withdrawn, retractionOf, markWithdrawn)
  const finished = await finishedTasks(reviews.db, [...setAside.keys()])
  await sendEach(emitter, finished, labelOf, markEmitted)
  return { isIdle: withdrawn.length === 0 && finished.length === 0 }
}

async function sendEach<T extends FinishedTask | WithdrawnLabel>(
  { reviews, eventLog, failures, setAside }: LabelEmitter,
  items: readonly T[],
  eventOf: (item: T) => object,
  mark: (db: ReviewStore['db'], item: T) => Promise<void>,
): Promise<void> {
  for (const item of items) {
    if (setAside.size >= MAX_SET_ASIDE) return
    const isSent = await attemptItem(failures, 'review labels', item.taskId, async () => {
      await eventLog.append(TOPICS.labels.topic, [
        { key: `${item.modelId}/${item.predictionId}`, value: JSON.stringify(eventOf(item)) },
      ])
      await mark(reviews.db, item)
    })
    if (!isSent) setAside.set(item.taskId, reviews.now() + SET_ASIDE_MS)
  }
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
