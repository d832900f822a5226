/** Our statistics beside `simple-statistics`: what it is used for, and what it is not exact enough for. */
import fc from 'fast-check'
import { probit, quantileSorted } from 'simple-statistics'
import { expect, test } from 'vitest'
import { normalQuantile } from '../../lib/stats/distributions/normal-quantile.ts'
import { momentsOf } from '../../lib/stats/samples/moments.ts'
import { linearQuantile } from '../../services/drift/interop/histograms.ts'

test('normal quantiles: the package is off by up to 0.0101 where ours is exact', () => {
  const shares = Array.from({ length: 999 }, (_, i) => (i + 1) / 1000)
  const largest = Math.max(...shares.map((p) => Math.abs(probit(p) - normalQuantile(p))))
  expect(largest).toBeGreaterThan(0.01)
  expect(largest).toBeLessThan(0.011)
})

test('quantiles by linear interpolation are the same', () => {
  const values = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 })
  fc.assert(
    fc.property(values, fc.double({ noNaN: true, min: 0, max: 1 }), (given, p) => {
      const ordered = given.toSorted((a, b) => a - b)
      expect(linearQuantile(ordered, p)).toBeCloseTo(quantileSorted(ordered, p), 6)
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
