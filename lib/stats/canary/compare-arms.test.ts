/**
 * A candidate like the champion is seldom called anything else, although it is looked at all the
 * time.
 */
import { expect, test } from 'vitest'
import { uniforms } from '../distributions/random.ts'
import { evaluateCanary, type Arm } from './compare-arms.ts'
import { drawArm, type ArmKind } from '../../../test/planted/simulated-arms.ts'

const upTo = (arm: Arm, units: number): Arm => ({
  units,
  correct: arm.correct.slice(0, units),
  absoluteErrors: [],
  worth: arm.worth.slice(0, units),
  failed: arm.failed.slice(0, units),
  latencies: arm.latencies.slice(0, units),
  firstTokens: arm.firstTokens.slice(0, units),
  costs: arm.costs.slice(0, units),
})
const same = { accuracy: 0.85, latency: 40, failures: 0.02 }
const options = { alpha: 0.05, share: 0.5, worthRange: { low: -20, high: 5 } }

test('A against A, looked at every 50 units', () => {
  const random = uniforms(1)
  const runs = 120
  let wrong = 0
  for (let run = 0; run < runs; run++) {
    const [a, b] = [drawArm(random, 1000, same), drawArm(random, 1000, same)]
    for (let units = 50; units <= 1000; units += 50) {
      const { decision } = evaluateCanary(upTo(a, units), upTo(b, units), options)
      if (decision === 'undecided') continue
      wrong++
      break
    }
  }
  expect(wrong / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs))
})

test('what is better, worse, or badly split is found', () => {
  const random = uniforms(2)
  const champion = drawArm(random, 4000, same)
  const ask = (kind: Partial<ArmKind>, more: Partial<typeof options> = {}) =>
    evaluateCanary(champion, drawArm(random, 4000, { ...same, ...kind }), { ...options, ...more })
  expect(ask({ accuracy: 0.95 })).toMatchObject({
    decision: 'better',
    reason: 'better: accuracy, better: business_value',
  })
  expect(ask({ accuracy: 0.7 }).decision).toBe('worse')
  expect(ask({ accuracy: 0.95, latency: 90 })).toMatchObject({
    decision: 'worse',
    reason: expect.stringContaining('worse: latency_p95_ms') as string,
  })
  expect(ask({ failures: 0.1 }).reason).toBe('worse: error_ratio')
  const split = evaluateCanary(champion, drawArm(random, 3500, same), options)
  expect(split).toMatchObject({ decision: 'invalid' })
  expect(split.sample_ratio_p).toBeLessThan(0.05)
})

test('arms without a value have no number and no decision', () => {
  const empty: Arm = {
    units: 0,
    correct: [],
    absoluteErrors: [],
    worth: [],
    failed: [],
    latencies: [],
    firstTokens: [],
    costs: [],
  }
  expect(evaluateCanary(empty, empty, { alpha: 0.05 })).toMatchObject({
    decision: 'undecided',
    metrics: [],
  })
  const one = { ...empty, units: 1, correct: [1], latencies: [10], costs: [1] }
  const { decision, metrics } = evaluateCanary(one, empty, { alpha: 0.05 })
  expect(decision).toBe('undecided')
  for (const metric of metrics) expect(metric).toMatchObject({ candidate: null, difference: null })
})

/** Both arms answer the same requests: what one gets wrong the other mostly does too. */
function drawPairs(random: () => number, units: number, better: number): [Arm, Arm] {
  const [a, b] = [drawArm(random, units, same), drawArm(random, units, same)]
  const candidate = a.correct.map((right) => {
    const changed = random() < 0.05
    return changed ? (random() < 0.5 + better ? 1 : 0) : right
  })
  const worth = (correct: readonly number[]) => correct.map((right) => (right === 1 ? 5 : -20))
  return [
    { ...a, worth: worth(a.correct) },
    { ...b, correct: candidate, worth: worth(candidate), failed: a.failed, costs: a.costs },
  ]
}

test('pairs: A against A stays within alpha, and a difference is found that two arms hide', () => {
  const random = uniforms(3)
  const runs = 60
  let wrong = 0
  for (let run = 0; run < runs; run++) {
    const [a, b] = drawPairs(random, 1000, 0.35)
    // What changed is right as often as what was there.
    for (let units = 50; units <= 1000; units += 50) {
      const { decision } = evaluateCanary(upTo(a, units), upTo(b, units), { alpha: 0.05 })
      if (decision === 'undecided') continue
      wrong++
      break
    }
  }
  expect(wrong / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs))

  const [champion, candidate] = drawPairs(random, 2000, -0.5)
  const ask = (arm: Arm) => evaluateCanary(champion, arm, { ...options, share: undefined }).decision
  // Answers stay, and belong to other requests.
  const { correct } = candidate
  const other = { ...candidate, correct: correct.map((_, i) => correct[(i + 997) % 2000]!) }
  expect([ask({ ...other, worth: [] }), ask({ ...candidate, worth: [] })]).toEqual([
    'undecided',
    'worse',
  ])
})

test('power: five points of accuracy are found with 4 000 units an arm, three points of failures with 2 000', () => {
  const random = uniforms(4)
  const runs = 60
  const found = (units: number, kind: Partial<ArmKind>) =>
    Array.from({ length: runs }, () =>
      evaluateCanary(
        drawArm(random, units, same),
        drawArm(random, units, { ...same, ...kind }),
        options,
      ),
    ).filter(({ decision }) => decision === 'worse').length / runs
  expect(found(4000, { accuracy: 0.8 })).toBeGreaterThan(0.85)
  expect(found(2000, { failures: 0.05 })).toBeGreaterThan(0.7)
})

test('a tenth of the units is enough for as many of the others beside them', () => {
  const random = uniforms(6)
  const champion = drawArm(random, 18_000, same)
  const candidate = drawArm(random, 2000, { ...same, accuracy: 0.79 })
  expect(evaluateCanary(champion, candidate, { ...options, share: 0.1 })).toMatchObject({
    decision: 'worse',
    sample_ratio_p: expect.any(Number) as number,
  })
  const split = evaluateCanary(drawArm(random, 17_850, same), drawArm(random, 2150, same), {
    ...options,
    share: 0.1,
  })
  expect(split.decision).toBe('invalid')
})

test('what would decide: four times the units where the interval reaches twice as far', () => {
  const random = uniforms(9)
  const arms = [
    drawArm(random, 400, same),
    drawArm(random, 300, { ...same, accuracy: 0.8 }),
  ] as const
  const { metrics } = evaluateCanary(...arms, options)
  for (const metric of metrics) {
    const { difference, ci_low, ci_high, decision, units_to_decide: units } = metric
    if (decision !== 'undecided' || !difference || ci_low === null || ci_high === null) continue
    const reach = difference > 0 ? difference - ci_low : ci_high - difference
    expect(units).toBe(Math.ceil(300 * (reach / difference) ** 2))
    expect(units).toBeGreaterThan(300)
  }
  expect(metrics.some(({ units_to_decide: units }) => units !== null)).toBe(true)
})
