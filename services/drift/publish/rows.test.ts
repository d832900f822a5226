import { expect, test } from 'vitest'
import { fact, factKey, type Fact } from '../data/metric-results.ts'
import { changedFacts, metricRows, type RevisionKey } from './rows.ts'
import { ALL } from '../data/cohort.ts'

const known = fact('performance', '', 'accuracy', 0.9, {
  reference: 'spring',
  ci_low: 0.8,
  ci_high: 0.95,
  ci_level: 0.95,
  n_effective: 80,
})
const before = new Map([[factKey(known), known]])

test('a fact that says the same is not written again', () => {
  expect(changedFacts([{ ...known }], before)).toEqual([])
})

test.each<[string, Partial<Fact>]>([
  ['value', { value: 0.91 }],
  ['precision', { precision: 'bounded' }],
  ['ci_level', { ci_level: 0.975 }],
  ['n_effective', { n_effective: 79.5 }],
])('a fact whose %s alone differs is written again', (_, more) => {
  const now = { ...known, ...more }
  expect(changedFacts([now], before)).toEqual([now])
})

test('a row carries the revision of the reference that it was compared with', () => {
  const key: RevisionKey = {
    modelId: 'm',
    combination: ALL,
    window: { start: 0, end: 3_600_000 },
    revision: 1,
    episode: '',
    policyRevision: 'p',
    referenceRevisions: new Map([['spring', 3]]),
    computedAt: 0,
  }
  const facts = [known, { ...known, reference: 'training' }, { ...known, reference: '' }]
  expect(metricRows(facts, key).map((row) => row['reference_revision'])).toEqual([3, 1, 1])
})
