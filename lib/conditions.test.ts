import { expect, test } from 'vitest'
import { holds, parseCondition, testsOf } from './conditions.ts'

test('every part of the language', () => {
  const [verdict, labels, schedule] = testsOf(
    parseCondition(
      'any(performance.accuracy, alarm, for=2, slice=region:north) and labels.new > 500 or schedule("0 3 * * 1")',
    ),
  )
  expect(verdict).toEqual({
    kind: 'verdict',
    quantifier: 'any',
    family: 'performance',
    metric: 'accuracy',
    subject: undefined,
    level: 'alarm',
    windows: 2,
    slice: { key: 'region', value: 'north' },
  })
  expect(labels).toEqual({ kind: 'labels', above: 500 })
  expect(schedule).toEqual({ kind: 'schedule', cron: '0 3 * * 1' })
})

test('and binds tighter than or', () => {
  const condition = parseCondition('labels.new > 1 or labels.new > 2 and labels.new > 3')
  const which = (...above: number[]) =>
    holds(condition, (t) => t.kind === 'labels' && above.includes(t.above))
  expect(which(1)).toBe(true)
  expect(which(2)).toBe(false)
  expect(which(2, 3)).toBe(true)
  expect(
    holds(
      parseCondition('(labels.new > 1 or labels.new > 2) and labels.new > 3'),
      (t) => t.kind === 'labels' && t.above === 1,
    ),
  ).toBe(false)
})

test('a subject may hold dots and a group', () => {
  expect(testsOf(parseCondition('all(fairness.precision.sex=1&race=2, warning)'))[0]).toMatchObject(
    { metric: 'precision', subject: 'sex=1&race=2' },
  )
  expect(testsOf(parseCondition('any(drift, alarm)'))[0]).toMatchObject({
    family: 'drift',
    metric: undefined,
  })
})

test.each([
  ['', 'expected any(…)'],
  ['any(drift)', 'expected family'],
  ['any(weather, alarm)', '"weather" is not one of'],
  ['any(drift, alarm, for=x)', 'expected a number of windows'],
  ['any(drift, loud)', 'expected warning or alarm'],
  ['schedule("every day")', 'not a cron expression'],
  ['labels.new > 5 labels.new > 6', 'expected "and", "or" or the end'],
])('%s is refused with what was expected', (text, message) =>
  expect(() => parseCondition(text)).toThrow(message),
)
