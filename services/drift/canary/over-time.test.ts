/** A canary over time: each look is told by the units that had come by then. */
import { expect, test } from 'vitest'
import { evaluateCanary } from '../../../lib/stats/canary/compare-arms.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOverTime } from './over-time.ts'
import { drawArm } from '../../../test/planted/simulated-arms.ts'

const same = { accuracy: 0.85, latency: 40, failures: 0.02 }
const options = { alpha: 0.05, share: 0.5, worthRange: { low: -20, high: 5 } }

test('over time: each look is that of the units so far, and the last one is the answer', async () => {
  const random = uniforms(5)
  const arms = [
    drawArm(random, 1000, same),
    drawArm(random, 1000, { ...same, accuracy: 0.7 }),
  ] as const
  const reached = (n: number) => ({
    units: n,
    correct: n,
    errors: 0,
    worth: n,
    failed: n,
    latencies: n,
    firstTokens: n,
    costs: n,
  })
  const looks = [1, 50, 1000].map((n) => ({
    at: n * 1000,
    champion: reached(n),
    candidate: reached(n),
  }))
  const [champion, candidate] = arms
  const span = { from: 0, to: 1, crossed: 0 }
  const found = await evaluateOverTime({ champion, candidate, ...span, looks }, options)
  expect(found.map(({ n_candidate }) => n_candidate)).toEqual([1, 50, 1000])
  const told = (at: number) => found[at]!.metrics.find(({ metric }) => metric === 'accuracy')!
  expect(told(0).decision).toBe('undecided')
  expect(told(0).ci_high! - told(0).ci_low!).toBeGreaterThan(told(2).ci_high! - told(2).ci_low!)
  const whole = evaluateCanary(...arms, options).metrics
  expect(found[2]!.metrics).toEqual(
    whole.map(({ metric, difference, ci_low, ci_high, decision }) => ({
      metric,
      difference,
      ci_low,
      ci_high,
      decision,
    })),
  )
})
