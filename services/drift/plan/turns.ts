/**
 * When windows may be evaluated again: one that was restated rests, and one that failed waits
 * longer every time.
 */
import { backoffMs } from '../../../lib/runtime/clock.ts'
import type { Window } from '../../../lib/models/windows.ts'

/** How long windows wait before they are evaluated again; times are epoch milliseconds. */
export interface Turns {
  /** Time until which a window waits, epoch milliseconds; 0 when it need not. */
  waitsUntil: (modelId: string, window: Window, restates: boolean) => number
  /** A window was evaluated; it is not restated before `until`. */
  evaluated: (modelId: string, window: Window, until: number) => void
  /** A window could not be evaluated. @returns how often in a row, from 1 */
  failed: (modelId: string, window: Window, at: number) => number
}

/** Waits that are remembered; the oldest give way, which lets their windows come sooner. */
const MAX_REMEMBERED = 50_000
const FAILED_MS = 4000
const MAX_FAILED_MS = 600_000

interface Failure {
  attempts: number
  until: number
}

/**
 * Makes the turns of all evaluators of a process: which of them has a model changes from pass to
 * pass.
 */
export function createTurns(): Turns {
  const rests = new Map<string, number>()
  const failures = new Map<string, Failure>()
  return {
    waitsUntil: (modelId, window, restates) => {
      const own = keyOf(modelId, window)
      return Math.max(failures.get(own)?.until ?? 0, restates ? (rests.get(own) ?? 0) : 0)
    },
    evaluated: (modelId, window, until) => {
      const own = keyOf(modelId, window)
      failures.delete(own)
      if (until > 0) remember(rests, own, until)
    },
    failed: (modelId, window, at) => {
      const own = keyOf(modelId, window)
      const attempts = (failures.get(own)?.attempts ?? 0) + 1
      const until = at + backoffMs(attempts - 1, FAILED_MS, MAX_FAILED_MS)
      remember(failures, own, { attempts, until })
      return attempts
    },
  }
}

const keyOf = (modelId: string, { start, end }: Window) => `${start}-${end} ${modelId}`

function remember<T>(all: Map<string, T>, key: string, value: T) {
  all.delete(key)
  all.set(key, value)
  for (const oldest of all.keys()) {
    if (all.size <= MAX_REMEMBERED) return
    all.delete(oldest)
  }
}
