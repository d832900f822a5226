/** Novelty beside scikit-learn's NearestNeighbors: `scripts/golden/novelty.py`. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { novelty, representatives } from '../../lib/stats/distances/novelty.ts'

const golden = JSON.parse(readFileSync(new URL('novelty.json', import.meta.url), 'utf8')) as Record<
  'baseline' | 'asked',
  number[][]
> & {
  line: number
  distances: number[]
  share: number
}

test('line, distances and share are those of nearest neighbours', () => {
  const found = novelty(golden.baseline, golden.asked)
  expect(found.line).toBeCloseTo(golden.line, 9)
  // By a product of matrices, as scikit-learn has them, a distance of 0 is one of 1e-7.
  for (const [i, distance] of found.distances.entries())
    expect(Math.abs(distance - golden.distances[i]!)).toBeLessThan(1e-6)
  expect(found.share).toBe(golden.share)
})

test('a baseline of equal vectors takes any other for new, and itself for known', () => {
  const same = [1, 2, 3].map(() => [1, 1])
  expect(novelty(same, [[1, 1]]).share).toBe(0)
  expect(novelty(same, [[1, 1.5]])).toMatchObject({ line: 0, share: 1 })
})

test('examples stand for the others: a group before what is alone', () => {
  const group = [0, 0.1, 0.2, 0.3, 0.4].map((x) => [x, 0])
  expect(representatives([[50, 0], ...group, [-9, 0]], 2)).toEqual([3, 0])
  expect(representatives([], 3)).toEqual([])
  expect(representatives([[1]], 3)).toEqual([0])
})
