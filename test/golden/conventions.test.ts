/**
 * Interop conventions beside the packages themselves: `scripts/golden/conventions.py` made the values and
 * names the versions.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { azureJs, azurePsi } from '../../services/drift/interop/azure.ts'
import {
  evidentlyCategorical,
  evidentlyJs,
  evidentlyKl,
  evidentlyKs,
  evidentlyNumeric,
  evidentlyPsi,
  evidentlyWasserstein,
} from '../../services/drift/interop/evidently.ts'
import { nannymlHellinger, nannymlJs } from '../../services/drift/interop/nannyml.ts'
import { scouterPsi } from '../../services/drift/interop/scouter.ts'
import type { ScoreBin } from '../../lib/stats/estimators/calibration.ts'
import {
  calibratedRates,
  estimatedAccuracy,
  estimatedAuc,
} from '../../lib/stats/estimators/confidence-estimate.ts'
import { incompleteBeta } from '../../lib/stats/distributions/incomplete-beta.ts'
import { digamma, trigamma, trigammaInverse } from '../../lib/stats/distributions/polygamma.ts'
import { studentTail } from '../../lib/stats/distributions/student-t.ts'
import {
  energyDistance,
  ksExactPValue,
  ksStatistic,
  sorted,
  wassersteinDistance,
} from '../../lib/stats/distances/two-samples.ts'

const golden = JSON.parse(readFileSync(new URL('conventions.json', import.meta.url), 'utf8')) as {
  numeric: {
    n: number
    m: number
    evidently: Record<string, number>
    nannyml: Record<string, number>
  }[]
  cbpe: Record<'accuracy' | 'roc_auc', number>
  categorical: Record<'chi_squared_p' | 'js' | 'z_p', number>
  exact: Record<'ks' | 'ks_p' | 'wasserstein' | 'energy', number> & { a: number[]; b: number[] }
  student_tail: { t: number; degrees: number; p: number }[]
  incomplete_beta: { a: number; b: number; x: number; value: number }[]
  polygamma: { x: number; digamma: number; trigamma: number }[]
}

/** Compares to nine digits, however small the number. */
function close(actual: number, expected: number, digits = 1e-9) {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(digits * Math.abs(expected) + 1e-300)
}

function generator(seed: number): () => number {
  let x = seed
  return () => (x = (Math.imul(1664525, x) + 1013904223) >>> 0) / 2 ** 32
}

/** Sums of four draws of a generator that every language can repeat. */
function sumsOfFour(seed: number, count: number, scale = 1, shift = 0): Float64Array {
  const next = generator(seed)
  return sorted(
    Array.from({ length: count }, () => scale * (next() + next() + next() + next()) + shift),
  )
}

test.each(golden.numeric)('$n against $m numbers', ({ n, m, evidently, nannyml }) => {
  const [a, b] = [sumsOfFour(1, n), sumsOfFour(2, m, 1.1, 0.05)]
  close(evidentlyPsi(a, b), evidently['psi']!)
  close(evidentlyJs(a, b), evidently['jensenshannon']!)
  close(evidentlyKl(a, b), evidently['kl_div']!)
  close(evidentlyWasserstein(a, b), evidently['wasserstein']!)
  close(evidentlyKs(a, b), evidently['ks']!)
  close(nannymlJs(a, b), nannyml['jensen_shannon']!)
  close(nannymlHellinger(a, b), nannyml['hellinger']!)
  expect(evidentlyNumeric(a, b)).toMatchObject({
    metric: n > 1000 ? 'wasserstein' : 'ks',
    drifted: true,
  })
})

test.each([
  [1000, 1000, 0.2132327, 0.2006258, 0.1988728],
  [5000, 500, 0.2445546, 0.2077922, 0.2279586],
  [5000, 5000, 0.1980572, 0.1856809, 0.1738224],
])('%i against %i numbers, by the rules of Azure ML and Scouter', (n, m, psi, js, scouter) => {
  const [a, b] = [sumsOfFour(1, n), sumsOfFour(2, m, 1.1, 0.05)]
  expect(azurePsi(a, b)).toBeCloseTo(psi, 6)
  expect(azureJs(a, b)).toBeCloseTo(js, 6)
  expect(scouterPsi(a, b)).toBeCloseTo(scouter, 6)
})

test('categories', () => {
  const reference = new Map([
    ['a', 700],
    ['b', 250],
    ['c', 50],
  ])
  const current = new Map([
    ['a', 300],
    ['b', 150],
    ['c', 50],
  ])
  close(evidentlyCategorical(reference, current).p!, golden.categorical.chi_squared_p)
  const tenfold = (counts: ReadonlyMap<string, number>) =>
    new Map([...counts].map(([name, n]) => [name, 10 * n]))
  close(evidentlyCategorical(tenfold(reference), current).value, golden.categorical.js)
  const binary = (x: number, y: number) =>
    new Map([
      ['x', x],
      ['y', y],
    ])
  close(evidentlyCategorical(binary(700, 300), binary(330, 170)).p!, golden.categorical.z_p)
  expect(evidentlyCategorical(reference, new Map([...current, ['new', 1]]))).toMatchObject({ p: 0 })
})

test('estimates without labels, from counts, beside NannyML from every event', () => {
  const bins = (seed: number, bend: number): ScoreBin[] => {
    const next = generator(seed)
    const found = new Map<number, ScoreBin>()
    for (let i = 0; i < 20_000; i++) {
      const [drawn, luck] = [next(), next()]
      const score = drawn ** bend
      const bin = Math.floor(score * 100)
      const own = found.get(bin) ?? { bin, asPositive: bin >= 50, n: 0, positives: 0, scores: 0 }
      own.n++
      own.positives += luck < drawn ** 1.5 ? 1 : 0
      own.scores += score
      found.set(bin, own)
    }
    return [...found.values()]
  }
  const rates = calibratedRates(bins(3, 1), 100)!
  const current = bins(4, 1.2)
  expect(Math.abs(estimatedAccuracy(current, rates)!.value - golden.cbpe.accuracy)).toBeLessThan(
    0.002,
  )
  expect(Math.abs(estimatedAuc(current, rates)! - golden.cbpe.roc_auc)).toBeLessThan(0.002)
})

test('two samples', () => {
  const [a, b] = [sorted(golden.exact.a), sorted(golden.exact.b)]
  close(ksStatistic(a, b), golden.exact.ks)
  close(ksExactPValue(golden.exact.ks, a.length, b.length), golden.exact.ks_p)
  close(wassersteinDistance(a, b), golden.exact.wasserstein)
  close(energyDistance(a, b), golden.exact.energy)
})

test('special functions', () => {
  for (const { t, degrees, p } of golden.student_tail) close(studentTail(t, degrees), p)
  for (const { a, b, x, value } of golden.incomplete_beta) close(incompleteBeta(a, b, x), value)
  for (const { x, digamma: first, trigamma: second } of golden.polygamma) {
    close(digamma(x), first)
    close(trigamma(x), second)
    close(trigammaInverse(second), x)
  }
})

test('Evidently measures numbers near 1e15 as it does those near 0: nothing cancels', () => {
  const near = (at: number, by: number) =>
    sorted(Array.from({ length: 20_001 }, (_, i) => at + by + ((i * 7919) % 2001) - 1000))
  const at = (place: number) => evidentlyWasserstein(near(place, 0), near(place, 300))
  expect(at(1e15) / at(0)).toBeCloseTo(1, 9)
})
