import { expect, test } from 'vitest'
import { metricResult, resultKey, type MetricResult } from '../data/metric-results.ts'
import { changedResults } from './rows.ts'

const known = metricResult('performance', '', 'accuracy', 0.9, {
  reference: 'spring',
  ci_low: 0.8,
  ci_high: 0.95,
  ci_level: 0.95,
  n_effective: 80,
})
const before = new Map([[resultKey(known), known]])

test('a result that says the same is not written again', () => {
  expect(changedResults([{ ...known }], before)).toEqual([])
})

test.each<[string, Partial<MetricResult>]>([
  ['value', { value: 0.91 }],
  ['precision', { precision: 'bounded' }],
  ['ci_level', { ci_level: 0.975 }],
  ['n_effective', { n_effective: 79.5 }],
])('a result whose %s alone differs is written again', (_, more) => {
  const now = { ...known, ...more }
  expect(changedResults([now], before)).toEqual([now])
})
