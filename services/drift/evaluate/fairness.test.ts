import { expect, test } from 'vitest'
import { ratioInterval } from '../../../lib/stats/intervals/proportions.ts'
import { evaluateFairness } from './fairness.ts'
import type { GroupCounts } from '../data/window-data.ts'

const group = (name: string, predictions: number, favorable: number): GroupCounts => ({
  group: name,
  predictions,
  decided: predictions,
  favorable,
  tp: favorable,
  fp: 0,
  fn: 0,
  tn: predictions - favorable,
})
const rules = { attribute: 'race', privileged: 'a', minCount: 100, maturity: 1, alpha: 0.001 }
const verdictOf = (groups: GroupCounts[], metric: string) =>
  evaluateFairness(groups, rules).find(
    (result) => result.metric === metric && result.subject === 'race=b',
  )

test('a group of which everybody was selected keeps its uncertainty, and is no alarm while it is tiny', () => {
  const interval = ratioInterval({ successes: 2, n: 2 }, { successes: 280, n: 500 }, 0.95)!
  expect(interval.high / interval.low).toBeGreaterThan(1.5)
  expect(
    verdictOf([group('a', 500, 280), group('b', 2, 2)], 'disparate_impact_ratio'),
  ).toMatchObject({ verdict: 'incomplete', reason: 'a group of 2, below 10' })
})

test('a large group far from the privileged one alarms, difference and ratio alike; an equal one does not', () => {
  const unfair = [group('a', 1000, 600), group('b', 1000, 300)]
  expect(verdictOf(unfair, 'statistical_parity_difference')).toMatchObject({
    verdict: 'alarm',
    value: -0.3,
  })
  expect(verdictOf(unfair, 'disparate_impact_ratio')).toMatchObject({
    verdict: 'alarm',
    value: 0.5,
  })
  expect(
    verdictOf([group('a', 1000, 600), group('b', 1000, 590)], 'statistical_parity_difference'),
  ).toMatchObject({ verdict: 'ok' })
})

test('max minus min over nine fair groups of 50 would alarm; intervals do not', () => {
  let state = 7
  const random = () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32
  let alarms = 0
  for (let window = 0; window < 100; window++) {
    const groups = 'abcdefghi'
      .split('')
      .map((name) =>
        group(name, 50, Array.from({ length: 50 }, random).filter((x) => x < 0.5).length),
      )
    if (
      evaluateFairness(groups, rules).some(
        (result) => result.verdict === 'alarm' && result.metric === 'statistical_parity_difference',
      )
    )
      alarms++
  }
  expect(alarms).toBeLessThanOrEqual(5)
})

test('the stricter the budget, the surer an alarm must be; what would alarm without one warns', () => {
  const unfair = [group('a', 400, 200), group('b', 400, 130)]
  const at = (alpha: number) =>
    evaluateFairness(unfair, { ...rules, alpha }).find(
      (result) => result.metric === 'statistical_parity_difference' && result.subject === 'race=b',
    )!.verdict
  expect([at(0.025), at(0.005), at(0.001)]).toEqual(['alarm', 'warning', 'ok'])
})

test('truth that comes late, seldom, or unlooked at for a group is told', () => {
  const seen = (name: string, labelled: number, reviewed: number, delay: number | null) => ({
    ...group(name, 200, 100),
    feedback: { labelled, reviewed, delayP50Seconds: delay },
  })
  const results = evaluateFairness([seen('a', 180, 20, 60), seen('b', 90, 2, 3600)], rules)
  const of = (metric: string) =>
    results.find((result) => result.metric === metric && result.subject === 'race=b')!
  expect(of('label_coverage')).toMatchObject({ value: 0.45, verdict: 'none' })
  expect(of('label_coverage_difference').value).toBeCloseTo(-0.45, 12)
  expect(of('label_coverage_difference').ci_high).toBeLessThan(-0.3)
  expect(of('review_exposure_difference').value).toBeCloseTo(-0.09, 12)
  expect(of('label_delay_p50_s_difference').value).toBe(3540)
  const unlabelled = evaluateFairness([seen('a', 0, 0, null), seen('b', 0, 0, null)], rules)
  expect(unlabelled.some(({ metric }) => metric.startsWith('label_'))).toBe(false)
})
