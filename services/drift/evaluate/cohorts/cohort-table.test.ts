import { expect, test } from 'vitest'
import { cohortTable, searchedOf, type CohortResult } from './cohort-table.ts'

const row = (metric: string, more: Partial<CohortResult> = {}): CohortResult => ({
  ...{ model_version: '', variant: '', slice_key: '', slice_value: '', subject: '' },
  ...{ family: 'performance', metric, value: 0.8, ci_low: 0.78, ci_high: 0.82 },
  ...{ baseline_value: 0.8, p_adjusted: null, verdict: 'ok', reason: '' },
  ...{ n_current: 1000, n_labelled: 900 },
  ...more,
})
const north = { slice_key: 'region', slice_value: 'north', n_current: 300, n_labelled: 250 }

test('the whole comes first, then versions, variants and slices; each beside the whole', () => {
  const { metrics, cohorts } = cohortTable(
    [
      row('accuracy', { ...north, value: 0.6, ci_low: 0.55, ci_high: 0.65 }),
      row('accuracy', { model_version: '7' }),
      row('accuracy'),
      row('throughput_per_s', { family: 'operations', n_current: 1200 }),
      row('error_ratio', { ...north, family: 'operations' }),
    ],
    ['accuracy', 'recall', 'error_ratio'],
    100,
  )
  expect(metrics).toEqual([
    { metric: 'accuracy', family: 'performance', worse: -1, tested: 2 },
    { metric: 'error_ratio', family: 'operations', worse: 1, tested: 0 },
  ])
  expect(cohorts.map((one) => [one.model_version, one.slice_value, one.events])).toEqual([
    ['', '', 1200],
    ['7', '', 0],
    ['', 'north', 0],
  ])
  expect(cohorts.map(({ cells }) => cells[0]!.standing)).toEqual(['unknown', 'alike', 'worse'])
  // Without the number of the whole nothing is said of a cohort's.
  expect(cohorts.map(({ cells }) => cells[1]?.standing)).toEqual([undefined, undefined, 'unknown'])
})

test('of more than 400 cohorts those with most events are listed, and the rest is told', () => {
  const many = Array.from({ length: 450 }, (_, i) =>
    row('accuracy', { slice_key: 'shop', slice_value: `s${i}`, n_current: i }),
  )
  const { cohorts, left_out } = cohortTable([row('accuracy'), ...many], ['accuracy'], 10)
  expect([cohorts.length, left_out]).toEqual([400, 51])
  expect(cohorts[1]!.slice_value).toBe('s449')
})

test('what the search found, the worst first; that it found nothing, or was not asked for', () => {
  const gap = (subject: string, value: number) => row('cohort_gap', { subject, value })
  const said = row('worst_cohort_gap', { verdict: 'alarm', p_adjusted: 0.001, reason: 'north' })
  const found = searchedOf([gap('b', 0.1), said, gap('a', 0.2), row('accuracy')], true)
  expect(found).toMatchObject({ is_asked: true, verdict: 'alarm', p_adjusted: 0.001 })
  expect(found.worst.map(({ name }) => name)).toEqual(['a', 'b'])
  expect(searchedOf([], false)).toMatchObject({ is_asked: false, verdict: null, worst: [] })
})
