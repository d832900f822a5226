/** Ticks of the past are those that node-cron makes, through changes of the clock too. */
import { createTask } from 'node-cron'
import { afterEach, expect, test, vi } from 'vitest'
import { ticksOf } from './ticks.ts'

afterEach(() => vi.useRealTimers())

const iso = (all: readonly number[]) => all.map((at) => new Date(at).toISOString())

test.each([
  ['30 2 * * *', 'Europe/Berlin', '2026-03-27T00:00:00Z'],
  ['30 2 * * *', 'Europe/Berlin', '2026-10-23T00:00:00Z'],
  ['*/20 * * * *', 'America/New_York', '2026-11-01T04:00:00Z'],
  ['0 3 * * 1', 'Australia/Sydney', '2026-04-01T00:00:00Z'],
  ['0 0 L * *', 'UTC', '2026-01-15T00:00:00Z'],
  ['15 4 29 2 *', 'UTC', '2025-01-01T00:00:00Z'],
])('%s in %s from %s', (cron, timezone, start) => {
  const from = Date.parse(start)
  vi.useFakeTimers({ now: from })
  const task = createTask(cron, () => {}, { timezone })
  const expected = task.getNextRuns(8).map((at) => at.getTime())
  void task.destroy()
  const span = { from, to: expected.at(-1)! }
  expect(iso(ticksOf({ cron, timezone }, span, 100).at)).toEqual(iso(expected))
})

test('of too many the newest are told, and from when on', () => {
  const day = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 2) }
  const minutes = ticksOf({ cron: '* * * * *', timezone: 'UTC' }, day, 100)
  expect(minutes.at).toHaveLength(100)
  expect(iso([minutes.from, minutes.at[0]!, minutes.at.at(-1)!])).toEqual([
    '2026-01-01T22:20:00.000Z',
    '2026-01-01T22:21:00.000Z',
    '2026-01-02T00:00:00.000Z',
  ])
  const hours = ticksOf({ cron: '0 * * * *', timezone: 'UTC' }, day, 100)
  expect([hours.at.length, hours.from]).toEqual([24, day.from])
})
