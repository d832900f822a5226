import { expect, test } from 'vitest'
import { constraintViolations } from './sagemaker-constraints.ts'
import type { WindowCounts } from '../data/window-data.ts'

const window = (
  events: number,
  numbers: Record<string, readonly number[]>,
  texts: Record<string, Record<string, number>> = {},
): WindowCounts => ({
  events,
  errors: 0,
  duplicates: 0,
  numeric: new Map(
    Object.entries(numbers).map(([name, values]) => {
      const bins = [...new Set(values)].toSorted((a, b) => a - b)
      const counts = bins.map((bin) => values.filter((value) => value === bin).length)
      return [
        name,
        { bins, counts, totals: bins.map((bin, i) => bin * counts[i]!), lows: bins, highs: bins },
      ]
    }),
  ),
  categories: new Map(
    Object.entries(texts).map(([name, counts]) => [name, new Map(Object.entries(counts))]),
  ),
})
const tens = Array.from({ length: 10 }, (_, i) => i)
const baseline = window(10, { x: tens, gone: tens, mixed: tens }, { color: { red: 5, green: 5 } })

test('the same again violates nothing', () => {
  expect(constraintViolations(baseline, baseline)).toEqual([])
})

test('every kind of violation, in SageMaker’s words', () => {
  const current = window(
    10,
    { x: tens.slice(0, 8).map((value) => value + 5), mixed: tens.slice(0, 5), fresh: [1] },
    { mixed: { many: 5 }, color: { red: 5, green: 3, violet: 2 } },
  )
  expect(constraintViolations(current, baseline)).toEqual([
    {
      feature_name: 'color',
      constraint_check_type: 'categorical_values_check',
      description:
        'Value: 20% of the observed values are unknown to the baseline; the threshold is 10%.',
    },
    {
      feature_name: 'color',
      constraint_check_type: 'baseline_drift_check',
      description: 'Baseline drift distance: 0.2 exceeds threshold: 0.1',
    },
    {
      feature_name: 'gone',
      constraint_check_type: 'missing_column_check',
      description: 'The column of the baseline is not in current dataset.',
    },
    {
      feature_name: 'mixed',
      constraint_check_type: 'data_type_check',
      description:
        'Data type match requirement is not met. Expected data type: Integral. Observed: Only 50% of data is Integral.',
    },
    {
      feature_name: 'mixed',
      constraint_check_type: 'baseline_drift_check',
      description: 'Baseline drift distance: 0.5 exceeds threshold: 0.1',
    },
    {
      feature_name: 'x',
      constraint_check_type: 'completeness_check',
      description:
        'Data completeness requirement is not met. Expected completeness: 100%. Observed completeness: 80%.',
    },
    {
      feature_name: 'x',
      constraint_check_type: 'baseline_drift_check',
      description: 'Baseline drift distance: 0.5 exceeds threshold: 0.1',
    },
    {
      feature_name: 'fresh',
      constraint_check_type: 'extra_column_check',
      description: 'There are extra columns in current dataset.',
    },
  ])
})

test('whole numbers of which some are no more; fractions may be anything', () => {
  const halves = tens.map((value) => value / 2)
  expect(constraintViolations(window(10, { x: halves }), window(10, { x: tens }))).toContainEqual({
    feature_name: 'x',
    constraint_check_type: 'data_type_check',
    description:
      'Data type match requirement is not met. Expected data type: Integral. Observed: Only 50% of data is Integral.',
  })
  const types = constraintViolations(window(10, { x: tens }), window(10, { x: halves })).filter(
    ({ constraint_check_type }) => constraint_check_type === 'data_type_check',
  )
  expect(types).toEqual([])
})
