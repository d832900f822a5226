/** On simulated bandits, whose truth is known, the intervals hold it as often as they say. */
import { expect, test } from 'vitest'
import { uniforms } from '../distributions/random.ts'
import { meanOf, policyValue, type Estimate, type LoggedReward } from './policy-value.ts'

const DRAWS = 2000
const Z = 1.959964

interface Bandit {
  actions: number
  /** Share of decisions that are drawn evenly. */
  epsilon: number
  n: number
  /** The model of rewards is off by so much. */
  off: number
}

/** Chance of a reward of an action where the context is x in [0, 1). */
const chance = (x: number, action: number) =>
  0.2 + 0.5 * (action % 2 === 0 ? x : 1 - x) * (1 - action / 10)
const greedy = (x: number) => (x > 0.45 ? 0 : 1)

function truthOf(policy: (x: number) => number) {
  const steps = 20_000
  let sum = 0
  for (let i = 0; i < steps; i++) {
    const x = (i + 0.5) / steps
    sum += chance(x, policy(x))
  }
  return sum / steps
}

/** A log of an epsilon-greedy policy, seen by the policy that is valued. */
function logOf(
  uniform: () => number,
  { actions, epsilon, n, off }: Bandit,
  policy: (x: number) => number,
) {
  return Array.from({ length: n }, (): LoggedReward => {
    const x = uniform()
    const action = uniform() < epsilon ? Math.floor(actions * uniform()) : greedy(x)
    const propensity = epsilon / actions + (action === greedy(x) ? 1 - epsilon : 0)
    return {
      reward: uniform() < chance(x, action) ? 1 : 0,
      propensity,
      agrees: action === policy(x),
      expected: chance(x, policy(x)) + off,
    }
  })
}

const holds = ({ value, standardError }: Estimate, truth: number) =>
  Math.abs(value - truth) <= Z * standardError

test.each([
  { name: 'the greedy policy', policy: greedy, actions: 4, epsilon: 0.2, n: 1000, off: 0.1 },
  { name: 'one action always', policy: () => 0, actions: 3, epsilon: 0.4, n: 2000, off: 0 },
  { name: 'another action always', policy: () => 1, actions: 3, epsilon: 0.3, n: 4000, off: -0.2 },
])('$name: 93 to 97 % of the intervals hold the truth', ({ policy, ...bandit }) => {
  const uniform = uniforms(1)
  const truth = truthOf(policy)
  const held = { ips: 0, snips: 0, dr: 0, meanWeight: 0 }
  const means = { ips: 0, snips: 0, dr: 0 }
  for (let i = 0; i < DRAWS; i++) {
    const found = policyValue(logOf(uniform, bandit, policy))
    for (const name of ['ips', 'snips', 'dr'] as const) {
      held[name] += holds(found[name], truth) ? 1 : 0
      means[name] += found[name].value / DRAWS
    }
    held.meanWeight += holds(found.meanWeight, 1) ? 1 : 0
  }
  for (const [name, count] of Object.entries(held)) {
    expect(count / DRAWS, name).toBeGreaterThan(0.93)
    expect(count / DRAWS, name).toBeLessThan(0.97)
  }
  for (const [name, mean] of Object.entries(means))
    expect(Math.abs(mean - truth), name).toBeLessThan(0.005)
})

test('a good model of rewards makes the doubly robust estimate narrower', () => {
  const bandit = { actions: 4, epsilon: 0.2, n: 1000 }
  const of = (off: number) => policyValue(logOf(uniforms(3), { ...bandit, off }, greedy))
  const [good, bad] = [of(0), of(0.5)]
  expect(good.dr.standardError).toBeLessThan(good.ips.standardError)
  expect(good.dr.standardError).toBeLessThan(bad.dr.standardError)
})

test('without exploration each estimate is the mean reward, worth every row', () => {
  const rows = [1, 0, 0, 1, 1].map((reward) => ({
    reward,
    propensity: 1,
    agrees: true,
    expected: 0.3,
  }))
  const { ips, snips, dr, effective, meanWeight } = policyValue(rows)
  expect([ips.value, snips.value, dr.value, effective, meanWeight.value]).toEqual([
    expect.closeTo(0.6, 12),
    expect.closeTo(0.6, 12),
    expect.closeTo(0.6, 12),
    5,
    1,
  ])
  expect(meanOf([1, 3]).standardError).toBeCloseTo(1, 12)
})

test('a policy that the log never agrees with has no value', () => {
  const rows = [1, 0].map((reward) => ({ reward, propensity: 0.5, agrees: false, expected: 0 }))
  expect(policyValue(rows).snips.value).toBeNaN()
  expect(policyValue(rows).effective).toBe(0)
})
