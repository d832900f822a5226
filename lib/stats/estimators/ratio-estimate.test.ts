/** Hájek's estimate against numpy, against a plain mean, and over many draws. */
import { expect, test } from 'vitest'
import { uniforms } from '../distributions/random.ts'
import { normalInterval } from '../intervals/normal-interval.ts'
import { momentsOf } from '../samples/moments.ts'
import { ratioEstimate, shareInterval, type WeightedSums } from './ratio-estimate.ts'

const sumsOf = (cases: readonly { x: number; w: number }[]): WeightedSums => {
  const sum = (of: (one: { x: number; w: number }) => number) =>
    cases.reduce((total, one) => total + of(one), 0)
  return {
    n: cases.length,
    weight: sum(({ w }) => w),
    squares: sum(({ w }) => w * w),
    total: sum(({ w, x }) => w * x),
    squaredTotal: sum(({ w, x }) => w * w * x),
    squaredSquares: sum(({ w, x }) => w * w * x * x),
  }
}

const VALUES = [3.0, 3.3, 2.7, 2.1, 2.5, 2.0, 3.1, 4.3, 2.5, 2.4, 3.5, 3.4]
const PROBABILITIES = [0.29, 0.47, 0.53, 0.58, 1.0, 0.8, 0.64, 0.99, 0.25, 0.2, 0.63, 0.09]
const CASES = VALUES.map((x, i) => ({ x, w: 1 / PROBABILITIES[i]! }))

test('the values of numpy: average with weights, and the linearised variance written out', () => {
  const found = ratioEstimate(sumsOf(CASES))
  expect(found.mean).toBeCloseTo(2.9573767059177896, 12)
  expect(found.standardError).toBeCloseTo(0.19079401070440605, 12)
  expect(found.effective).toBeCloseTo(6.5070072354110104, 12)
  const share = ratioEstimate(sumsOf(CASES.map(({ x, w }) => ({ x: Number(x > 3), w }))))
  expect(share.mean).toBeCloseTo(0.48725025155561935, 12)
  expect(share.wilsonSize).toBeCloseTo(6.379124216628211, 10)
  const { low, high } = shareInterval(share, 0.95)
  expect([low, high]).toEqual([
    expect.closeTo(0.18556938319045363, 9),
    expect.closeTo(0.7985152372738649, 9),
  ])
})

test('equal weights give the plain mean and its standard error, whatever the weight', () => {
  const plain = momentsOf(VALUES)
  for (const w of [1, 7]) {
    const found = ratioEstimate(sumsOf(VALUES.map((x) => ({ x, w }))))
    expect(found.mean).toBeCloseTo(plain.mean, 12)
    expect(found.standardError).toBeCloseTo(Math.sqrt(plain.variance / VALUES.length), 12)
    expect(found.effective).toBeCloseTo(VALUES.length, 9)
  }
  const share = ratioEstimate(sumsOf([1, 0, 0, 1, 1].map((x) => ({ x, w: 3 }))))
  expect(share.wilsonSize).toBeCloseTo(5, 9)
})

/** Two strata drawn unlike, values of which hang together with the probability. */
const POPULATION = Array.from({ length: 4000 }, (_, i) => ({
  pi: i % 8 === 0 ? 0.4 : 0.05,
  u: (i * 0.6180339887) % 1,
})).map(({ pi, u }) => ({ pi, right: Number(u < (pi > 0.1 ? 0.5 : 0.95)), stars: 1 + 4 * u * u }))

test.each(['right', 'stars'] as const)('%s: no bias, and intervals cover, over 500 draws', (of) => {
  const uniform = uniforms(41)
  const truth = momentsOf(POPULATION.map((one) => one[of])).mean
  let [covered, sum, plain] = [0, 0, 0]
  for (let draw = 0; draw < 500; draw++) {
    const drawn = POPULATION.filter(({ pi }) => uniform() < pi)
    const found = ratioEstimate(sumsOf(drawn.map((one) => ({ x: one[of], w: 1 / one.pi }))))
    const { low, high } =
      of === 'right'
        ? shareInterval(found, 0.95)
        : normalInterval(found.mean, found.standardError, 0.95)
    covered += Number(low <= truth && truth <= high)
    sum += found.mean
    plain += momentsOf(drawn.map((one) => one[of])).mean
  }
  expect(covered / 500).toBeGreaterThan(0.93)
  expect(covered / 500).toBeLessThan(0.975)
  expect(Math.abs(sum / 500 - truth)).toBeLessThan(0.01)
  if (of === 'right') expect(Math.abs(plain / 500 - truth)).toBeGreaterThan(0.1)
})
