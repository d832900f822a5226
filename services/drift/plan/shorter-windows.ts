/**
 * Shorter windows that tell the noise between windows before there are enough of the declared size.
 * Pure.
 */
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { eventsOf, isCalendar, windowsHolding, type Window } from '../../../lib/models/windows.ts'
import { MIN_WINDOWS } from '../data/reference.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Learning that takes longer begins with shorter windows. */
export const LONG_LEARNING_MS = 30 * DAY_MS
const CALENDAR_DAYS: Readonly<Record<string, number>> = { day: 1, week: 7, month: 30.4 }

/** How a baseline starts that would take long to learn. */
export interface ShorterWindows {
  /** Size of the windows that tell the noise, such as `1d`. */
  size: string
  /** Complete windows of the declared size that are cut into them, at least. */
  after: number
}

/** How long so many windows of a model last, in milliseconds; undefined for windows of events. */
export function lengthOf({ size }: Model['windows'], windows: number): number | undefined {
  if (eventsOf(size) !== undefined) return undefined
  return windows * (isCalendar(size) ? CALENDAR_DAYS[size]! * DAY_MS : durationMs(size))
}

/**
 * The shorter windows by which a model's noise is told until its baseline has `of` windows: the
 * longest part of a window, in whole days (of windows that are none: hours) and, where that can be,
 * whole seasons, of which 30 days hold eight. One window at least is cut.
 *
 * @returns undefined where learning takes no more than 30 days, or a window has no such parts
 */
export function shorterWindows(
  { windows: { size, season } }: Pick<Model, 'windows'>,
  of: number,
): ShorterWindows | undefined {
  const all = lengthOf({ size } as Model['windows'], of)
  if (all === undefined || all <= LONG_LEARNING_MS || of < MIN_WINDOWS) return undefined
  const ms = all / of
  const after = Math.max(1, Math.floor(LONG_LEARNING_MS / ms))
  if (isCalendar(size)) return { size: 'day', after }
  const unit = ms % DAY_MS === 0 ? DAY_MS : HOUR_MS
  const parts = Array.from({ length: Math.floor(ms / unit) - 1 }, (_, i) => i + 2)
    .filter((part) => part * after >= MIN_WINDOWS && ms % part === 0 && (ms / part) % unit === 0)
    .map((part) => ms / part)
  const seasonMs = season === undefined ? undefined : durationMs(season)
  const found = parts.find((part) => seasonMs !== undefined && part % seasonMs === 0) ?? parts[0]
  if (found === undefined) return undefined
  return { size: unit === DAY_MS ? `${found / DAY_MS}d` : `${found / HOUR_MS}h`, after }
}

/** The windows of a size that lie in some spans, ascending, with events or without. */
export function cutInto(size: string, spans: readonly Window[], timezone: string): Window[] {
  return spans
    .flatMap(({ start, end }) => {
      const hours = Array.from({ length: Math.ceil((end - start) / HOUR_MS) }, (_, i) => i)
      const instants = hours.map((hour) => start + hour * HOUR_MS)
      return windowsHolding({ size, timezone }, instants).filter(
        (window) => window.start >= start && window.end <= end,
      )
    })
    .toSorted((a, b) => a.start - b.start)
}
