import { expect, test } from 'vitest'
import { standingsOf, widening, type Published } from './beside-whole.ts'

const cell = (value: number | null, half: number, more: Partial<Published> = {}): Published => ({
  ...{ value, baseline_value: null, n: 500, verdict: 'none', reason: '' },
  ...{
    ci_low: value === null ? null : value - half,
    ci_high: value === null ? null : value + half,
  },
  ...more,
})
const RULES = { worse: -1, minCount: 100 } as const

test('a cohort is worse or better where its interval, widened for all of them, leaves the whole', () => {
  expect(standingsOf(0.9, [cell(0.8, 0.05), cell(0.97, 0.02), cell(0.88, 0.05)], RULES)).toEqual([
    'worse',
    'better',
    'alike',
  ])
  // One by itself would be worse; among fifty such a distance comes by chance.
  const near = cell(0.85, 0.045)
  expect(standingsOf(0.9, [near], RULES)).toEqual(['worse'])
  const among = [near, ...Array.from({ length: 49 }, () => cell(0.9, 0.05))]
  expect(standingsOf(0.9, among, RULES)[0]).toBe('alike')
})

test('less of an error is better, and a number of no side differs', () => {
  expect(standingsOf(10, [cell(20, 2)], { ...RULES, worse: 1 })).toEqual(['worse'])
  expect(standingsOf(10, [cell(20, 2)], { ...RULES, worse: 0 })).toEqual(['differs'])
})

test('what rests on too little is never fine, and what has no interval is not known', () => {
  const cells = [
    cell(0.9, 0.01, { n: 99 }),
    cell(0.9, 0.01, { verdict: 'incomplete' }),
    cell(null, 0, { n: 3 }),
    cell(null, 0),
    cell(0.9, 0, { ci_low: null, ci_high: null }),
  ]
  expect(standingsOf(0.9, cells, RULES)).toEqual([
    'too_few',
    'too_few',
    'too_few',
    'unknown',
    'unknown',
  ])
  expect(standingsOf(null, [cell(0.9, 0.01)], RULES)).toEqual(['unknown'])
})

test('an interval of ten is wider as Bonferroni says', () => {
  // qnorm(1 - 0.05 / 20) / qnorm(0.975)
  expect(widening(10)).toBeCloseTo(2.807033768 / 1.959963985, 6)
  expect(widening(0)).toBe(1)
})
