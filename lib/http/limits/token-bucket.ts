/** A token bucket that may be overdrawn by one taking, and is then paid back before the next. Pure. */

/** How fast a bucket fills, and what it holds at most. */
export interface Rate {
  /** Tokens per second, above 0. */
  perSecond: number
  /** Tokens of a full bucket, above 0. */
  burst: number
}

/** What is left at a time; below 0 after a taking of more than there was. */
export interface Bucket {
  tokens: number
  /** Milliseconds of any clock. */
  atMs: number
}

/** What a bucket holds later; a clock that goes back gives nothing. */
export const filled = ({ tokens, atMs }: Bucket, rate: Rate, nowMs: number): Bucket => ({
  tokens: Math.min(rate.burst, tokens + (Math.max(0, nowMs - atMs) / 1000) * rate.perSecond),
  atMs: Math.max(atMs, nowMs),
})

/**
 * Whole seconds until something may be taken; 0 where it may be taken now, which is as long as
 * anything is left.
 *
 * @example secondsUntilOpen({ tokens: -25, atMs: 0 }, { perSecond: 10, burst: 100 }) // => 3
 */
export const secondsUntilOpen = ({ tokens }: Bucket, { perSecond }: Rate): number =>
  tokens > 0 ? 0 : Math.floor(-tokens / perSecond) + 1
