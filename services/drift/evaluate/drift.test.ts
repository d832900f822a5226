/** What counts know, and what they do not: a bin of several values is no value. */
import type { ReferenceData } from '../data/reference.ts'
import { expect, test } from 'vitest'
import { binned } from '../../../lib/sink/counts/log-histogram.ts'
import type { BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import { spreadOf } from '../../../lib/stats/samples/moments.ts'
import { evaluateDrift } from './drift.ts'
import { blindSubjects, settledBlind, withoutBlindOk } from './settle/settled-drift.ts'
import { evaluateQuality } from './quality/data-quality.ts'
import type { WindowCounts } from '../data/window-data.ts'

const sampleOf = (values: readonly number[], resolution: number): BinnedSample => {
  const { bins, counts, totals, lows, highs } = binned(
    Float64Array.from(values),
    values.length,
    resolution,
  )
  return {
    resolution,
    bins: [...bins],
    counts: [...counts],
    totals: [...totals],
    lows: [...lows],
    highs: [...highs],
  }
}
const windowOf = (
  values: readonly number[],
  { resolution = 1, texts = {} }: { resolution?: number; texts?: Record<string, number> } = {},
): WindowCounts => ({
  events: values.length + Object.values(texts).reduce((sum, n) => sum + n, 0),
  errors: 0,
  duplicates: 0,
  numeric: values.length > 0 ? new Map([['x', sampleOf(values, resolution)]]) : new Map(),
  categories:
    Object.keys(texts).length > 0 ? new Map([['x', new Map(Object.entries(texts))]]) : new Map(),
})
const referenceOf = (counts: WindowCounts): ReferenceData => ({
  name: 'first',
  baseline: true,
  spans: [],
  counts,
  outcomes: undefined,
})
function resultsOf(reference: WindowCounts, current: WindowCounts) {
  const beside = referenceOf(reference)
  const results = [...evaluateDrift(current, beside, 1), ...evaluateQuality(current, beside)]
  return (metric: string) =>
    results.find((f) => f.metric === metric && f.convention === 'plumbline')!
}
const among = (n: number, of: (i: number) => number) => Array.from({ length: n }, (_, i) => of(i))

// All in one bin of resolution 1, which is 8 wide there.
const close = among(200, (i) => 1000 + (i % 10) * 0.1)

test('ten values of one bin are no constant, and their spread is not known', () => {
  const of = resultsOf(windowOf(close), windowOf(close.map((x) => x + 0.5)))
  for (const metric of ['wasserstein', 'energy']) {
    expect(of(metric), metric).toMatchObject({
      value: null,
      precision: 'bounded',
      bound_high: null,
    })
    expect(of(metric).reason).toBe(
      'the reference lies in one bin, between 1000 and 1000.9: its spread is not known',
    )
  }
  const constant = resultsOf(windowOf(among(200, () => 5)), windowOf(close))
  expect(constant('wasserstein')).toMatchObject({
    value: null,
    reason: 'the reference is constant',
  })
})

test('what moves within a bin is not told as exact', () => {
  const of = resultsOf(windowOf(close), windowOf(close.map((x) => x + 0.5)))
  for (const metric of ['psi', 'psi_excess', 'js_distance', 'hellinger', 'kl', 'tv', 'l_infinity'])
    expect(of(metric), metric).toMatchObject({ precision: 'bounded' })
  expect(of('psi').reason).toContain('one bin holds 100 % of the values, between 1000 and 1000.9')
  expect(of('ks')).toMatchObject({ precision: 'bounded', bound_high: 1 })
  const atoms = resultsOf(windowOf(among(200, (i) => i % 10)), windowOf(among(200, (i) => i % 9)))
  for (const metric of ['psi', 'tv', 'wasserstein', 'energy', 'largest_atom_share'])
    expect(atoms(metric), metric).toMatchObject({ precision: 'exact' })
})

test('the most frequent value of a bin of several lies within bounds', () => {
  // Nine tenths of one value, and another beside it in the bin.
  const current = among(200, (i) => (i % 10 === 0 ? 1000.5 : 1000))
  const of = resultsOf(windowOf(close), windowOf(current))
  expect(of('largest_atom_share')).toMatchObject({ precision: 'bounded', bound_low: 0 })
  expect(of('largest_atom_share').bound_high).toBeGreaterThanOrEqual(0.9)
  expect(of('new_atom_share').bound_high).toBeGreaterThanOrEqual(0.8)
})

test('a spread lies between that of the bins and what their values can add', () => {
  const uneven = among(500, (i) => 1 + ((i * 37) % 101) ** 2 / 97)
  const center = uneven.reduce((a, b) => a + b, 0) / uneven.length
  const exact = Math.sqrt(uneven.reduce((sum, x) => sum + (x - center) ** 2, 0) / uneven.length)
  for (const resolution of [1, 2, 4]) {
    const { low, high } = spreadOf(sampleOf(uneven, resolution))
    expect(low).toBeLessThanOrEqual(exact + 1e-9)
    expect(high).toBeGreaterThanOrEqual(exact - 1e-9)
  }
  const coarse = resultsOf(windowOf(close), windowOf(among(200, (i) => 1000 + i)))('wasserstein')
  expect(coarse.bound_low).toBeGreaterThan(0)
})

test('a declaration decides what a feature is that comes as numbers and as text', () => {
  const numbers = windowOf(
    among(200, (i) => i % 7),
    { texts: { many: 900 } },
  )
  const beside = referenceOf(numbers)
  const kinds = new Map([['x', 'numeric' as const]])
  expect(evaluateDrift(numbers, beside, 1).some((f) => f.metric === 'chi_squared')).toBe(true)
  const declared = evaluateDrift(numbers, beside, 1, kinds)
  expect(declared.find((f) => f.metric === 'psi')).toMatchObject({ n_current: 200 })
  expect(declared.some((f) => f.metric === 'ks')).toBe(true)
  const mismatch = evaluateQuality(numbers, beside, kinds).find(
    (f) => f.metric === 'type_mismatch_ratio',
  )
  expect(mismatch).toMatchObject({
    value: 900 / 1100,
    reason: 'text in a feature that is declared numeric',
  })
  const text = windowOf([], { texts: { many: 900 } })
  expect(evaluateDrift(text, beside, 1, kinds).find((f) => f.metric === 'psi')).toMatchObject({
    value: null,
    verdict: 'incomplete',
    reason: 'no number in this window',
  })
})

test('two constants that are equal are no distance apart, however few they are', () => {
  const of = resultsOf(windowOf(among(1000, () => 5)), windowOf(among(8, () => 5)))
  for (const metric of ['psi', 'psi_excess', 'kl', 'js_distance']) expect(of(metric).value).toBe(0)
  expect(of('psi').reason).toBe('one bin holds all values of both')
  const moved = resultsOf(windowOf(among(1000, () => 5)), windowOf(among(8, () => 6)))
  expect(moved('psi').value).toBeGreaterThan(1)
})

test('bins too coarse to show a change never read ok: raw rows decide, or it is incomplete', () => {
  // Both lie in the bins around 1000, four wide, at the coarsest resolution.
  const [before, after] = [among(800, (i) => 1000.5 + i / 800), among(800, (i) => 1001.8 + i / 800)]
  const coarse = evaluateDrift(windowOf(after), referenceOf(windowOf(before)), 1)
  const psiOf = (results: typeof coarse) => results.find(({ metric }) => metric === 'psi')!
  const ksOf = (results: typeof coarse) =>
    results.find(({ metric, convention }) => metric === 'ks' && convention === 'plumbline')!
  expect(psiOf(coarse).verdict).toBe('ok')
  expect(blindSubjects(coarse)).toEqual(['x'])
  expect(psiOf(withoutBlindOk(coarse))).toMatchObject({
    verdict: 'incomplete',
    reason: 'the bins are too coarse to tell: the Kolmogorov–Smirnov distance lies between 0 and 1',
  })
  expect(ksOf(withoutBlindOk(coarse)).verdict).not.toBe('ok')

  const exact = (values: readonly number[]): WindowCounts => ({
    ...windowOf([]),
    events: values.length,
    numeric: new Map([
      [
        'x',
        { bins: values, counts: values.map(() => 1), totals: values, lows: values, highs: values },
      ],
    ]),
  })
  const settled = settledBlind(coarse, exact(after), exact(before))
  expect(psiOf(settled)).toMatchObject({ verdict: 'alarm' })
  expect(ksOf(settled)).toMatchObject({ value: 1, precision: 'exact' })
  expect(psiOf(settledBlind(coarse, exact(before), exact(before))).verdict).toBe('ok')
  expect(withoutBlindOk(settled)).toEqual(settled)
})
