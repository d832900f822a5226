/** On pure noise the odd one out alarms no more often than its share of the budget. */
import { expect, test } from 'vitest'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import type { UnitCounts, UnitNumbers, UnitValues } from '../../data/unit-values.ts'
import { FAMILY_SHARES } from '../thresholds.ts'
import { evaluateOddOneOut, type OddRules } from './odd-one-out.ts'

const RULES: OddRules = { kind: 'producer', windowAlpha: 1, kinds: 1, reference: 'b', without: '' }
const SUBJECTS = ['@score', 'amount']

/** Units of some spans: ranks of uniform values, a class and an error of one in a hundred. */
function valuesOf(
  uniform: () => number,
  { units, size, spans }: { units: number; size: number; spans: number },
  odd = 0,
): UnitValues {
  const numbers: UnitNumbers[] = []
  const counts: UnitCounts[] = []
  for (let span = 0; span < spans; span++) {
    for (const subject of SUBJECTS) {
      const rows = Array.from({ length: units * size }, (_, i) => ({
        unit: i % units,
        x: uniform() + (i % units === 0 ? odd : 0),
      })).toSorted((a, b) => a.x - b.x)
      for (let unit = 0; unit < units; unit++) {
        const ranks = rows.flatMap((row, i) => (row.unit === unit ? [(i + 0.5) / rows.length] : []))
        const meanRank = ranks.reduce((sum, r) => sum + r, 0) / size
        const rankVariance = ranks.reduce((sum, r) => sum + (r - meanRank) ** 2, 0) / size
        const own = { span, unit: `pod-${unit}`, subject, size, mean: meanRank }
        numbers.push({ ...own, meanRank, rankVariance })
      }
    }
    for (let unit = 0; unit < units; unit++) {
      const having: Record<string, number> = { error: 0, 'class a': 0 }
      for (let i = 0; i < size; i++) {
        if (uniform() < 0.01) having['error']!++
        if (uniform() < 0.4) having['class a']!++
      }
      counts.push({ span, unit: `pod-${unit}`, events: size, version: '1', having })
    }
  }
  return { numbers, counts }
}

const STREAMS = 400

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
      valuesOf(uniform, { units, size, spans: 1 }),
      valuesOf(uniform, { units, size, spans: 8 }),
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
    valuesOf(uniform, { ...of, spans: 1 }, 0.5),
    valuesOf(uniform, { ...of, spans: 8 }),
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
    valuesOf(uniform, { units: 9, size: 50, spans: 1 }, 0.5),
    undefined,
    RULES,
  )
  const enough = evaluateOddOneOut(
    valuesOf(uniform, { units: 12, size: 100, spans: 1 }, 0.5),
    undefined,
    RULES,
  )
  expect(few).toMatchObject([{ verdict: 'none', value: null }])
  expect(few[0]!.reason).toMatch(/^how much producers differ by nature is not known yet/)
  expect(enough[0]).toMatchObject({ verdict: 'alarm', value: 1 })
})
