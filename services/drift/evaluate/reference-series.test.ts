import { expect, test } from 'vitest'
import { drawnUsers, uniform } from '../../../test/planted/category-sketch.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { referenceWindows, windowsWithin } from './reference-series.ts'

test('the most frequent thousand categories are tested one by one', () => {
  const spans = Array.from({ length: 8 }, (_, w) => ({ start: w, end: w + 1 }))
  const counts = spans.map((_, w) => ({
    events: 20_000,
    errors: 0,
    duplicates: 0,
    numeric: new Map(),
    categories: new Map([
      ['user', drawnUsers(20_000, uniform(w), (u) => Math.floor(2000 * u * u))],
    ]),
  }))
  const found = referenceWindows(spans, counts, parseModel('{ model_id: m, task: binary }'))!
  const { shares } = found.categories.get('user')!
  expect(shares).toHaveLength(1000)
  const least = shares
    .flatMap(({ windows }) => windows.reduce((sum, { count }) => sum + count, 0))
    .reduce((a, b) => Math.min(a, b))
  expect(least).toBeGreaterThanOrEqual(8 * 5)
  expect(shares.some(({ category }) => category === 'u0')).toBe(true)
})

test('the newest two hundred windows of a reference tell its noise', () => {
  const HOUR = 3_600_000
  const model = parseModel('{ model_id: m, task: binary, windows: { size: 1h } }')
  const steps = Array.from({ length: 250 }, (_, hour) => ({
    step: hour * HOUR,
    events: 1000,
    changes: 0,
  }))
  const found = windowsWithin([{ start: 0, end: 250 * HOUR }], model, steps)
  expect(found).toHaveLength(200)
  expect(found[0]!.start).toBe(50 * HOUR)
  expect(found.at(-1)!.end).toBe(250 * HOUR)
})

test.each([
  ['{ size: 1d, season: 7d, min_count: 1 }', 14, undefined],
  ['{ size: 1d, season: 7d, min_count: 1 }', 13, 'the baseline covers it less than twice'],
  ['{ size: 2d, season: 7d, min_count: 1 }', 14, 'it is no multiple of windows of 2d'],
  ['{ size: month, season: 7d, min_count: 1 }', 14, 'windows of month have no fixed length'],
  ['{ size: 1d, min_count: 1 }', 13, undefined],
])('a season that is declared and not followed is said: %s, %d windows', (windows, n, why) => {
  const DAY = 86_400_000
  const spans = Array.from({ length: n }, (_, i) => ({ start: i * DAY, end: (i + 1) * DAY }))
  const counts = spans.map(() => ({
    events: 10,
    errors: 0,
    duplicates: 0,
    numeric: new Map(),
    categories: new Map(),
  }))
  const model = parseModel(`{ model_id: m, task: binary, windows: ${windows} }`)
  const { seasonProblem } = referenceWindows(spans, counts, model)!
  if (why === undefined) expect(seasonProblem).toBeUndefined()
  else expect(seasonProblem).toContain(`the season of 7d is not followed: ${why}`)
})
