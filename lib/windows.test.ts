import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bucketMs, STEP_MS, windowSpecProblem, windowsBetween, windowsOfEvents } from './windows.ts'

const HOUR = 3_600_000
const at = (text: string) => Date.parse(text)
const shown = (windows: readonly { start: number; end: number }[]) =>
  windows.map(
    ({ start, end }) => `${new Date(start).toISOString().slice(0, 16)} ${(end - start) / HOUR}h`,
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
  ['10m', undefined, 'multiples of 15m'],
  ['1h', '25m', 'multiples of 15m'],
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

test('counts need steps no finer than what every window is a multiple of', () => {
  expect(bucketMs({ size: '7d', timezone: 'UTC' })).toBe(7 * 24 * HOUR)
  expect(bucketMs({ size: 'month', timezone: 'UTC' })).toBe(24 * HOUR)
  expect(bucketMs({ size: '1d', timezone: 'Asia/Kolkata' })).toBe(15 * 60_000)
})

const steps = fc
  .array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 500 })), { minLength: 1, maxLength: 60 })
  .map((gaps) => {
    let at = 0
    return gaps.map(([gap, events]) => ({ step: STEP_MS * (at += gap + 1), events }))
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
        expect(within(all, { ...window, end: window.end - STEP_MS })).toBeLessThan(count)
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
