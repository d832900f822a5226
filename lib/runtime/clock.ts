/** The wall clock, as a parameter: epoch milliseconds. */
export type Clock = () => number
/** The clock of this machine, epoch milliseconds. */
export const systemClock: Clock = () => Date.now()

/** Resolves after `ms`, or at once when the signal aborts; never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })
}

/** Exponential back-off with full jitter left out: 2^attempt x base, at most `max` ms. */
export const backoffMs = (attempt: number, base = 200, max = 10_000) =>
  Math.min(max, base * 2 ** Math.min(attempt, 16))
