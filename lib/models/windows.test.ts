import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localTimeOf } from './time-zones.ts'
import {
  bucketMs,
  timeBucketMs,
  TIME_BUCKET_MS,
  windowSpecProblem,
  windowsHolding,
  windowsOfEvents,
  type WindowSpec,
} from './windows.ts'

const HOUR = 3_600_000
const at = (text: string) => Date.parse(text)
const shown = (windows: readonly { start: number; end: number }[]) =>
  windows.map(
    ({ start, end }) => `${new Date(start).toISOString().slice(0, 16)} ${(end - start) / HOUR}h`,
  )

/** Windows of events in every time step from one to another. */
const windowsBetween = (spec: WindowSpec, from: number, to: number) =>
  windowsHolding(
    spec,
    Array.from(
      { length: Math.floor((to - from) / TIME_BUCKET_MS) + 1 },
      (_, i) => from + i * TIME_BUCKET_MS,
    ),
  )

test('tumbling windows cover every instant exactly once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e12, max: 2e12 }),
      fc.constantFrom('15m', '1h', '7d'),
      (instant, size) => {
        const windows = windowsBetween({ size, timezone: 'UTC' }, instant, instant)
        expect(windows).toHaveLength(1)
        expect(windows[0]!.start).toBeLessThanOrEqual(instant)
        expect(windows[0]!.end).toBeGreaterThan(instant)
      },
    ),
  )
})

test('hopping windows hold every instant size / slide times', () => {
  const windows = windowsBetween(
    { size: '6h', slide: '1h', timezone: 'UTC' },
    at('2026-01-01T12:30:00Z'),
    at('2026-01-01T12:30:00Z'),
  )
  expect(windows).toHaveLength(6)
})

test('days in a time zone last 23 and 25 hours when the clocks change', () => {
  const spec = { size: 'day', timezone: 'Europe/Berlin' }
  expect(
    shown(windowsBetween(spec, at('2026-03-28T12:00:00Z'), at('2026-03-30T12:00:00Z'))),
  ).toEqual(['2026-03-27T23:00 24h', '2026-03-28T23:00 23h', '2026-03-29T22:00 24h'])
  expect(
    shown(
      windowsBetween(
        { ...spec, size: '1d' },
        at('2026-10-25T12:00:00Z'),
        at('2026-10-25T12:00:00Z'),
      ),
    ),
  ).toEqual(['2026-10-24T22:00 25h'])
})

test('calendar weeks begin on Monday, months on the first', () => {
  expect(
    shown(
      windowsBetween(
        { size: 'week', timezone: 'UTC' },
        at('2026-11-21T00:00:00Z'),
        at('2026-11-21T00:00:00Z'),
      ),
    ),
  ).toEqual(['2026-11-16T00:00 168h'])
  expect(
    shown(
      windowsBetween(
        { size: 'month', timezone: 'UTC' },
        at('2026-02-10T00:00:00Z'),
        at('2026-03-01T00:00:00Z'),
      ),
    ),
  ).toEqual(['2026-02-01T00:00 672h', '2026-03-01T00:00 744h'])
})

test.each([
  ['90s', undefined, 'multiples of 1m'],
  ['1h', '90s', 'multiples of 1m'],
  ['1m', undefined, undefined],
  ['10m', '5m', undefined],
  ['1h', '25m', 'multiple of slide'],
  ['1h', '45m', 'multiple of slide'],
  ['5000 events', undefined, undefined],
  ['5000 events', '1h', 'do not overlap'],
  ['0 events', undefined, 'at least 1 event'],
  ['day', '1h', 'slides by its own size'],
  ['7d', '1d', undefined],
])('size %s with slide %s', (size, slide, problem) => {
  const found = windowSpecProblem(size, slide)
  if (problem === undefined) expect(found).toBeUndefined()
  else expect(found).toContain(problem)
})

