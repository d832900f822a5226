/** Sends labels that the control database holds, each by itself. */
import type { EventLog } from '../../../lib/event-log/port.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { attemptItem, type ItemFailures } from './item-failures.ts'

/** What labels are sent by. */
export interface LabelSender {
  eventLog: Pick<EventLog, 'append'>
  failures: ItemFailures
  /**
   * Ids of items whose label could not be sent, and until when (epoch milliseconds) they are passed
   * by.
   */
  setAside: Map<string, number>
}

/** How an item becomes a label, and how it is known that it was sent. */
export interface Sending<T> {
  /** Names the loop in failures. */
  loop: string
  idOf: (item: T) => string
  eventOf: (item: T) => object
  mark: (item: T) => Promise<void>
  /** Epoch milliseconds. */
  now: number
}

const SET_ASIDE_MS = 60_000
/**
 * So many labels that cannot be sent mean that the log takes none: the rest is left alone until
 * then.
 */
const MAX_SET_ASIDE = 100

/** Ids of items that are passed by now; those whose time is over are forgotten. */
export function passedBy({ setAside }: LabelSender, now: number): string[] {
  for (const [id, until] of setAside) if (until <= now) setAside.delete(id)
  return [...setAside.keys()]
}

/** Sends the label of each item; one that cannot be sent is set aside for a minute. */
export async function sendLabels<T extends { modelId: string; predictionId: string }>(
  { eventLog, failures, setAside }: LabelSender,
  items: readonly T[],
  { loop, idOf, eventOf, mark, now }: Sending<T>,
): Promise<void> {
  for (const item of items) {
    if (setAside.size >= MAX_SET_ASIDE) return
    const isSent = await attemptItem(failures, loop, idOf(item), async () => {
      await eventLog.append(TOPICS.labels.topic, [
        { key: `${item.modelId}/${item.predictionId}`, value: JSON.stringify(eventOf(item)) },
      ])
      await mark(item)
    })
    if (!isSent) setAside.set(idOf(item), now + SET_ASIDE_MS)
  }
}
