import { expect, test } from 'vitest'
import { ratioInterval } from '../../../../lib/stats/intervals/proportions.ts'
import { evaluateFairness } from './fairness.ts'
import type { GroupCounts } from '../../data/window-data.ts'

const group = (name: string, predictions: number, favorable: number): GroupCounts => ({
  group: name,
  predictions,
  decided: predictions,
  favorable,
  favorableLabels: favorable,
  favorableHits: favorable,
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

/** As in COMPAS: the positive class (`reoffends`) is not the favourable one. */
const recidivism = (
  name: string,
  { tp, fp, fn, tn }: { tp: number; fp: number; fn: number; tn: number },
): GroupCounts => ({
  group: name,
  predictions: tp + fp + fn + tn,
  decided: tp + fp + fn + tn,
  favorable: fn + tn,
  favorableLabels: fp + tn,
  favorableHits: tn,
  tp,
  fp,
  fn,
  tn,
})

test('rates are those of the positive class, selection and equal opportunity those of the favourable one', () => {
  const results = evaluateFairness(
    [
      recidivism('a', { tp: 505, fp: 349, fn: 461, tn: 1139 }),
      recidivism('b', { tp: 1369, fp: 805, fn: 532, tn: 990 }),
    ],
    rules,
  )
  const of = (metric: string) =>
    results.find((result) => result.metric === metric && result.subject === 'race=b')!
  expect(of('false_positive_rate').value).toBeCloseTo(0.4485, 4)
  expect(of('false_positive_rate_difference')).toMatchObject({
    verdict: 'alarm',
    value: expect.closeTo(0.2139, 4) as number,
    n_current: 1795,
    n_reference: 1488,
  })
  expect(of('selection_rate').value).toBeCloseTo(1522 / 3696, 4)
  expect(of('equal_opportunity_difference')).toMatchObject({
    value: expect.closeTo(-0.2139, 4) as number,
    n_current: 1795,
  })
  expect(of('precision').value).toBeCloseTo(0.6297, 4)
  expect(of('equalized_odds_difference').value).toBeCloseTo(0.2139, 4)
})

test('events without the attribute are neither the privileged group nor in the widest gap', () => {
  const undeclared = { ...rules, privileged: undefined }
  const results = evaluateFairness(
    [
      recidivism('(missing)', { tp: 0, fp: 900, fn: 900, tn: 0 }),
      recidivism('a', { tp: 300, fp: 100, fn: 100, tn: 300 }),
      recidivism('b', { tp: 150, fp: 50, fn: 50, tn: 150 }),
      recidivism('a&sex=(missing)', { tp: 0, fp: 500, fn: 500, tn: 0 }),
    ],
    undeclared,
  )
  expect(
    results.find((one) => one.subject === 'race' && one.metric === 'equalized_odds_difference'),
  ).toMatchObject({ value: 0 })
  const compared = results.filter((one) => one.metric === 'statistical_parity_difference')
  expect(compared.map(({ subject }) => subject)).toEqual([
    'race=(missing)',
    'race=b',
    'race=a&sex=(missing)',
  ])
  expect(compared[0]!.n_reference).toBe(800)
  expect(
    evaluateFairness([recidivism('(missing)', { tp: 9, fp: 9, fn: 9, tn: 9 })], undeclared),
  ).toContainEqual(
    expect.objectContaining({
      verdict: 'incomplete',
      reason: 'no prediction has the attribute race',
    }),
  )
})

test('few cases whose interval reaches beyond the limit are incomplete; many, or an interval within it, are ok', () => {
  const parity = (small: number, selected: number) =>
    verdictOf([group('a', 500, 250), group('b', small, selected)], 'statistical_parity_difference')
  expect(parity(20, 10)).toMatchObject({
    verdict: 'incomplete',
    reason: 'the interval reaches beyond the limit, from a group of 20, below 30',
  })
  expect(parity(40, 20)).toMatchObject({ verdict: 'ok' })
  expect(
    verdictOf([group('a', 500, 250), group('b', 20, 10)], 'disparate_impact_ratio'),
  ).toMatchObject({ verdict: 'incomplete' })
  expect(parity(25, 0)).toMatchObject({ verdict: 'alarm' })
})

test('equalized odds is ok only where both of its gaps were evaluated', () => {
  const results = evaluateFairness(
    [
      recidivism('a', { tp: 500, fp: 250, fn: 500, tn: 250 }),
      recidivism('b', { tp: 2, fp: 250, fn: 2, tn: 260 }),
    ],
    rules,
  )
  const of = (metric: string) =>
    results.find((result) => result.metric === metric && result.subject === 'race=b')!
  expect(of('false_positive_rate_difference').verdict).toBe('ok')
  expect(of('equalized_odds_difference')).toMatchObject({
    verdict: 'incomplete',
    reason: 'a group of 4, below 10',
  })
})
