import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  coarsened,
  atOneResolution,
  sampleSize,
  type BinnedSample,
} from '../../stats/samples/binned-sample.ts'
import { ksInterval } from '../../stats/distances/ks.ts'
import { ksStatistic, sorted } from '../../stats/distances/two-samples.ts'
import { counted, normals } from '../../../bench/streams.ts'
import { uniforms } from '../../stats/distributions/random.ts'
import { resolutionOf } from './log-histogram.ts'

const sampleOf = (values: readonly number[], resolution?: number) =>
  counted(Float64Array.from(values), resolution)

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

test('what is counted finely and merged is what would have been counted coarsely', () => {
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1, maxLength: 50 }), fc.nat(3), (values, i) => {
      const { totals: fine, ...rest } = coarsened(sampleOf(values, 4), 4 - i)
      const { totals: coarse, ...others } = sampleOf(values, 4 - i)
      expect(rest).toEqual(others)
      fine.forEach((total, k) => expect(total).toBeCloseTo(coarse[k]!, -300))
    }),
    { numRuns: 500 },
  )
})

const uniform = uniforms(1)
const normal = normals(uniform)
const draw = (of: () => number) => Array.from({ length: 5000 }, of)
const SCALES: Record<string, { from: () => number; widest: number }> = {
  years: { from: () => Math.round(2008 + 8 * normal()), widest: 0 },
  kelvins: { from: () => 285 + 9 * normal(), widest: 0.01 },
  'far from zero': { from: () => 1e15 * (1 + 1e-4 * normal()), widest: 0.01 },
  'farther from zero': { from: () => 1e15 + 1000 * normal(), widest: 0.06 },
  'milliseconds since 1970': { from: () => Math.round(1.77e12 + 5000 * normal()), widest: 0.02 },
  huge: { from: () => 1e300 * (1 + 0.1 * normal()), widest: 0.02 },
  tiny: { from: () => 1e-12 * Math.abs(normal()), widest: 0.01 },
  'half of it zero': { from: () => (uniform() < 0.5 ? 0 : Math.exp(2 * normal())), widest: 0.01 },
  'both signs': { from: () => 100 * normal(), widest: 0.01 },
  'with an error code': {
    from: () => (uniform() < 0.02 ? -999 : 285 + 9 * normal()),
    widest: 0.01,
  },
}

test.each(Object.entries(SCALES))('%s: KS is bounded closely', (_, { from, widest }) => {
  const [a, b] = [draw(from), draw(() => 1.001 * from())]
  const [x, y] = atOneResolution([sampleOf(a), sampleOf(b)]) as [BinnedSample, BinnedSample]
  const { low, high } = ksInterval(x, y)
  const exact = ksStatistic(sorted(a), sorted(b))
  expect(low).toBeLessThanOrEqual(exact + 1e-12)
  expect(high).toBeGreaterThanOrEqual(exact - 1e-12)
  expect(high - low).toBeLessThanOrEqual(widest === 0 ? 0.06 : widest)
  expect(sampleSize(x)).toBe(5000)
  expect(x.bins.length).toBeLessThan(2500)
})

test('a few values do not force fine bins on a quiet stream', () => {
  expect(resolutionOf(Float64Array.of(1.5), 1)).toBe(2)
  expect(
    resolutionOf(
      Float64Array.from({ length: 100 }, () => 1.5),
      100,
    ),
  ).toBe(10)
})
