/**
 * Our statistics beside `simple-statistics`: what it is used for, and what it is not exact enough
 * for.
 */
import fc from 'fast-check'
import { median, probit } from 'simple-statistics'
import { expect, test } from 'vitest'
import { normalQuantile } from '../../lib/stats/distributions/normal-quantile.ts'
import { medianDistance } from '../../lib/stats/distances/mmd.ts'
import { momentsOf } from '../../lib/stats/samples/moments.ts'

test('normal quantiles: the package is off by up to 0.0101 where ours is exact', () => {
  const shares = Array.from({ length: 999 }, (_, i) => (i + 1) / 1000)
  const largest = Math.max(...shares.map((p) => Math.abs(probit(p) - normalQuantile(p))))
  expect(largest).toBeGreaterThan(0.01)
  expect(largest).toBeLessThan(0.011)
})

test('the median distance is a distance; of an even number the package gives what lies between two', () => {
  const distances = fc.array(fc.double({ noNaN: true, min: 1, max: 1e6 }), { minLength: 1 })
  fc.assert(
    fc.property(distances, (given) => {
      // Vectors on a line, each apart from the first alone: as many distances as pairs.
      const points = [[0], ...given.map((x) => [x])]
      const pairs = points.flatMap(([a], i) => points.slice(i + 1).map(([b]) => Math.abs(a! - b!)))
      const ours = medianDistance(points)
      if (pairs.length % 2 === 1 && median(pairs) > 0) expect(ours).toBe(median(pairs))
      else expect(ours).toBeGreaterThanOrEqual(median(pairs))
    }),
  )
})

test('a mean keeps what plain summation loses', () => {
  expect(momentsOf([1e16, 1, 1, -1e16]).mean).toBe(0.5)
})

test('too few values have no moments', () => {
  expect(momentsOf([])).toEqual({ mean: NaN, variance: NaN })
  expect(momentsOf([3])).toEqual({ mean: 3, variance: NaN })
})
