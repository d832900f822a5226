/** Lines of the model file decide on the side they name, and on no other. */
import { expect, test } from 'vitest'
import { parseOverrides } from '../../../lib/models/alarm-lines.ts'
import { metricResult, type Family } from '../data/metric-results.ts'
import { FAMILY_SHARES, overridden } from './thresholds.ts'

const verdictOf = (
  [family, metric, value]: [Family, string, number | null],
  lines: { warning?: string; alarm?: string },
  baseline: number | null = null,
) => {
  const { lines: overrides, problems } = parseOverrides({ [`${family}/${metric}`]: lines })
  expect(problems).toEqual([])
  const result = metricResult(family, '', metric, value, {
    verdict: 'ok',
    baseline_value: baseline,
  })
  return overridden(result, overrides)
}

test.each([
  ['performance', 'r2', 0.74, { alarm: '< 0.75' }, 'alarm'],
  ['performance', 'r2', 0.98, { alarm: '< 0.75' }, 'ok'],
  ['performance', 'r2', 0.78, { alarm: '< 0.75', warning: '< 0.8' }, 'warning'],
  ['performance', 'accuracy', 0.99, { alarm: '< 0.9' }, 'ok'],
  ['performance', 'accuracy', 0.89, { alarm: '< 0.9' }, 'alarm'],
  ['fairness', 'disparate_impact_ratio', 0.79, { alarm: 'outside 0.8..1.25' }, 'alarm'],
  ['fairness', 'disparate_impact_ratio', 1.3, { alarm: 'outside 0.8..1.25' }, 'alarm'],
  ['fairness', 'disparate_impact_ratio', 1.1, { alarm: 'outside 0.8..1.25' }, 'ok'],
] as const)('%s %s %d against %j: %s', (family, metric, value, lines, verdict) => {
  expect(verdictOf([family, metric, value], lines).verdict).toBe(verdict)
})

test('a relative line is drawn from the baseline, and says where it runs', () => {
  expect(verdictOf(['performance', 'rmse', 11], { alarm: '5 % worse' }, 10)).toMatchObject({
    verdict: 'alarm',
    threshold: 10.5,
    reason:
      "11 after 10 in the baseline; crosses the model file's line 5 % higher than the baseline",
  })
})

test('where the baseline has no value a relative line knows nothing, and says so', () => {
  expect(verdictOf(['performance', 'rmse', 11], { alarm: '5 % worse' })).toMatchObject({
    verdict: 'incomplete',
    reason: expect.stringContaining('the baseline has no value'),
  })
})

test('an absolute line that is crossed counts whatever the relative one knows', () => {
  const lines = { alarm: '> 10', warning: '5 % worse' }
  expect(verdictOf(['performance', 'rmse', 11], lines).verdict).toBe('alarm')
  expect(verdictOf(['performance', 'rmse', 9], lines).verdict).toBe('incomplete')
})

test('the families share the budget, and no more than it', () => {
  const total = Object.values(FAMILY_SHARES).reduce((sum, share) => sum + share, 0)
  expect(total).toBeLessThanOrEqual(1 + 1e-12)
})
