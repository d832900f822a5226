/** Finished review tasks become labels on the topic of labels. */
import type { EventLog } from '../../../lib/event-log/port.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { finishedTasks, markEmitted, type FinishedTask } from '../queries/finished-tasks.ts'
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
 * Sends the labels of finished tasks; one that cannot be sent is set aside for a minute, and the
 * others go on.
 *
 * @returns whether no task was finished
 */
export async function emitLabels({
  reviews,
  eventLog,
  failures,
  setAside,
}: LabelEmitter): Promise<{ isIdle: boolean }> {
  for (const [taskId, until] of setAside) if (until <= reviews.now()) setAside.delete(taskId)
  const tasks = await finishedTasks(reviews.db, [...setAside.keys()])
  for (const task of tasks) {
    const isSent = await attemptItem(failures, 'review labels', task.taskId, async () => {
      await eventLog.append(TOPICS.labels.topic, [
        { key: `${task.modelId}/${task.predictionId}`, value: JSON.stringify(labelOf(task)) },
      ])
      await markEmitted(reviews.db, task.taskId)
    })
    if (!isSent) setAside.set(task.taskId, reviews.now() + SET_ASIDE_MS)
    if (setAside.size >= MAX_SET_ASIDE) break
  }
  return { isIdle: tasks.length === 0 }
}

/** One label per task: its id is the task's, so that emitting it twice counts once. */
function labelOf(task: FinishedTask) {
  return {
    label_id: `review:${task.taskId}`,
    model_id: task.modelId,
    prediction_id: task.predictionId,
    label: task.label,
    labelled_at: task.answeredAt.toISOString(),
    source: 'human_review',
    ...(task.agreement !== null && { confidence: task.agreement }),
    inclusion_probability: task.inclusionProbability,
  }
}
