import { expect, test } from 'vitest'
import { parseModel } from '../../../../lib/models/model-files.ts'
import type { ReferenceData } from '../../data/reference.ts'
import type { WindowCounts } from '../../data/window-data.ts'
import { withoutValues } from './without-values.ts'

const model = parseModel('{ model_id: m, task: binary, features: { income: numeric } }')
const windowOf = (empty: readonly string[], texts: readonly string[] = ['city']): WindowCounts => ({
  events: 200,
  errors: 0,
  duplicates: 0,
  numeric: new Map(),
  categories: new Map(texts.map((name) => [name, new Map([['a', 200]])])),
  empty: new Set(empty),
})
const baselineOf = (counts: WindowCounts): ReferenceData => ({
  name: 'first',
  baseline: true,
  spans: [],
  counts,
  outcomes: undefined,
})
const told = (counts: WindowCounts, references: ReferenceData[] = [], isSlice = false) =>
  withoutValues({ counts, references, isSlice }, model)

test('a feature without a value is told from the first window on, declared or not', () => {
  expect(told(windowOf(['age']))).toMatchObject([
    {
      subject: 'income',
      metric: 'missing_ratio',
      value: 1,
      verdict: 'warning',
      reason: 'declared in the model file, and without a value in the window',
    },
    { subject: 'age', reason: 'null in every event that names it, in the window' },
  ])
  const beside = told(windowOf(['age']), [baselineOf(windowOf(['age']))])
  expect(beside.map(({ reference, reason }) => [reference, reason])).toEqual([
    [
      'first',
      'declared in the model file, and without a value in the window and in the reference alike',
    ],
    ['first', 'null in every event that names it, in the window and in the reference alike'],
  ])
})

test('what had values before is missing, and said elsewhere', () => {
  const before = baselineOf(windowOf([], ['city', 'age', 'income']))
  expect(told(windowOf(['age']), [before])).toEqual([])
  expect(told(windowOf(['age']), [], true)).toEqual([])
})

test('the list of features nobody declared is bounded, and too few events say nothing', () => {
  const names = Array.from({ length: 53 }, (_, i) => `f${String(i).padStart(3, '0')}`)
  const results = told(windowOf(names.toReversed(), ['income']))
  expect(results).toHaveLength(51)
  expect(results[49]).toMatchObject({ subject: 'f049' })
  expect(results[50]).toMatchObject({ metric: 'features_without_value', value: 53 })
  expect(results[50]!.reason).toContain('3 more are not')
  const few = told({ ...windowOf(['age']), events: 3 })
  expect(few.every(({ verdict }) => verdict === 'incomplete')).toBe(true)
})
