/** On pure noise the search alarms no more often than its share of the budget. */
import { expect, test } from 'vitest'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import { simulatedLosses, type LossSetting } from '../../../../test/planted/simulated-cohorts.ts'
import { FAMILY_SHARES } from '../thresholds.ts'
import { evaluateCohortSearch, type SearchRules } from './search.ts'

const RULES: SearchRules = { kind: 'class', windowAlpha: 1, looks: 1, reference: 'b', without: '' }
const STREAMS = 120

test.each<LossSetting>([
  { names: 1, values: 3, size: 600 },
  { names: 5, values: 6, size: 900 },
  { names: 5, values: 4, size: 900, between: 0.04 },
])('false alarms of $names names with $values values, between windows $between', (setting) => {
  const uniform = uniforms(5)
  const alpha = 0.05
  let alarms = 0
  for (let i = 0; i < STREAMS; i++) {
    const [summary] = evaluateCohortSearch(
      simulatedLosses(uniform, setting, 1),
      simulatedLosses(uniform, setting, 8),
      {
        ...RULES,
        windowAlpha: alpha / FAMILY_SHARES.cohort_search,
      },
    )
    alarms += summary!.verdict === 'alarm' ? 1 : 0
  }
  // Three standard errors above it.
  expect(alarms / STREAMS).toBeLessThanOrEqual(alpha + 3 * Math.sqrt((alpha * 0.95) / STREAMS))
})

test('a cohort that was always hard is told of, and is no alarm', () => {
  const uniform = uniforms(9)
  const hard = (name: number, value: number) => (name === 0 && value === 0 ? 0.2 : 0)
  const of: LossSetting = { names: 2, values: 4, size: 2000 }
  const [summary, worst] = evaluateCohortSearch(
    simulatedLosses(uniform, of, 1, hard),
    simulatedLosses(uniform, of, 8, hard),
    RULES,
  )
  expect(summary).toMatchObject({ verdict: 'ok' })
  expect(worst).toMatchObject({ subject: 'n0=v0', metric: 'cohort_gap', verdict: 'none' })
})

test('a cohort that fell behind alarms, and a thousand others do not hide it', () => {
  const uniform = uniforms(9)
  const of: LossSetting = { names: 100, values: 10, size: 8000 }
  const [summary, ...told] = evaluateCohortSearch(
    simulatedLosses(uniform, of, 1, (name, value) => (name === 0 && value === 0 ? 0.3 : 0)),
    simulatedLosses(uniform, of, 8),
    { ...RULES, windowAlpha: 0.05 },
  )
  expect(summary).toMatchObject({ verdict: 'alarm', n_current: 1000 })
  expect(summary!.reason).toMatch(
    /^n0=v0: accuracy 0\.\d+ of \d+ labelled, 0\.\d+ elsewhere; in the/,
  )
  expect(told.length).toBeLessThanOrEqual(5)
})

test('without a baseline the worst cohorts are told of, without a verdict', () => {
  const found = evaluateCohortSearch(
    simulatedLosses(uniforms(2), { names: 1, values: 3, size: 900 }, 1, (_, v) =>
      v === 0 ? 0.3 : 0,
    ),
    undefined,
    { ...RULES, without: 'no reference' },
  )
  expect(found.map(({ metric, verdict }) => [metric, verdict])).toEqual([
    ['worst_cohort_gap', 'none'],
    ['cohort_gap', 'none'],
  ])
  expect(found[0]!.reason).toBe('no reference')
})
