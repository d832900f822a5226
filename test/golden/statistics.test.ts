/**
 * Our statistics beside scipy, statsmodels and scikit-learn: `scripts/golden/by_scipy.py` made the values
 * and names the versions.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { chiSquared, chiSquaredQuantile } from '../../lib/stats/distributions/chi-squared.ts'
import { cellsOf, confusionOf, precisionRecall } from '../../lib/stats/estimators/confusion.ts'
import { upperGamma } from '../../lib/stats/distributions/incomplete-gamma.ts'
import { kolmogorovSurvival, ksInterval, ksPValue } from '../../lib/stats/distances/ks.ts'
import { medianDistance, mmd } from '../../lib/stats/distances/mmd.ts'
import { mean, standardDeviation } from '../../lib/stats/samples/moments.ts'
import { normalQuantile } from '../../lib/stats/distributions/normal-quantile.ts'
import { newcombe, wilson } from '../../lib/stats/intervals/proportions.ts'
import { psi } from '../../lib/stats/distances/psi.ts'
import { quantile } from '../../lib/stats/samples/quantile.ts'
import { squaredDistances } from '../../lib/stats/distances/squared-distances.ts'
import { wasserstein } from '../../lib/stats/distances/wasserstein.ts'
import { atoms, gridded } from './samples.ts'

interface Golden {
  kolmogorov: { x: number; sf: number }[]
  two_samples: {
    a: number[]
    b: number[]
    ks: number
    wasserstein: number
    energy: number
    anderson_darling: number
    sd_of_a: number
    mean_of_a: number
    quantile_inverted_cdf: number
  }[]
  cramer_von_mises: { a: number[]; b: number[]; statistic: number }[]
  mmd: { a: number[][]; b: number[][]; bandwidth: number; mmd: number }[]
  chi_squared: { a: number[]; b: number[]; statistic: number; p: number; degrees: number }[]
  chi_squared_quantile: { p: number; degrees: number; x: number }[]
  upper_gamma: { a: number; x: number; q: number }[]
  normal_quantile: { p: number; x: number }[]
  wilson: { successes: number; n: number; low: number; high: number }[]
  newcombe: { a: [number, number]; b: [number, number]; low: number; high: number }[]
  confusion: {
    truth: number[]
    guess: number[]
    precision: number[]
    recall: number[]
    f1: number[]
  }
}
const golden = JSON.parse(
  readFileSync(new URL('statistics.json', import.meta.url), 'utf8'),
) as Golden
/** Relative to the larger of the value and 1e-3. */
const near = (actual: number, expected: number, tolerance = 1e-9) =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(
    tolerance * Math.max(Math.abs(expected), 1e-3),
  )

test.each(golden.kolmogorov)('Kolmogorov survival at $x', ({ x, sf }) =>
  near(kolmogorovSurvival(x), sf),
)
test('maximum mean discrepancy, and the bandwidth it takes', () => {
  for (const expected of golden.mmd) {
    near(medianDistance(expected.a), expected.bandwidth)
    near(mmd(expected.a, expected.b, expected.bandwidth), expected.mmd)
  }
})
test.each(golden.chi_squared_quantile)('chi-squared quantile $p of $degrees', ({ p, degrees, x }) =>
  near(chiSquaredQuantile(p, degrees), x),
)
test.each(golden.upper_gamma)('upper gamma of $a at $x', ({ a, x, q }) => near(upperGamma(a, x), q))
test.each(golden.normal_quantile)('normal quantile of $p', ({ p, x }) =>
  near(normalQuantile(p), x, 1e-12),
)
test.each(golden.wilson)('Wilson of $successes in $n', ({ successes, n, low, high }) => {
  const interval = wilson(successes, n, 0.95)
  near(interval.low, low)
  near(interval.high, high)
})
test.each(golden.newcombe)('Newcombe of $a and $b', ({ a, b, low, high }) => {
  const interval = newcombe({ successes: a[0], n: a[1] }, { successes: b[0], n: b[1] }, 0.95)
  near(interval.low, low)
  near(interval.high, high)
})
test.each(golden.chi_squared)('chi-squared of $a and $b', ({ a, b, statistic, p, degrees }) => {
  const ours = chiSquared(a, b)
  expect(ours.degrees).toBe(degrees)
  near(ours.statistic, statistic)
  near(ours.p, p)
})

test.each(golden.two_samples)('KS and Wasserstein of atoms are exact', ({ a, b, ...expected }) => {
  const ks = ksInterval(atoms(a), atoms(b))
  near(ks.low, expected.ks)
  near(ks.high, expected.ks)
  near(wasserstein(atoms(a), atoms(b)).value, expected.wasserstein)
  near(standardDeviation(atoms(a)), expected.sd_of_a)
  near(mean(atoms(a)), expected.mean_of_a)
  near(quantile(atoms(a), 0.9)!.value, expected.quantile_inverted_cdf)
})

test.each(golden.two_samples)(
  'KS and Wasserstein of a grid hold the exact value in their bounds',
  ({ a, b, ...expected }) => {
    const ks = ksInterval(gridded(a), gridded(b))
    expect(ks.low).toBeLessThanOrEqual(expected.ks + 1e-12)
    expect(ks.high).toBeGreaterThanOrEqual(expected.ks - 1e-12)
    const distance = wasserstein(gridded(a), gridded(b))
    expect(distance.low).toBeLessThanOrEqual(expected.wasserstein + 1e-12)
    expect(distance.high).toBeGreaterThanOrEqual(expected.wasserstein - 1e-12)
  },
)

