/** Which absences mean something. */
import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { dueWindows } from './due-windows.ts'
import { isLive, silentWindows, usualWindows } from './silence.ts'

const HOUR = 3_600_000
const usualCounts = (...asked: Parameters<typeof usualWindows>) =>
  usualWindows(...asked).map(({ events }) => events)
const START = Date.UTC(2026, 0, 5)
const hourly = parseModel('{ model_id: m, task: binary, windows: { size: 1h, lateness: 15m } }')
const daily = parseModel('{ model_id: m, task: binary, windows: { size: day } }')
const counted = parseModel('{ model_id: m, task: binary, windows: { size: 100 events } }')
const hours = (from: number, to: number, events = 10) =>
  Array.from({ length: to - from }, (_, i) => ({
    start: START + (from + i) * HOUR,
    end: START + (from + i + 1) * HOUR,
    events,
  }))

test('a model is live whose newest events came within a window, or an hour, of their time', () => {
  const late = (ms: number) => [{ newest: START, receivedAt: START + ms }]
  expect(isLive(late(HOUR), hourly)).toBe(true)
  expect(isLive(late(HOUR + 1), hourly)).toBe(false)
  expect(isLive(late(20 * HOUR), daily)).toBe(true)
  expect(isLive(late(0), counted)).toBe(false)
  expect(isLive([], hourly)).toBe(false)
})

test('silent windows are whole ones after the newest event', () => {
  const steps = [
    { step: START, events: 3 },
    { step: START + 2 * HOUR, events: 0 },
  ]
  expect(silentWindows(steps, START + 3.5 * HOUR, hourly.windows, 1)).toEqual([
    { start: START + HOUR, end: START + 2 * HOUR },
    { start: START + 2 * HOUR, end: START + 3 * HOUR },
  ])
  expect(silentWindows([{ step: START, events: 0 }], START + 9 * HOUR, hourly.windows, 1)).toEqual(
    [],
  )
})

test.each([
  [1, 8],
  [30, 30],
  [5000, 100],
])('a model of %d windows has %d silent ones, and then no row more', (lived, most) => {
  const steps = [{ step: START, events: 3 }]
  const long = silentWindows(steps, START + 1000 * HOUR, hourly.windows, lived)
  expect(long).toHaveLength(most)
  expect(long[0]).toEqual({ start: START + HOUR, end: START + 2 * HOUR })
  expect(long.at(-1)).toEqual({
    start: START + most * HOUR,
    end: START + (most + 1) * HOUR,
    lastOf: most,
  })
})

test('an import into a silent model does not end its silence', () => {
  const steps = [
    { step: START - 90 * HOUR, events: 900, changes: 0 },
    { step: START, events: 3, changes: 0 },
  ]
  const silent = {
    start: START + HOUR,
    end: START + 2 * HOUR,
    events: 0,
    changes: 0,
    maturity: 1,
    revision: 1,
    worst: 'alarm' as const,
    alarmed: false,
    episode: '',
  }
  const imported = { watermark: START, idle: true, live: false }
  const due = (evaluated: (typeof silent)[]) =>
    dueWindows(steps, evaluated, imported, hourly, START + 3.5 * HOUR).filter(
      ({ events }) => events === 0,
    )
  expect(due([silent])).toHaveLength(1)
  expect(due([])).toEqual([])
})

test('a batch model that runs daily is not silent at noon', () => {
  const steps = [{ step: START + 24 * HOUR, events: 500 }]
  expect(silentWindows(steps, START + 36 * HOUR, daily.windows, 1)).toEqual([])
})

test('each silent window of a live model is due once, and again when its events come late', () => {
  const steps = [{ step: START, events: 3, changes: 0 }]
  const live = { watermark: START, idle: true, live: true }
  const at = START + 3.5 * HOUR
  const due = dueWindows(steps, [], live, hourly, at)
  expect(due.map(({ start, events }) => [(start - START) / HOUR, events])).toEqual([
    [0, 3],
    [1, 0],
    [2, 0],
  ])
  const evaluated = due.map((window) => ({
    ...window,
    revision: 1,
    worst: 'ok' as const,
    alarmed: false,
    episode: '',
  }))
  expect(dueWindows(steps, evaluated, live, hourly, at)).toEqual([])
  expect(dueWindows(steps, [], { ...live, live: false }, hourly, at)).toHaveLength(1)
  const late = [...steps, { step: START + 1.25 * HOUR, events: 7, changes: 0 }]
  expect(dueWindows(late, evaluated, live, hourly, at)).toMatchObject([
    { start: START + HOUR, events: 7, restates: true },
  ])
})

test('usual are the windows before, without those that overlap, and without a silence that alarmed or goes on', () => {
  const now = { start: START + 20 * HOUR, end: START + 21 * HOUR }
  const alarmed = hours(8, 10, 0).map((window) => ({ ...window, worst: 'alarm' }))
  const past = [
    ...hours(0, 8),
    ...alarmed,
    ...hours(10, 11, 0),
    ...hours(11, 18, 20),
    ...hours(18, 20, 0),
  ]
  expect(usualCounts(now, past)).toEqual([
    ...Array.from({ length: 7 }, () => 20),
    0,
    ...Array.from({ length: 8 }, () => 10),
  ])
})

test('with a season, windows of the same hour of the day count once eight of them are known', () => {
  const past = hours(0, 24 * 9).map((window, i) => ({ ...window, events: i % 24 }))
  const at = START + 24 * 9 * HOUR + 5 * HOUR
  const counts = usualCounts({ start: at, end: at + HOUR }, past, 24 * HOUR)
  expect(counts).toEqual(Array.from({ length: 9 }, () => 5))
  expect(usualCounts({ start: at, end: at + HOUR }, past.slice(-48), 24 * HOUR)).toHaveLength(48)
})
