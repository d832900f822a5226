/** How long an endpoint asks to be left alone. Pure. */

const LONGEST_MS = 3_600_000

/**
 * Milliseconds that a `Retry-After` header asks for, as seconds or as an HTTP date, from 0 to an
 * hour; 0 when there is none or it cannot be read.
 */
export function retryAfterMs(header: string | null, now: number): number {
  const text = header?.trim() ?? ''
  const wanted = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(wanted) ? 0 : Math.min(LONGEST_MS, Math.max(0, wanted))
}
