/**
 * Coefficients of agreement beside scikit-learn, statsmodels and krippendorff:
 * `scripts/golden/agreement.py` made the values and names the versions.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cohensKappa } from '../../lib/stats/agreement/cohen.ts'
import { fleissKappa } from '../../lib/stats/agreement/fleiss.ts'
import { krippendorffsAlpha } from '../../lib/stats/agreement/krippendorff.ts'

interface Kappa {
  kappa: number
  standard_error: number
}
interface Golden {
  cohen: { table: number[][]; none: Kappa; linear: Kappa; quadratic: Kappa }[]
  fleiss: { counts: number[][]; kappa: number }[]
  krippendorff: {
    counts: number[][]
    values: number[]
    nominal: number
    ordinal: number
    interval: number
  }[]
}
const golden = JSON.parse(
  readFileSync(new URL('agreement.json', import.meta.url), 'utf8'),
) as Golden

test.each(['none', 'linear', 'quadratic'] as const)('cohen, weights %s', (weights) => {
  expect(golden.cohen.length).toBeGreaterThan(2)
  for (const { table, ...by } of golden.cohen) {
    const ours = cohensKappa(table, weights)!
    expect(ours.value).toBeCloseTo(by[weights].kappa, 10)
    expect(ours.standardError).toBeCloseTo(by[weights].standard_error, 10)
  }
})

test('fleiss', () => {
  expect(golden.fleiss.length).toBeGreaterThan(1)
  for (const { counts, kappa } of golden.fleiss) expect(fleissKappa(counts)).toBeCloseTo(kappa, 10)
})

test.each(['nominal', 'ordinal', 'interval'] as const)('krippendorff, %s', (kind) => {
  expect(golden.krippendorff.length).toBeGreaterThan(2)
  for (const { counts, values, ...by } of golden.krippendorff)
    expect(krippendorffsAlpha(counts, values, kind)!.value).toBeCloseTo(by[kind], 10)
})
