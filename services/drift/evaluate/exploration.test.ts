/** A simulated bandit whose truth is known: what its policy is worth, and what it regrets. */
import { expect, test } from 'vitest'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import type { LoggedAction } from '../data/logged-actions.ts'
import { evaluateExplorationShare, evaluatePolicy } from './exploration.ts'

const EPSILON = 0.3
const ACTIONS = ['a', 'b', 'c']
/** Chance of a reward; the policy takes `b` for `a` is better where x is small. */
const CHANCES: Record<string, (x: number) => number> = {
  a: () => 0.6,
  b: (x) => 0.2 + 0.6 * x,
  c: () => 0.1,
}
const held = (x: number) => (x < 0.3 ? 'a' : 'b')
/** ∫ of the chance of what is held best: 0.3 · 0.6 + ∫ from 0.3 of (0.2 + 0.6 x). */
const TRUTH = 0.3 * 0.6 + 0.2 * 0.7 + 0.3 * (1 - 0.09)

function logOf(uniform: () => number, n: number, propensityOf = (p: number) => p): LoggedAction[] {
  return Array.from({ length: n }, () => {
    const x = uniform()
    const action = uniform() < EPSILON ? ACTIONS[Math.floor(3 * uniform())]! : held(x)
    const isExploration = action !== held(x)
    return {
      action,
      propensity: propensityOf(EPSILON / 3 + (isExploration ? 0 : 1 - EPSILON)),
      isExploration,
      reward: uniform() < CHANCES[action]!(x) ? 1 : 0,
      features: { x },
    }
  })
}

test('93 to 97 % of the intervals hold what the policy is worth', () => {
  const uniform = uniforms(2)
  const draws = 400
  const counts: Record<string, number> = {}
  for (let i = 0; i < draws; i++)
    for (const { metric, ci_low, ci_high } of evaluatePolicy(logOf(uniform, 600), 1))
      if (metric.startsWith('policy_value'))
        counts[metric] = (counts[metric] ?? 0) + (ci_low! <= TRUTH && TRUTH <= ci_high! ? 1 : 0)
  expect(Object.keys(counts).toSorted()).toEqual([
    'policy_value_dr',
    'policy_value_ips',
    'policy_value_snips',
  ])
  for (const [metric, n] of Object.entries(counts)) {
    expect(n / draws, metric).toBeGreaterThanOrEqual(0.92)
    expect(n / draws, metric).toBeLessThanOrEqual(0.98)
  }
})

test('the best constant action, and what was lost beside it', () => {
  const found = evaluatePolicy(logOf(uniforms(6), 8000), 1)
  const of = (metric: string, subject = '') =>
    found.find((one) => one.metric === metric && one.subject === subject)!
  expect(of('action_value', 'action=a').value).toBeCloseTo(0.6, 1)
  expect(of('action_value', 'action=c').value).toBeCloseTo(0.1, 1)
  const regret = of('policy_regret')
  expect(regret.value).toBeCloseTo(0.6 - of('mean_reward').value!, 1)
  expect(regret.reason).toMatch(
    /^always a would have earned 0\.\d+, 0\.\d+ was earned; the best of 3 constant actions$/,
  )
  expect(of('policy_effective_n').value).toBeGreaterThan(4000)
  expect(found.every(({ verdict }) => verdict === 'none')).toBe(true)
})

test('propensities of something else are told', () => {
  const [ips] = evaluatePolicy(
    logOf(uniforms(6), 3000, (p) => Math.min(1, 0.6 * p)),
    1,
  )
  expect(ips!.reason).toMatch(/^the weights average 1\.6\d, and 1 is right/)
})

test('few actions are incomplete', () => {
  expect(evaluatePolicy(logOf(uniforms(6), 49), 1)).toMatchObject([
    { verdict: 'incomplete', value: null },
  ])
})

test.each([
  [50, 'ok'],
  [62, 'ok'],
  [84, 'warning'],
  [95, 'alarm'],
  [10, 'alarm'],
])('%i of 1000 events explore, of 5 % planned: %s', (exploring, verdict) => {
  const [share] = evaluateExplorationShare(
    { events: 1000, exploring },
    { share: 0.05, tolerance: 0.2 },
  )
  expect(share).toMatchObject({ value: exploring / 1000, verdict })
})

test('without a plan the share is shown', () => {
  expect(evaluateExplorationShare({ events: 10, exploring: 1 }, { tolerance: 0.2 })).toMatchObject([
    { verdict: 'none', value: 0.1 },
  ])
  expect(evaluateExplorationShare({ events: 0, exploring: 0 }, { tolerance: 0.2 })).toEqual([])
})
