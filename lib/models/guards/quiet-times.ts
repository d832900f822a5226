/** When nothing is launched: quiet hours of a week and freezes, each in its time zone. Pure. */
import type { Freeze, QuietHours, RetrainPolicy } from '../../../schemas/model-retrain.ts'
import { localTime } from '../time-zones.ts'

/** What of a policy says when nothing is launched. */
export type QuietTimes = Pick<RetrainPolicy, 'quiet' | 'freezes'>

/** Time until which a launch is held back, epoch milliseconds, and why. */
export interface HeldBack {
  until: number
  why: string
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
/** Spans that follow on one another; more are left to the next look. */
const MAX_SPANS = 400

/**
 * Finds until when launches are held back from `now` (epoch milliseconds) on; undefined where they
 * are not. Spans that touch or overlap are one.
 */
export function heldBack(
  { quiet = [], freezes = [] }: QuietTimes,
  now: number,
): HeldBack | undefined {
  let held: HeldBack | undefined
  for (let spans = 0; spans < MAX_SPANS; spans++) {
    const at = held?.until ?? now
    const next =
      firstOf(freezes, (freeze) => freezeAt(freeze, at)) ??
      firstOf(quiet, (hours) => quietAt(hours, at))
    if (!next) return held
    held = { until: next.until, why: held?.why ?? next.why }
  }
  return held
}

function firstOf<T>(all: readonly T[], at: (one: T) => HeldBack | undefined): HeldBack | undefined {
  for (const one of all) {
    const found = at(one)
    if (found) return found
  }
  return undefined
}

/** The instant of a day or minute in a zone, epoch milliseconds; NaN where there is no such day. */
export function instantOf(wall: string, timezone = 'UTC'): number {
  const text = wall.includes('T') ? `${wall}:00Z` : `${wall}T00:00:00Z`
  const asUtc = Date.parse(text)
  // 30 February is read as 2 March: what is written back differs.
  if (Number.isNaN(asUtc) || !new Date(asUtc).toISOString().startsWith(wall)) return NaN
  return localTime(timezone).toUtc(asUtc)
}

function freezeAt({ from, to, timezone, reason = '' }: Freeze, at: number): HeldBack | undefined {
  const until = instantOf(to, timezone)
  if (!(at >= instantOf(from, timezone) && at < until)) return undefined
  return { until, why: `frozen from ${from} to ${to}${reason === '' ? '' : ` (${reason})`}` }
}

const minutesOf = (clock: string) => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}

function quietAt({ days = [...DAYS], from, to, timezone = 'UTC' }: QuietHours, at: number) {
  const zone = localTime(timezone)
  const today = Math.floor(zone.fromUtc(at) / DAY_MS)
  const [begin, end] = [minutesOf(from), minutesOf(to)]
  const length = end > begin ? end - begin : end - begin + 24 * 60
  for (const day of [today - 1, today]) {
    // The epoch began on a Thursday.
    if (!days.includes(DAYS[(((day + 4) % 7) + 7) % 7]!)) continue
    const start = zone.toUtc(day * DAY_MS + begin * MINUTE_MS)
    const until = zone.toUtc(day * DAY_MS + (begin + length) * MINUTE_MS)
    if (at >= start && at < until)
      return { until, why: `quiet hours from ${from} to ${to} ${timezone}` }
  }
  return undefined
}

/** Whether quiet hours leave no minute of a week. */
export const areAlwaysQuiet = (quiet: QuietTimes['quiet']): boolean => {
  const held = heldBack({ quiet: quiet ?? [] }, 0)
  return held !== undefined && held.until >= 8 * DAY_MS
}
