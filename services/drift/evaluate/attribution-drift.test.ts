/** The ranking of features that a model leans on, beside scikit-learn's NDCG, and its alarms. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ndcg } from '../../../lib/stats/distances/ndcg.ts'
import { normalQuantile } from '../../../lib/stats/distributions/normal-quantile.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import type { FeatureAttribution } from '../data/attributions.ts'
import { evaluateAttributions, type AttributionRules } from './attribution-drift.ts'
import { FAMILY_SHARES } from './thresholds.ts'

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/attributions.json', import.meta.url), 'utf8'),
) as { ndcg: { baseline: number[]; current: number[]; ndcg: number }[] }

test('NDCG is that of scikit-learn, ties among them', () => {
  expect(golden.ndcg.length).toBeGreaterThan(10)
  for (const { baseline, current, ndcg: expected } of golden.ndcg)
    expect(ndcg(baseline, current)).toBeCloseTo(expected, 9)
})

const RULES: AttributionRules = { windowAlpha: 1, minCount: 100, reference: 'b', without: '' }

/** Windows whose mean attributions differ by a twentieth of their size. */
function windows(uniform: () => number, means: readonly number[], spans: number) {
  return Array.from({ length: spans }, (_, span) =>
    means.map((mean, i): FeatureAttribution => ({
      span,
      feature: `f${i}`,
      meanAbsolute: Math.max(0, mean * (1 + 0.05 * normalQuantile(Math.max(1e-9, uniform())))),
      events: 500,
    })),
  ).flat()
}
const MEANS = [4, 3, 2, 1, 0.5, 0.2]

test('false alarms on noise', () => {
  const uniform = uniforms(4)
  const alpha = 0.05
  const streams = 1000
  let alarms = 0
  for (let i = 0; i < streams; i++) {
    const rules = { ...RULES, windowAlpha: alpha / FAMILY_SHARES.attribution }
    const found = evaluateAttributions(
      windows(uniform, MEANS, 1),
      windows(uniform, MEANS, 8),
      rules,
    )
    alarms += found.some(({ verdict }) => verdict === 'alarm') ? 1 : 0
  }
  expect(alarms / streams).toBeLessThanOrEqual(alpha + 3 * Math.sqrt((alpha * 0.95) / streams))
})

test('a feature that takes over alarms, by its share and by the ranking', () => {
  const uniform = uniforms(8)
  const found = evaluateAttributions(
    windows(uniform, [0.2, 3, 2, 1, 0.5, 6], 1),
    windows(uniform, MEANS, 8),
    RULES,
  )
  const of = (metric: string, subject = '') =>
    found.find((one) => one.metric === metric && one.subject === subject)!
  expect(of('attribution_ndcg')).toMatchObject({ verdict: 'alarm', baseline_value: 1 })
  expect(of('attribution_ndcg').reason).toBe(
    'most important: f5, f1, f2; in the baseline f0, f1, f2',
  )
  expect(of('attribution_share', 'f0')).toMatchObject({ verdict: 'alarm' })
  expect(of('attribution_share', 'f0').reason).toMatch(
    /^1\.\d % of the attributions, 3\d\.\d % in the baseline$/,
  )
  expect(of('attribution_rank', 'f5')).toMatchObject({
    value: 1,
    baseline_value: 6,
    verdict: 'none',
  })
})

test('few events are incomplete, and a baseline without attributions gives no verdict', () => {
  const uniform = uniforms(8)
  const current = windows(uniform, MEANS, 1)
  const few = evaluateAttributions(current, windows(uniform, MEANS, 8), { ...RULES, minCount: 501 })
  expect(few[0]).toMatchObject({ metric: 'attribution_ndcg', verdict: 'incomplete' })
  const without = evaluateAttributions(current, [], RULES)
  expect(without.some(({ metric }) => metric === 'attribution_ndcg')).toBe(false)
  expect(without.every(({ verdict }) => verdict === 'none')).toBe(true)
  expect(evaluateAttributions([], [], RULES)).toEqual([])
})
