/** On pure noise the odd one out alarms no more often than its share of the budget. */
import { expect, test } from 'vitest'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import { simulatedUnits } from '../../../../test/planted/simulated-cohorts.ts'
import { FAMILY_SHARES } from '../thresholds.ts'
import { evaluateOddOneOut, type OddRules } from './odd-one-out.ts'

const RULES: OddRules = { kind: 'producer', windowAlpha: 1, kinds: 1, reference: 'b', without: '' }
const STREAMS = 200

test.each([
  { units: 2, size: 60 },
  { units: 4, size: 200 },
  { units: 20, size: 40 },
])('false alarms of $units producers with $size events', ({ units, size }) => {
  const uniform = uniforms(11)
  const alpha = 0.05
  let alarms = 0
  for (let i = 0; i < STREAMS; i++) {
    const [summary] = evaluateOddOneOut(
      simulatedUnits(uniform, { units, size }, 1),
      simulatedUnits(uniform, { units, size }, 8),
      { ...RULES, windowAlpha: alpha / FAMILY_SHARES.odd_one_out },
    )
    alarms += summary!.verdict === 'alarm' ? 1 : 0
  }
  // Three standard errors above it.
  expect(alarms / STREAMS).toBeLessThanOrEqual(alpha + 3 * Math.sqrt((alpha * 0.95) / STREAMS))
})

test('one of twenty producers is named alone', () => {
  const uniform = uniforms(3)
  const of = { units: 20, size: 100 }
  const [summary, ...told] = evaluateOddOneOut(
    simulatedUnits(uniform, of, 1, 0.5),
    simulatedUnits(uniform, of, 8),
    RULES,
  )
  expect(summary).toMatchObject({ verdict: 'alarm', value: 1, subject: 'producer' })
  expect(told.map(({ subject, verdict }) => [subject, verdict])).toEqual([
    ['producer=pod-0', 'none'],
  ])
})

test('without a baseline the other producers tell how much they differ, where they are enough', () => {
  const uniform = uniforms(5)
  const few = evaluateOddOneOut(
    simulatedUnits(uniform, { units: 9, size: 50 }, 1, 0.5),
    undefined,
    RULES,
  )
  const enough = evaluateOddOneOut(
    simulatedUnits(uniform, { units: 12, size: 100 }, 1, 0.5),
    undefined,
    RULES,
  )
  expect(few).toMatchObject([{ verdict: 'none', value: null }])
  expect(few[0]!.reason).toMatch(/^how much producers differ by nature is not known yet/)
  expect(enough[0]).toMatchObject({ verdict: 'alarm', value: 1 })
})
