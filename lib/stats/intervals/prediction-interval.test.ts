import fc from 'fast-check'
import { expect, test } from 'vitest'
import { uniforms } from '../distributions/random.ts'
import { normalQuantile } from '../distributions/normal-quantile.ts'
import { studentQuantile, studentTail } from '../distributions/student-t.ts'
import { predictionInterval } from './prediction-interval.ts'

test('quantiles of t are the closed forms of one, two and many degrees of freedom', () => {
  for (const p of [0.001, 0.1, 0.5, 0.9, 0.975, 0.9999]) {
    expect(studentQuantile(p, 1)).toBeCloseTo(Math.tan(Math.PI * (p - 0.5)), 6)
    expect(studentQuantile(p, 2)).toBeCloseTo((2 * p - 1) / Math.sqrt(2 * p * (1 - p)), 8)
    expect(studentQuantile(p, 1e7)).toBeCloseTo(normalQuantile(p), 5)
  }
  expect(() => studentQuantile(1, 3)).toThrow(RangeError)
})

test('the quantile turns the tail round, for any degrees', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }),
      fc.double({ min: 0.5, max: 500, noNaN: true }),
      (p, degrees) => {
        expect(1 - studentTail(studentQuantile(p, degrees), degrees)).toBeCloseTo(p, 9)
      },
    ),
    { numRuns: 50 },
  )
})

test('one more value lies in the interval as often as its level says', () => {
  const uniform = uniforms(7)
  const normal = () => normalQuantile(Math.min(1 - 1e-12, Math.max(1e-12, uniform())))
  for (const n of [8, 20]) {
    let inside = 0
    const runs = 2000
    for (let run = 0; run < runs; run++) {
      const { low, high } = predictionInterval(Array.from({ length: n }, normal), 0.9)!
      const next = normal()
      if (next >= low && next <= high) inside++
    }
    expect(inside / runs).toBeGreaterThan(0.88)
    expect(inside / runs).toBeLessThan(0.92)
  }
  expect(predictionInterval([1], 0.9)).toBeUndefined()
})
