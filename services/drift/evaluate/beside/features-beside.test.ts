import { expect, test } from 'vitest'
import type { WindowCounts } from '../../data/window-data.ts'
import { featuresBeside } from './features-beside.ts'

const side = (categories: Record<string, Record<string, number>>, events = 100): WindowCounts => ({
  ...{ events, errors: 0, duplicates: 0, numeric: new Map() },
  categories: new Map(
    Object.entries(categories).map(([name, counts]) => [name, new Map(Object.entries(counts))]),
  ),
})
const KINDS = new Map()

test('a feature that one side lacks moved most, then those with the greatest distance', () => {
  const a = side({ gone: { x: 100 }, same: { x: 50, y: 50 }, moved: { x: 90, y: 10 } })
  const b = side({ same: { x: 50, y: 50 }, moved: { x: 10, y: 80 } })
  const { features, leftOut } = featuresBeside(a, b, KINDS)
  expect(features.map(({ subject }) => subject)).toEqual(['gone', 'moved', 'same'])
  expect(leftOut).toBe(0)
  expect(features[0]).toMatchObject({ n_b: 0, missing_a: 0, missing_b: 1 })
  expect(features[0]!.psi.value).toBeNull()
  expect(features[0]!.reason).not.toBe('')
  expect(features[1]!.missing_b).toBeCloseTo(0.1, 12)
  expect(features[1]!.shown!.bars).toEqual([
    { low: null, high: null, category: 'x', current: 0.1, reference: 0.9 },
    { low: null, high: null, category: 'y', current: 0.8, reference: 0.1 },
  ])
})

test('forty features have pictures, two thousand are listed, and one alone is asked for by name', () => {
  const many = (x: number) =>
    side(
      Object.fromEntries(
        Array.from({ length: 2100 }, (_, i) => [`f${i}`, { x: x + i / 100, y: 50 }]),
      ),
    )
  const { features, leftOut } = featuresBeside(many(20), many(50), KINDS)
  expect([features.length, leftOut]).toEqual([2000, 100])
  expect(features.filter(({ shown }) => shown !== null).length).toBe(40)
  const alone = featuresBeside(many(20), many(50), KINDS, 'f7')
  expect(alone.features.map(({ subject, shown }) => [subject, shown!.kind])).toEqual([
    ['f7', 'categorical'],
  ])
})
