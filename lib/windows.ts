/** Event-time windows: where they begin and end. Pure; all instants are epoch milliseconds, all spans half-open. */
import { durationMs } from './durations.ts'

export interface Window {
  start: number
  end: number
}

/** The time step of the counts in ClickHouse; windows of its multiples are merges of counts. */
export const STEP_MS = 15 * 60_000

export interface WindowSpec {
  /** `15m`, `1h`, `7d`, or `day`, `week`, `month`; `5000 events` in {@link windowsOfEvents} alone. */
  size: string
  /** Distance of window starts; `size` when undefined. */
  slide?: string | undefined
  timezone: string
}

/** The longest span that every window of the spec is a multiple of: counts need no finer steps. */
export function bucketMs(spec: WindowSpec): number {
  if (spec.timezone !== 'UTC' || eventsOf(spec.size) !== undefined) return STEP_MS
  return isCalendar(spec.size) ? 86_400_000 : durationMs(spec.slide ?? spec.size)
}

/** Why a size and slide do not make windows; undefined when they do. */
export function windowSpecProblem(size: string, slide?: string): string | undefined {
  const events = eventsOf(size)
  if (events === 0) return 'size must be at least 1 event'
  if (events !== undefined)
    return slide === undefined ? undefined : 'slide: windows of a number of events do not overlap'
  if (isCalendar(size))
    return slide === undefined ? undefined : 'slide: a calendar window slides by its own size'
  const sizeMs = durationMs(size)
  const slideMs = durationMs(slide ?? size)
  if (sizeMs === 0 || slideMs === 0) return 'size and slide must be above zero'
  if (sizeMs % STEP_MS !== 0 || slideMs % STEP_MS !== 0)
    return 'size and slide must be multiples of 15m'
  if (sizeMs % slideMs !== 0) return 'size must be a multiple of slide'
  return undefined
}

/** The number of a size such as `5000 events`; undefined for other sizes. */
export function eventsOf(size: string): number | undefined {
  const number = /^(\d+) events$/.exec(size)?.[1]
  return number === undefined ? undefined : Number(number)
}

export const isCalendar = (size: string) => size === 'day' || size === 'week' || size === 'month'

export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/**
 * All windows that hold at least one instant of `[from, to]`, by start. Durations are aligned to 1970-01-01 00:00 in the
 * time zone: a window of days begins at local midnight, so it lasts 23 or 25 hours when clocks change.
 */
export function windowsBetween(spec: WindowSpec, from: number, to: number): Window[] {
  const local = localTime(spec.timezone)
  if (isCalendar(spec.size)) return calendarWindows(spec.size, local, from, to)
  const size = durationMs(spec.size)
  const slide = durationMs(spec.slide ?? spec.size)
  const windows: Window[] = []
  const firstStart = Math.floor((local.fromUtc(from) - size) / slide) * slide
  for (let start = firstStart; ; start += slide) {
    const window = { start: local.toUtc(start), end: local.toUtc(start + size) }
    if (window.start > to) break
    if (window.end > from && window.end > window.start) windows.push(window)
  }
  return windows
}

function calendarWindows(size: string, local: LocalTime, from: number, to: number): Window[] {
  const windows: Window[] = []
  const date = new Date(local.fromUtc(from))
  date.setUTCHours(0, 0, 0, 0)
  if (size === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  if (size === 'month') date.setUTCDate(1)
  while (local.toUtc(date.getTime()) <= to) {
    const start = date.getTime()
    if (size === 'month') date.setUTCMonth(date.getUTCMonth() + 1)
    else date.setUTCDate(date.getUTCDate() + (size === 'week' ? 7 : 1))
    windows.push({ start: local.toUtc(start), end: local.toUtc(date.getTime()) })
  }
  return windows
}

/** Wall-clock time of a zone, written as if it were UTC. */
interface LocalTime {
  fromUtc: (instant: number) => number
  toUtc: (wall: number) => number
}

function localTime(timezone: string): LocalTime {
  if (timezone === 'UTC') return { fromUtc: (t) => t, toUtc: (t) => t }
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const fromUtc = (instant: number) => {
    const parts = Object.fromEntries(
      format.formatToParts(instant).map((p) => [p.type, Number(p.value)]),
    )
    const wall = Date.UTC(
      parts['year']!,
      parts['month']! - 1,
      parts['day'],
      parts['hour'],
      parts['minute'],
      parts['second'],
    )
    return wall + (((instant % 1000) + 1000) % 1000)
  }
  // Two rounds settle on the offset in force at the wall time itself, also next to a clock change.
  const toUtc = (wall: number) => {
    let guess = wall - (fromUtc(wall) - wall)
    guess += wall - fromUtc(guess)
    return guess
  }
  return { fromUtc, toUtc }
}

/**
 * Windows of at least `count` events: as few whole time steps as hold so many, one window after the other. Where a window was
 * once, it stays, so that late events restate it and move no border.
 *
 * @param steps time steps with events, ascending
 * @param known windows that were made before, ascending
 * @returns those that are known and all that are full, ascending; the last events may be in none yet
 */
export function windowsOfEvents(
  count: number,
  steps: readonly { step: number; events: number }[],
  known: readonly Window[],
): Window[] {
  const windows: Window[] = []
  let next = 0
  let start: number | undefined
  let held = 0
  const close = (end: number) => {
    if (start !== undefined && held > 0) windows.push({ start, end })
    start = undefined
    held = 0
  }
  for (const { step, events } of steps) {
    while (next < known.length && known[next]!.end <= step) {
      // Events before the first known window came late, and fill no window any more.
      close(known[next]!.start)
      windows.push(known[next]!)
      start = known[next++]!.end
    }
    const window = known[next]
    if (window && step >= window.start) continue
    start ??= step
    held += events
    if (held < count) continue
    const end = step + STEP_MS
    close(end)
    start = end
  }
  for (; next < known.length; next++) {
    close(known[next]!.start)
    windows.push(known[next]!)
  }
  return windows
}
