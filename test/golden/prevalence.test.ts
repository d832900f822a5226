/**
 * Rates behind an imperfect test beside the published formula: `scripts/golden/prevalence.py` made
 * the values and names the versions.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { truePrevalence, type Trials } from '../../lib/stats/intervals/prevalence.ts'

type Pair = [successes: number, n: number]
interface Case extends Record<'positive' | 'sensitivity' | 'specificity', Pair> {
  confidence: number
  value: number
  low: number
  high: number
}
const golden = JSON.parse(readFileSync(new URL('prevalence.json', import.meta.url), 'utf8')) as {
  cases: Case[]
  coverage: Record<string, number>
}

const trials = ([successes, n]: Pair): Trials => ({ successes, n })
const found = ({ positive, sensitivity, specificity, confidence }: Case) =>
  truePrevalence(
    {
      positive: trials(positive),
      sensitivity: trials(sensitivity),
      specificity: trials(specificity),
    },
    confidence,
  )

test('value and interval are those of Rogan, Gladen, Lang and Reiczigel', () => {
  expect(golden.cases.length).toBeGreaterThan(4)
  for (const one of golden.cases) {
    const ours = found(one)!
    expect(ours.value).toBeCloseTo(one.value, 10)
    expect(ours.low).toBeCloseTo(one.low, 10)
    expect(ours.high).toBeCloseTo(one.high, 10)
  }
  // The documentation of epiR has this one: 5.1 cases per 100 cows.
  expect(found(golden.cases[1]!)!.value).toBeCloseTo(0.051, 3)
})

test('the interval covers what it says, by simulation', () => {
  for (const share of Object.values(golden.coverage)) expect(share).toBeGreaterThan(0.935)
})

test('a test that tells nothing apart gives nothing', () => {
  const coin = { successes: 5, n: 10 }
  expect(
    truePrevalence({ positive: coin, sensitivity: coin, specificity: coin }, 0.95),
  ).toBeUndefined()
})
