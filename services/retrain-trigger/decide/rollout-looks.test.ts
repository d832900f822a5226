import { expect, test } from 'vitest'
import { pauseAfter } from './rollout-looks.ts'

const SERVED = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const watched = {
  state: 'watching' as const,
  served_at: new Date(SERVED).toISOString(),
  until: new Date(SERVED + 1440 * MINUTE).toISOString(),
}
const after = (minutes: number, atLeast = '0s') =>
  pauseAfter(watched, atLeast, SERVED + minutes * MINUTE)

test('the pause grows with the time that a step is served, from 30 s to 15 min', () => {
  expect([1, 10, 20, 100, 300, 1000].map((minutes) => after(minutes) / 1000)).toEqual([
    30, 30, 60, 300, 900, 900,
  ])
})

test('a day of a step is looked at some hundred times, and not some three thousand', () => {
  let looks = 0
  for (let at = SERVED; at < SERVED + 1440 * MINUTE; looks++) at += pauseAfter(watched, '0s', at)
  expect(looks).toBeGreaterThan(100)
  expect(looks).toBeLessThan(200)
})

test('no moment is passed at which something may follow', () => {
  // Its least time at the step, and the time from which it is late.
  expect(after(100, '101m')).toBe(MINUTE)
  expect(after(1439)).toBe(MINUTE)
  expect(after(1440)).toBe(15 * MINUTE)
  expect(pauseAfter({ ...watched, until: null }, '0s', SERVED)).toBe(30_000)
})

test('launches and versions that are waited for are looked at soon', () => {
  expect(pauseAfter({ ...watched, state: 'moving' }, '0s', SERVED + 999 * MINUTE)).toBe(2000)
  expect(pauseAfter({ ...watched, state: 'waiting', served_at: null }, '0s', SERVED)).toBe(30_000)
})