test.each([
  ['1h', undefined, 15],
  ['1h', '5m', 5],
  ['20m', undefined, 5],
  ['10m', '1m', 1],
  ['7m', undefined, 1],
  ['week', undefined, 15],
  ['5000 events', undefined, 15],
])('windows of %s with slide %s are counted per %i minutes', (size, slide, minutes) => {
  expect(timeBucketMs({ size, slide })).toBe(minutes * 60_000)
})

test('counts need steps no finer than what every window is a multiple of', () => {
  expect(bucketMs({ size: '7d', timezone: 'UTC' })).toBe(7 * 24 * HOUR)
  expect(bucketMs({ size: 'month', timezone: 'UTC' })).toBe(24 * HOUR)
  expect(bucketMs({ size: '1d', timezone: 'Asia/Kolkata' })).toBe(15 * 60_000)
})

const steps = fc
  .array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 500 })), { minLength: 1, maxLength: 60 })
  .map((gaps) => {
    let at = 0
    return gaps.map(([gap, events]) => ({ step: TIME_BUCKET_MS * (at += gap + 1), events }))
  })
const within = (
  all: readonly { step: number; events: number }[],
  window: { start: number; end: number },
) =>
  all
    .filter(({ step }) => step >= window.start && step < window.end)
    .reduce((sum, { events }) => sum + events, 0)

test('windows of a number of events tile the stream, and each is as short as it can be', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 1500 }), (all, count) => {
      const windows = windowsOfEvents(count, all, [])
      windows.forEach((window, i) => {
        if (i > 0) expect(window.start).toBe(windows[i - 1]!.end)
        expect(within(all, window)).toBeGreaterThanOrEqual(count)
        expect(within(all, { ...window, end: window.end - TIME_BUCKET_MS })).toBeLessThan(count)
      })
      const rest = { start: windows.at(-1)?.end ?? 0, end: Infinity }
      expect(within(all, rest)).toBeLessThan(count)
    }),
  )
})

test('windows of a number of events that were made stay, whatever comes late', () => {
  fc.assert(
    fc.property(steps, steps, fc.integer({ min: 1, max: 1500 }), (first, later, count) => {
      const known = windowsOfEvents(count, first, [])
      const sums = new Map<number, number>()
      for (const { step, events } of [...first, ...later])
        sums.set(step, (sums.get(step) ?? 0) + events)
      const all = [...sums]
        .map(([step, events]) => ({ step, events }))
        .toSorted((a, b) => a.step - b.step)
      const windows = windowsOfEvents(count, all, known)
      for (const window of known) expect(windows).toContainEqual(window)
      windows.forEach((window, i) => {
        if (i > 0) expect(window.start).toBeGreaterThanOrEqual(windows[i - 1]!.end)
      })
      // Every event up to the last full window lies in one.
      const covered = windows.reduce((sum, window) => sum + within(all, window), 0)
      const end = windows.at(-1)?.end ?? 0
      expect(covered).toBe(within(all, { start: 0, end }))
      expect(windowsOfEvents(count, all, windows)).toEqual(windows)
    }),
  )
})

const ZONES = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Pacific/Apia',
]
/**
 * Instants near which clocks of some zone change, a day of Samoa is skipped, or an hour is shown
 * twice.
 */
const CHANGES = [
  '1974-01-06T07:00:00Z',
  '1990-04-01T07:00:00Z',
  '2011-12-30T10:00:00Z',
  '2018-11-04T03:00:00Z',
  '2025-03-01T02:00:00Z',
  '2026-03-08T07:00:00Z',
  '2026-03-29T01:00:00Z',
  '2026-04-04T15:00:00Z',
  '2026-10-25T01:00:00Z',
  '2026-11-01T06:00:00Z',
].map(at)
const SPECS = [
  { size: '15m' },
  { size: '1h' },
  { size: '6h', slide: '1h' },
  { size: '1d' },
  { size: '7d', slide: '1d' },
  { size: 'day' },
  { size: 'week' },
  { size: 'month' },
]

