/**
 * Keeps launches apart: two at a time to one endpoint, and none to an endpoint that has just
 * failed. Pure.
 */
import { backoffMs } from '../../../lib/runtime/clock.ts'

/**
 * Launches at a time in all: far more than endpoints that hang take, since one that has hung is
 * left alone.
 */
const MAX_LAUNCHES = 256
const MAX_LAUNCHES_OF_ONE = 2
const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 5 * 60_000
/** Endpoints remembered; the one that failed longest ago goes first. */
const MAX_REMEMBERED = 1000

/** Places for launches, by endpoint; times are epoch milliseconds. */
export interface Endpoints {
  /** Takes a place for a launch at an endpoint; false when there is none now. */
  take: (endpoint: string, now: number) => boolean
  /** Time until which an endpoint that has failed is left alone; 0 for others. */
  pausedUntil: (endpoint: string) => number
  /**
   * Gives the place back; one that was not asked is as it was, and a failure pauses the endpoint,
   * for `askedMs` at least.
   */
  give: (
    endpoint: string,
    outcome: 'answered' | 'failed' | 'unasked',
    now: number,
    askedMs?: number,
  ) => void
}

/** Makes the places of a process: all free, no endpoint paused. */
export function launchEndpoints(): Endpoints {
  const busy = new Map<string, number>()
  const failed = new Map<string, { times: number; until: number }>()
  let total = 0
  return {
    pausedUntil: (endpoint) => failed.get(endpoint)?.until ?? 0,
    take: (endpoint, now) => {
      const here = busy.get(endpoint) ?? 0
      const paused = (failed.get(endpoint)?.until ?? 0) > now
      if (paused || total >= MAX_LAUNCHES || here >= MAX_LAUNCHES_OF_ONE) return false
      busy.set(endpoint, here + 1)
      total++
      return true
    },
    give: (endpoint, outcome, now, askedMs = 0) => {
      total--
      const here = (busy.get(endpoint) ?? 1) - 1
      if (here === 0) busy.delete(endpoint)
      else busy.set(endpoint, here)
      if (outcome === 'unasked') return
      const times = failed.get(endpoint)?.times ?? 0
      failed.delete(endpoint)
      if (outcome === 'answered') return
      const pause = Math.max(askedMs, backoffMs(times, FIRST_PAUSE_MS, MAX_PAUSE_MS))
      failed.set(endpoint, { times: times + 1, until: now + pause })
      const [oldest] = failed.keys()
      if (failed.size > MAX_REMEMBERED && oldest !== undefined) failed.delete(oldest)
    },
  }
}
