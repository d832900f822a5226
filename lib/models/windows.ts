/**
 * Event-time windows: where they begin and end. Pure; all instants are epoch milliseconds, all
 * spans half-open.
 */
import { largest, smallest } from '../stats/samples/extremes.ts'
import { durationMs } from '../runtime/durations.ts'
import { localTime, type LocalTime } from './time-zones.ts'

/**
 * A span over which a model is evaluated: from `start` up to `end`, exclusive, epoch milliseconds.
 */
export interface Window {
  start: number
  end: number
}

/**
 * The time bucket that counts are kept by in ClickHouse (column `step`) unless windows need a
 * shorter one: {@link timeBucketMs}.
 */
export const TIME_BUCKET_MS = 15 * 60_000
/** Shorter time buckets, for windows that are no multiples of {@link TIME_BUCKET_MS}. */
const FINER_BUCKETS_MS = [5 * 60_000, 60_000]
/** Every window is a multiple of it. */
const LEAST_BUCKET_MS = 60_000
const DAY_MS = 86_400_000
/** 1970-01-05, by which weeks are counted. */
const FIRST_MONDAY = 4 * DAY_MS
/**
 * So far from an instant no wall time is mistaken for one of its own: a zone has skipped a whole
 * day.
 */
const SETTLED_MS = 2 * DAY_MS

/** How the windows of a model follow one another. */
export interface WindowSpec {
  /**
   * `15m`, `1h`, `7d`, or `day`, `week`, `month`; `5000 events` in {@link windowsOfEvents} alone.
   */
  size: string
  /** Distance of window starts; `size` when undefined. */
  slide?: string | undefined
  timezone: string
}

/**
 * The time bucket that counts of a model are kept by: 15, 5 or 1 minutes, the longest that its
 * windows are multiples of. Windows are merges of counts, of shorter buckets too.
 */
export function timeBucketMs({ size, slide }: Pick<WindowSpec, 'size' | 'slide'>): number {
  if (isCalendar(size) || eventsOf(size) !== undefined) return TIME_BUCKET_MS
  const spans = [durationMs(size), durationMs(slide ?? size)]
  return (
    [TIME_BUCKET_MS, ...FINER_BUCKETS_MS].find((bucket) =>
      spans.every((span) => span % bucket === 0),
    ) ?? LEAST_BUCKET_MS
  )
}

/** The longest span that every window of the spec is a multiple of: counts need no finer steps. */
export function bucketMs(spec: WindowSpec): number {
  if (spec.timezone !== 'UTC' || eventsOf(spec.size) !== undefined) return timeBucketMs(spec)
  return isCalendar(spec.size) ? DAY_MS : durationMs(spec.slide ?? spec.size)
}

/** How long windows of a spec are about, in milliseconds; a day where that is not said. */
export const windowMs = ({ size }: Pick<WindowSpec, 'size'>): number =>
  isCalendar(size) || eventsOf(size) !== undefined ? DAY_MS : durationMs(size)

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
  if (sizeMs % LEAST_BUCKET_MS !== 0 || slideMs % LEAST_BUCKET_MS !== 0)
    return 'size and slide must be multiples of 1m'
  if (sizeMs % slideMs !== 0) return 'size must be a multiple of slide'
  return undefined
}

/** The number of a size such as `5000 events`; undefined for other sizes. */
export function eventsOf(size: string): number | undefined {
  const number = /^(\d+) events$/.exec(size)?.[1]
  return number === undefined ? undefined : Number(number)
}

/**
 * Whether a size is one of the calendar (`day`, `week`, `month`), whose length depends on the time
 * zone.
 */
export const isCalendar = (size: string) => size === 'day' || size === 'week' || size === 'month'

/** Whether a name is a time zone of the IANA database. */
export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Windows of a spec by number, in the order of their starts; all of them in wall-clock time. */
interface Ruler {
  /** The greatest number whose window starts at or before a wall time. */
  at: (wall: number) => number
  startOf: (number: number) => number
  endOf: (number: number) => number
  /** The length of the longest window. */
  longest: number
}

/**
 * The windows that hold at least one of some instants, by start. Durations are aligned to
 * 1970-01-01 00:00 in the time zone: a window of days begins at local midnight, so it lasts 23 or
 * 25 hours when clocks change. The cost is linear in the instants and in the windows found,
 * whatever lies between them.
 *
 * @param instants ascending
 * @param local wall-clock time of the spec's zone
 */
export function windowsHolding(
  spec: WindowSpec,
  instants: readonly number[],
  local: LocalTime = localTime(spec.timezone),
): Window[] {
  const ruler = rulerOf(spec)
  const windows: Window[] = []
  let next = -Infinity
  let position = 0
  for (const instant of instants) {
    const slack = slackAt(instant, local)
    const wall = local.fromUtc(instant)
    const last = ruler.at(wall + slack)
    const first = Math.max(next, ruler.at(wall - ruler.longest - slack))
    for (let number = first; number <= last; number++) {
      const window = {
        start: local.toUtc(ruler.startOf(number)),
        end: local.toUtc(ruler.endOf(number)),
      }
      // Starts ascend, except perhaps where clocks change.
      while (position > 0 && instants[position - 1]! >= window.start) position--
      while (position < instants.length && instants[position]! < window.start) position++
      if (position < instants.length && instants[position]! < window.end) windows.push(window)
    }
    next = Math.max(next, last + 1)
  }
  return windows
}

/**
 * The length of the longest window of a spec whose windows are durations or calendar spans, in
 * milliseconds.
 */
export const longestMs = (spec: WindowSpec): number => rulerOf(spec).longest

/** How much the wall times around an instant may differ from what its own offset says. */
function slackAt(instant: number, { fromUtc }: LocalTime): number {
  const offsets = [instant - SETTLED_MS, instant, instant + SETTLED_MS].map((t) => fromUtc(t) - t)
  return largest(offsets) - smallest(offsets)
}

function rulerOf({ size, slide }: WindowSpec): Ruler {
  if (size === 'month')
    return {
      at: (wall) => {
        const date = new Date(wall)
        return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
      },
      startOf: (number) => Date.UTC(1970, number),
      endOf: (number) => Date.UTC(1970, number + 1),
      longest: 31 * DAY_MS,
    }
  if (size === 'week') return evenly(7 * DAY_MS, 7 * DAY_MS, FIRST_MONDAY)
  if (size === 'day') return evenly(DAY_MS, DAY_MS, 0)
  return evenly(durationMs(size), durationMs(slide ?? size), 0)
}

const evenly = (size: number, slide: number, origin: number): Ruler => ({
  at: (wall) => Math.floor((wall - origin) / slide),
  startOf: (number) => origin + number * slide,
  endOf: (number) => origin + number * slide + size,
  longest: size,
})

/**
 * Windows of at least `count` events: as few whole time steps as hold so many, one window after the
 * other. Where a window was once, it stays, so that late events restate it and move no border.
 *
 * @param steps time steps with events, ascending
 * @param known windows that were made before, ascending
 * @returns those that are known and all that are full, ascending; the last events may be in none
 *   yet
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
    const end = step + TIME_BUCKET_MS
    close(end)
    start = end
  }
  for (; next < known.length; next++) {
    close(known[next]!.start)
    windows.push(known[next]!)
  }
  return windows
}
