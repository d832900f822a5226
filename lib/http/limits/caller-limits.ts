/**
 * How many events and bytes each caller may send: a bucket of either per caller. A request is never
 * split, and none is too large for the limit: it is taken as long as anything is left, and what it
 * took beyond that is waited for. A caller therefore sends in any span no more than the burst, what
 * the rate gives in that span, and one request. Pure.
 */
import { filled, secondsUntilOpen, type Bucket, type Rate } from './token-bucket.ts'

/** What is limited. */
export const LIMITS = ['events', 'bytes'] as const
/** One of {@link LIMITS}. */
export type Limit = (typeof LIMITS)[number]

/** The rates that are limited; what has none is not. */
export type Rates = Readonly<Partial<Record<Limit, Rate>>>

/** Why nothing is taken of a caller now. */
export interface LimitReached {
  limit: Limit
  rate: Rate
  /** Whole seconds, 1 or more, after which something is taken again. */
  retryAfterS: number
}

/** The limits of all callers. */
export interface CallerLimits {
  /** Why nothing more is taken of a caller; takes nothing. */
  reached: (caller: string, nowMs: number) => LimitReached | undefined
  /** Takes an amount of 0 or more, or says why it is not taken. */
  take: (caller: string, limit: Limit, amount: number, nowMs: number) => LimitReached | undefined
  /** How many callers are remembered. */
  size: () => number
}

/** Callers that are remembered: some hundred bytes each. */
const MOST_CALLERS = 10_000

type Buckets = Partial<Record<Limit, Bucket>>

/**
 * Limits under which nobody has sent anything yet.
 *
 * @param most callers that are remembered: beyond it the one seen longest ago leaves, and would come
 *   back with full buckets
 */
export function callerLimits(rates: Rates, most = MOST_CALLERS): CallerLimits {
  const callers = new Map<string, Buckets>()
  /** The buckets of a caller, who is now the one seen last. */
  const bucketsOf = (caller: string): Buckets => {
    const buckets = callers.get(caller) ?? {}
    callers.delete(caller)
    callers.set(caller, buckets)
    const [oldest] = callers.keys()
    if (callers.size > most) callers.delete(oldest!)
    return buckets
  }
  const reachedIn = (buckets: Buckets, limit: Limit, nowMs: number) => {
    const rate = rates[limit]
    if (!rate) return undefined
    const bucket = filled(buckets[limit] ?? { tokens: rate.burst, atMs: nowMs }, rate, nowMs)
    buckets[limit] = bucket
    const retryAfterS = secondsUntilOpen(bucket, rate)
    return retryAfterS > 0 ? { limit, rate, retryAfterS } : undefined
  }
  return {
    reached: (caller, nowMs) => {
      const buckets = bucketsOf(caller)
      return LIMITS.map((limit) => reachedIn(buckets, limit, nowMs))
        .filter((one) => one !== undefined)
        .toSorted((a, b) => b.retryAfterS - a.retryAfterS)[0]
    },
    take: (caller, limit, amount, nowMs) => {
      const buckets = bucketsOf(caller)
      const reached = reachedIn(buckets, limit, nowMs)
      const bucket = buckets[limit]
      if (!reached && bucket) buckets[limit] = { ...bucket, tokens: bucket.tokens - amount }
      return reached
    },
    size: () => callers.size,
  }
}
