/** Wakes drift where a model has new data: at once, and then at most twice a second per model. */
import { TOPICS } from '../../schemas/topics.ts'
import type { EventLog } from './port.ts'

const INTERVAL_MS = 500

/** Sends wake-ups for models; a model that is named again soon is sent once more, later. */
export interface WakeUps {
  send: (modelIds: Iterable<string>) => void
  stop: () => void
}

/**
 * Wake-ups may be lost (drift scans its models besides), so a failed one is only reported to
 * `onError`.
 */
export function createWakeUps(
  log: Pick<EventLog, 'append'>,
  onError: (error: unknown) => void,
): WakeUps {
  const timers = new Map<string, { again: boolean; timer: NodeJS.Timeout }>()
  let stopped = false

  const send = (modelId: string) => {
    if (stopped) return
    const recent = timers.get(modelId)
    if (recent) {
      recent.again = true
      return
    }
    log.append(TOPICS.windows.topic, [{ key: modelId, value: '' }]).catch(onError)
    const timer = setTimeout(() => {
      const again = timers.get(modelId)?.again
      timers.delete(modelId)
      if (again) send(modelId)
    }, INTERVAL_MS)
    timers.set(modelId, { again: false, timer })
  }

  return {
    send: (modelIds) => {
      for (const modelId of modelIds) send(modelId)
    },
    stop: () => {
      stopped = true
      for (const { timer } of timers.values()) clearTimeout(timer)
    },
  }
}