test.each(golden.two_samples)(
  'energy distance and Anderson–Darling: exact of atoms, within their bounds on a grid',
  ({ a, b, ...expected }) => {
    const factor = (a.length * b.length) / (a.length + b.length)
    const exact = squaredDistances(atoms(a), atoms(b))
    near(exact.energy.value, expected.energy)
    near(factor * exact.andersonDarling.value, expected.anderson_darling)
    const bounded = squaredDistances(gridded(a), gridded(b))
    for (const metric of ['cramerVonMises', 'andersonDarling', 'energy'] as const) {
      expect(exact[metric].low).toBe(exact[metric].high)
      expect(bounded[metric].low).toBeLessThanOrEqual(exact[metric].value + 1e-12)
      expect(bounded[metric].high).toBeGreaterThanOrEqual(exact[metric].value - 1e-12)
    }
  },
)

test.each(golden.cramer_von_mises)('Cramér–von Mises without ties', ({ a, b, statistic }) => {
  const factor = (a.length * b.length) / (a.length + b.length)
  near(factor * squaredDistances(atoms(a), atoms(b)).cramerVonMises.value, statistic)
})

test('precision, recall and F1 by class', () => {
  const { truth, guess, ...expected } = golden.confusion
  const cells = [
    ...Map.groupBy(
      truth.map((label, i) => `${label} ${guess[i]!}`),
      (pair) => pair,
    ),
  ].map(([pair, all]) => {
    const [label = '', predicted = ''] = pair.split(' ')
    return { label, predicted, n: all.length }
  })
  const confusion = confusionOf(cells)
  for (const [i, name] of ['0', '1', '2'].entries()) {
    const ours = precisionRecall(cellsOf(confusion, name))
    near(ours.precision!, expected.precision[i]!)
    near(ours.recall!, expected.recall[i]!)
    near(ours.f1!, expected.f1[i]!)
  }
})

const values = fc.array(
  fc.oneof(
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(0, 1e-12, 2015, 273.15),
  ),
  { minLength: 1, maxLength: 60 },
)

test('the KS interval holds the exact D for any samples', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const exact = ksInterval(atoms(a), atoms(b)).low
      const { low, high } = ksInterval(gridded(a), gridded(b))
      expect(low).toBeLessThanOrEqual(exact + 1e-12)
      expect(high).toBeGreaterThanOrEqual(exact - 1e-12)
    }),
    { numRuns: 2000 },
  )
})

test('the bounds of the squared distances hold the exact ones for any samples', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const exact = squaredDistances(atoms(a), atoms(b))
      const bounded = squaredDistances(gridded(a), gridded(b))
      for (const metric of ['cramerVonMises', 'andersonDarling', 'energy'] as const) {
        const { value } = exact[metric]
        expect(bounded[metric].low).toBeLessThanOrEqual(value * (1 + 1e-9) + 1e-12)
        expect(bounded[metric].high).toBeGreaterThanOrEqual(value * (1 - 1e-9) - 1e-12)
        expect(bounded[metric].value).toBeGreaterThanOrEqual(0)
      }
      expect(exact.cramerVonMises.value).toBeLessThanOrEqual(1)
    }),
    { numRuns: 2000 },
  )
})

test('psi is symmetric and not negative', () => {
  const counts = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 2, maxLength: 20 })
  fc.assert(
    fc.property(counts, (pairs) => {
      const a = pairs.map(([x]) => x)
      const b = pairs.map(([, y]) => y)
      fc.pre(a.some((x) => x > 0) && b.some((y) => y > 0))
      expect(psi(a, b)).toBeGreaterThanOrEqual(0)
      expect(psi(a, b)).toBeCloseTo(psi(b, a), 10)
    }),
  )
})

test.each([
  [200, 200],
  [1000, 60],
  [50, 2000],
])('under the null, p below 0.05 comes in at most 5 %% of draws: KS, %i against %i', (n, m) => {
  const random = uniforms(n * 7919 + m)
  const draw = (size: number) => atoms(Array.from({ length: size }, random))
  let hits = 0
  for (let i = 0; i < 400; i++) if (ksPValue(ksInterval(draw(n), draw(m)).low, n, m) < 0.05) hits++
  // Three standard errors above the nominal rate; and not so few that the test would have no power.
  expect(hits / 400).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 400))
  expect(hits / 400).toBeGreaterThan(0.01)
})

test.each([
  [500, 500],
  [2000, 150],
])(
  'under the null, p below 0.05 comes in about 5 %% of draws: chi-squared, %i against %i',
  (n, m) => {
    const random = uniforms(n * 104729 + m)
    const draw = (size: number) => {
      const counts = [0, 0, 0, 0]
      for (let i = 0; i < size; i++) counts[Math.floor(random() * 4)]!++
      return counts
    }
    let hits = 0
    for (let i = 0; i < 2000; i++) if (chiSquared(draw(n), draw(m)).p < 0.05) hits++
    expect(Math.abs(hits / 2000 - 0.05)).toBeLessThan(3 * Math.sqrt((0.05 * 0.95) / 2000))
  },
)
