/**
 * Wall-clock time of a zone, written as if it were UTC. `Intl` takes some 30 µs an instant, so the
 * offset of a day is asked for once, and a change of clocks is looked for only in a day whose ends
 * differ. Pure.
 */

/** Both directions, in epoch milliseconds. */
export interface LocalTime {
  fromUtc: (instant: number) => number
  /**
   * Instant of a wall time; one that clocks skip or show twice gives the same one of its instants
   * every time.
   */
  toUtc: (wall: number) => number
}

const DAY_MS = 86_400_000
const SECOND_MS = 1000
/** Days of a zone whose offset is remembered, some 100 bytes each: 130 years. */
const MAX_DAYS = 50_000

/** The offset before and after a change of clocks; `at` is Infinity on a day without one. */
interface Day {
  before: number
  at: number
  after: number
}

const zones = new Map<string, LocalTime>()
const UTC: LocalTime = { fromUtc: (instant) => instant, toUtc: (wall) => wall }

/**
 * @param timezone an IANA name, or `UTC`
 * @throws {RangeError} where no such zone is known
 */
export function localTime(timezone: string): LocalTime {
  if (timezone === 'UTC') return UTC
  // A start of the process knows the zones of its models and no others: they are few.
  let zone = zones.get(timezone)
  if (!zone) zones.set(timezone, (zone = localTimeOf(askedOffset(timezone))))
  return zone
}

/** The offset at an instant as `Intl` reports it, in milliseconds. */
function askedOffset(timezone: string): (instant: number) => number {
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
  return (instant) => {
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
    return wall - Math.floor(instant / SECOND_MS) * SECOND_MS
  }
}

/** @param ask the offset at a whole second; clocks change at most once a day */
export function localTimeOf(ask: (instant: number) => number): LocalTime {
  const days = new Map<number, Day>()

  function dayOf(number: number): Day {
    const known = days.get(number)
    if (known) return known
    if (days.size >= MAX_DAYS) days.clear()
    const [start, end] = [number * DAY_MS, (number + 1) * DAY_MS]
    const [before, after] = [ask(start), ask(end)]
    const day = { before, at: before === after ? Infinity : changeIn(ask, start, end), after }
    days.set(number, day)
    return day
  }

  const offsetAt = (instant: number) => {
    const { before, at, after } = dayOf(Math.floor(instant / DAY_MS))
    return instant < at ? before : after
  }
  const fromUtc = (instant: number) => instant + offsetAt(instant)
  // Two rounds settle on the offset in force at the wall time itself, also next to a clock change.
  const toUtc = (wall: number) => {
    const estimate = wall - offsetAt(wall)
    return estimate + wall - fromUtc(estimate)
  }
  return { fromUtc, toUtc }
}

/** The first second at which the offset is that of the end. */
function changeIn(ask: (instant: number) => number, start: number, end: number): number {
  const after = ask(end)
  let [low, high] = [start / SECOND_MS, end / SECOND_MS]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (ask(middle * SECOND_MS) === after) high = middle
    else low = middle
  }
  return high * SECOND_MS
}
