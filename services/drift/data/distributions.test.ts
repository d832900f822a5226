import { expect, test } from 'vitest'
import type { BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import type { WindowCounts } from './window-data.ts'
import { distributionOf } from './distributions.ts'

const counts = (events: number, more: Partial<WindowCounts>): WindowCounts => ({
  events,
  errors: 0,
  duplicates: 0,
  numeric: new Map(),
  categories: new Map(),
  ...more,
})
/** Bins from `low` to `high`, each so many times. */
const sample = (
  bins: readonly (readonly [low: number, high: number, n: number])[],
): BinnedSample => ({
  bins: bins.map((_, i) => i),
  counts: bins.map(([, , n]) => n),
  totals: bins.map(([low, high, n]) => ((low + high) / 2) * n),
  lows: bins.map(([low]) => low),
  highs: bins.map(([, high]) => high),
})
const numbers = (events: number, bins: Parameters<typeof sample>[0]) =>
  counts(events, { numeric: new Map([['x', sample(bins)]]) })
const sumOf = (shares: (number | null)[]) =>
  shares.reduce<number>((sum, one) => sum + (one ?? 0), 0)

test('few values have a bar each, and shares of all events with the missing ones', () => {
  const now = numbers(10, [
    [0, 0, 2],
    [1, 1, 6],
  ])
  const { kind, bars, missing } = distributionOf('x', now, numbers(4, [[1, 1, 4]]))
  expect(kind).toBe('numeric')
  expect(bars).toEqual([
    { low: 0, high: 0, category: null, current: 0.2, reference: 0 },
    { low: 1, high: 1, category: null, current: 0.6, reference: 1 },
  ])
  expect(missing).toEqual({ current: 0.2, reference: 0 })
})

test('bars of one width hold every value, the tails too, and at most 62 are given', () => {
  const many = Array.from({ length: 1000 }, (_, i) => [i / 10, i / 10 + 0.05, 1] as const)
  const { scale, bars } = distributionOf('x', numbers(1001, [...many, [1e6, 1e6, 1]]), undefined)
  expect(scale).toBe('linear')
  expect(bars.length).toBeLessThanOrEqual(62)
  expect(sumOf(bars.map(({ current }) => current))).toBeCloseTo(1, 9)
  expect(bars.at(-1)).toMatchObject({ high: null })
  expect(bars.every(({ reference }) => reference === null)).toBe(true)
  const widths = bars.flatMap(({ low, high }) =>
    low === null || high === null ? [] : [high - low],
  )
  expect(Math.max(...widths) - Math.min(...widths)).toBeLessThan(1e-9)
})

test('positive values that are a hundred times as much as the baseline have bars of one ratio', () => {
  const around = (middle: number) =>
    numbers(
      200,
      Array.from({ length: 200 }, (_, i) => [middle * (1 + i / 50), middle * (1.01 + i / 50), 1]),
    )
  const { scale, bars, median } = distributionOf('x', around(10_000), around(100))
  expect(scale).toBe('log')
  expect(median.current! / median.reference!).toBeCloseTo(100, 6)
  expect(sumOf(bars.map(({ current }) => current))).toBeCloseTo(1, 9)
  expect(sumOf(bars.map(({ reference }) => reference))).toBeCloseTo(1, 9)
  // Neither side is a single bar.
  expect(Math.max(...bars.map(({ reference }) => reference!))).toBeLessThan(0.5)
})

test('categories come by frequency of both sides, the rest together', () => {
  const names = Array.from({ length: 30 }, (_, i) => [`c${i}`, 30 - i] as const)
  const total = 465
  const now = counts(total, { categories: new Map([['x', new Map([...names, ['new', 0]])]]) })
  const before = counts(100, { categories: new Map([['x', new Map([['gone', 100]])]]) })
  const { kind, bars, other, missing } = distributionOf('x', now, before)
  expect(kind).toBe('categorical')
  expect(bars).toHaveLength(20)
  expect(bars[0]).toMatchObject({ category: 'gone', current: 0, reference: 1 })
  expect(bars[1]).toMatchObject({ category: 'c0', current: 30 / total })
  expect(other.categories).toBe(12)
  expect(sumOf(bars.map(({ current }) => current)) + other.current + missing.current).toBeCloseTo(1)
})

test('a subject without values is unknown and all missing', () => {
  expect(distributionOf('y', numbers(5, [[1, 1, 5]]), undefined)).toMatchObject({
    kind: 'unknown',
    bars: [],
    missing: { current: 1, reference: null },
  })
})
