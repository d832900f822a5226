/** Times as callers write them. Pure. */
import { Problem } from '../../../lib/runtime/errors.ts'
import { EVER } from '../queries/known-by.ts'
import type { Window } from '../../../lib/models/windows.ts'

/** What the stores' times can hold: the years 1900 to 2298. */
const EARLIEST = Date.UTC(1900, 0, 1)
const LATEST = Date.UTC(2299, 0, 1)

/**
 * The span from one time to another, the end not in it.
 *
 * @param wanted what must be given, as the beginning of a sentence, such as `from and to must be
 *   RFC 3339 times`
 * @throws {Problem} 400 for what is no time, lies outside the years 1900 to 2298, or ends before it
 *   begins
 */
export function spanBetween(wanted: string, from: string, to: string): Window {
  const [start, end] = [Date.parse(from), Date.parse(to)]
  if (!(start < end))
    throw new Problem(400, 'invalid_request', `${wanted}, the first before the second`)
  if (start < EARLIEST || end > LATEST)
    throw new Problem(400, 'invalid_request', `${wanted}, of the years 1900 to 2298`)
  return { start, end }
}

/**
 * The end of a snooze as RFC 3339 in UTC; 1970 where there is none.
 *
 * @param now epoch milliseconds
 * @throws {Problem} 400 for what is no time, is past, or lies beyond the year 2298
 */
export function endOfSnooze(until: string | undefined, now: number): string {
  if (until === undefined) return new Date(0).toISOString()
  const end = Date.parse(until)
  if (!(end > now && end <= LATEST))
    throw new Problem(
      400,
      'invalid_request',
      'until must be an RFC 3339 time that is still to come, of the years to 2298',
    )
  return new Date(end).toISOString()
}

/**
 * The time of which a caller asks what was known then, epoch milliseconds; later than any unless
 * given.
 *
 * @throws {Problem} 400 for what is no time, or lies outside the years 1900 to 2297
 */
export function knowledgeTime(asOf: string | undefined): number {
  if (asOf === undefined) return EVER
  const time = Date.parse(asOf)
  if (!(time >= EARLIEST && time < EVER))
    throw new Problem(
      400,
      'invalid_request',
      'as_of must be an RFC 3339 time of the years 1900 to 2297',
    )
  return time
}
