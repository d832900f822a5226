import { expect, test } from 'vitest'
import { metricResult } from '../data/metric-results.ts'
import { whileLearning } from './learning.ts'

const learning = { window: 3, of: 8, before: undefined }

test('while a baseline is learned its verdicts are none, and the values stay', () => {
  for (const verdict of ['ok', 'warning', 'alarm'] as const)
    expect(
      whileLearning(metricResult('drift', 'x', 'psi', 0.3, { verdict, threshold: 0.25 }), learning),
    ).toMatchObject({
      value: 0.3,
      verdict: 'none',
      threshold: null,
      reason: 'learning, window 3 of 8',
    })
})

test('too little data is still said, and what has no verdict anyway keeps its reason', () => {
  const few = metricResult('drift', 'x', 'psi', 0.3, { verdict: 'incomplete', reason: '5 events' })
  expect(whileLearning(few, learning)).toBe(few)
  const shown = metricResult('quality', 'x', 'largest_atom_share', 1, { reason: 'constant' })
  expect(whileLearning(shown, learning)).toBe(shown)
  const known = metricResult('drift', 'x', 'psi', 0.3, { verdict: 'alarm' })
  expect(whileLearning(known, undefined)).toBe(known)
})
