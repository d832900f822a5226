/**
 * kafkajs 2.2.4 schedules its check of pending requests with a negative delay when nothing is
 * throttled; Node 24 warns and makes it a timer of 1 ms (tulios/kafkajs issues 1704 and 1751,
 * unfixed upstream). This replaces the one method.
 */
import { createRequire } from 'node:module'

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null
  throttledUntil: number
  pending: unknown[]
  checkPendingRequests: () => void
}

const CHECK_INTERVAL_MS = 10

/** Replaces the method, for every client of the process; calling it again changes nothing. */
export function fixKafkajsTimer(): void {
  const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue & { scheduleCheckPendingRequests: (this: RequestQueue) => void }
  }
  queue.prototype.scheduleCheckPendingRequests = function () {
    if (this.throttleCheckTimeoutId) return
    const throttledFor = this.throttledUntil - Date.now()
    if (throttledFor <= 0 && this.pending.length === 0) return
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      },
      Math.max(CHECK_INTERVAL_MS, throttledFor),
    )
  }
}
