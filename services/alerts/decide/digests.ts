/** When a digest is due. */
import { localTime } from '../../../lib/models/time-zones.ts'
import type { Digest } from '../../../schemas/alerts-file.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** A digest's time, and the one before it, epoch milliseconds. */
export interface DigestTime {
  at: number
  from: number
}

/**
 * The newest time of a digest that is not after `now` (epoch milliseconds). A time that clocks skip
 * is told by the time zone's own rule for it, once.
 */
export function lastDigestTime(
  { at, days = [...DAYS], timezone = 'UTC' }: Pick<Digest, 'at' | 'days' | 'timezone'>,
  now: number,
): DigestTime {
  const zone = localTime(timezone)
  const [hours = 0, minutes = 0] = at.split(':').map(Number)
  const today = Math.floor(zone.fromUtc(now) / DAY_MS)
  const times: number[] = []
  // Sixteen days hold each day of the week twice: two times are found.
  for (let day = today; day > today - 16 && times.length < 2; day--) {
    // The epoch began on a Thursday.
    if (!days.includes(DAYS[(((day + 4) % 7) + 7) % 7]!)) continue
    const time = zone.toUtc(day * DAY_MS + (hours * 60 + minutes) * MINUTE_MS)
    if (time <= now) times.push(time)
  }
  const [last = now, before = last - DAY_MS] = times
  return { at: last, from: before }
}