/** Wall-clock time as a calendar writes it. */
function wallOf(timezone: string) {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  const known = new Map<number, number>()
  return (instant: number) => {
    const wall = known.get(instant) ?? Date.parse(`${format.format(instant).replace(' ', 'T')}Z`)
    known.set(instant, wall)
    return wall
  }
}

const WALLS = new Map(ZONES.map((zone) => [zone, wallOf(zone)]))

/**
 * Every window from some days before the first to some days after the last instant, one after the
 * other.
 */
function naively(spec: WindowSpec, instants: readonly number[]) {
  const wall = WALLS.get(spec.timezone)!
  const toUtc = (time: number) => {
    const guess = time - (wall(time) - time)
    return guess + time - wall(guess)
  }
  const starts: [number, number][] = []
  const span = { day: 1, week: 7, month: 31 }[spec.size]
  const hours = (text: string) =>
    ({ m: 1 / 60, h: 1, d: 24 })[text.at(-1) as 'm' | 'h' | 'd'] * Number(text.slice(0, -1)) * HOUR
  const size = span ? span * 24 * HOUR : hours(spec.size)
  const slide = spec.slide ? hours(spec.slide) : size
  const [from, to] = [instants[0]! - size - 40 * 24 * HOUR, instants.at(-1)! + 40 * 24 * HOUR]
  if (spec.size === 'month' || spec.size === 'week' || spec.size === 'day') {
    for (let day = Math.floor(from / (24 * HOUR)); day * 24 * HOUR < to; day++) {
      const date = new Date(day * 24 * HOUR)
      if (spec.size === 'month' && date.getUTCDate() !== 1) continue
      if (spec.size === 'week' && date.getUTCDay() !== 1) continue
      const end = new Date(date)
      if (spec.size === 'month') end.setUTCMonth(end.getUTCMonth() + 1)
      else end.setUTCDate(end.getUTCDate() + span!)
      starts.push([date.getTime(), end.getTime()])
    }
  } else {
    for (let start = Math.floor(from / slide) * slide; start < to; start += slide)
      starts.push([start, start + size])
  }
  return starts
    .map(([start, end]) => ({ start: toUtc(start), end: toUtc(end) }))
    .filter(({ start, end }) => instants.some((t) => t >= start && t < end))
}

test('windows that hold events are those that a naive listing of all windows finds', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.constantFrom(...SPECS),
      fc.constantFrom(...CHANGES),
      fc.array(fc.integer({ min: -200, max: 200 }), { minLength: 1, maxLength: 12 }),
      (timezone, size, near, steps) => {
        const spec = { ...size, timezone }
        const instants = [...new Set(steps)]
          .toSorted((a, b) => a - b)
          .map((step) => near + step * TIME_BUCKET_MS)
        expect(windowsHolding(spec, instants)).toEqual(naively(spec, instants))
      },
    ),
    { numRuns: 300 },
  )
}, 120_000)

test('ten years of hours with few events ask for an offset a day with events, not an hour that passed', () => {
  let asked = 0
  const wall = wallOf('America/New_York')
  const local = localTimeOf((instant) => {
    asked++
    return wall(instant) - instant
  })
  // An event of 1990, and then one every hour of every hundredth day of ten years.
  const days = Array.from(
    { length: 36 },
    (_, i) => at('2016-01-01T00:00:00Z') + i * 100 * 24 * HOUR,
  )
  const instants = [at('1990-01-01T00:00:00Z'), ...days.flatMap((day) => hoursOf(day))]
  const windows = windowsHolding({ size: '1h', timezone: 'America/New_York' }, instants, local)
  expect(windows).toHaveLength(1 + 36 * 24)
  // The day, the one before it and the two around it, at both ends; and some to find a change of
  // clocks.
  expect(asked).toBeLessThan(37 * 6 * 2 + 20 * 20)
  const before = asked
  windowsHolding({ size: '1h', timezone: 'America/New_York' }, instants, local)
  expect(asked).toBe(before)
})

const hoursOf = (day: number) => Array.from({ length: 24 }, (_, i) => day + i * HOUR)
