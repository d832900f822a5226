import { expect, test } from 'vitest'
import { promotionsOf, renewalBefore } from './promotions.ts'

const counts = (...spans: Record<string, number>[]) =>
  spans.flatMap((versions, i) =>
    Object.entries(versions).map(([version, events]) => ({ start: i * 10, version, events })),
  )

test('a version is promoted when it leads, from the first span that is its own', () => {
  expect(promotionsOf(counts({ a: 100 }, { a: 95, b: 5 }, { b: 100 }), 10)).toEqual([
    { version: 'a', at: 0 },
    { version: 'b', at: 20 },
  ])
  // A span that two versions share is not the later one's.
  expect(promotionsOf(counts({ a: 100 }, { a: 30, b: 70 }, { b: 100 }), 10)[1]).toEqual({
    version: 'b',
    at: 20,
  })
})

test('a canary is not promoted, and a rollback is', () => {
  expect(promotionsOf(counts({ a: 100 }, { a: 90, b: 10 }, { a: 50, b: 50 }), 10)).toHaveLength(1)
  expect(
    promotionsOf(counts({ a: 9 }, { b: 9 }, { a: 9 }), 10).map(({ version }) => version),
  ).toEqual(['a', 'b', 'a'])
})

const window = { start: 300, end: 310 }
const every = ({ start, end }: { start: number; end: number }) => (end - start) / 10
const promoted = (...at: number[]) => at.map((instant, i) => ({ version: String(i), at: instant }))

test('a version that lived long enough to be known is followed by one with a baseline of its own', () => {
  expect(renewalBefore(window, promoted(0, 80), 8, every)?.at).toBe(80)
  expect(renewalBefore(window, promoted(0, 70), 8, every)).toBeUndefined()
  expect(renewalBefore(window, promoted(0), 8, every)).toBeUndefined()
  // The window in which a version came is of the former one's time.
  expect(renewalBefore(window, promoted(0, 301), 8, every)).toBeUndefined()
})

test('versions that follow one another faster than a baseline is learned share one', () => {
  const daily = promoted(...Array.from({ length: 30 }, (_, i) => i * 10))
  expect(renewalBefore(window, daily, 8, every)).toBeUndefined()
  expect(renewalBefore(window, promoted(0, 100, 120, 140), 8, every)?.at).toBe(100)
})
