import { expect, test } from 'vitest'
import { holds, parseCondition, testsOf } from './policy-language.ts'

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
  'größe',
  'Käse',
  'country/region',
  'income_<=50K',
  'job: admin',
  '#items',
  '年齢',
  'race=Asian/Pacific',
  'a.b (c) & d',
])('a feature may have the name %s, bare or in quotes', (subject) => {
  for (const path of [
    `drift.psi.${subject}`,
    `drift.psi[${JSON.stringify(subject)}]`,
    `drift.psi.${JSON.stringify(subject)}`,
  ])
    expect(testsOf(parseCondition(`any(${path}, alarm)`))).toMatchObject([
      { family: 'drift', metric: 'psi', subject, level: 'alarm' },
    ])
})

test('a name in quotes may hold any character, in a slice too', () => {
  const [found] = testsOf(
    parseCondition('any(drift.psi["a \\"b\\", [c]) or"], alarm, slice="job: x":"y, z)", for=2)'),
  )
  expect(found).toMatchObject({
    subject: 'a "b", [c]) or',
    slice: { key: 'job: x', value: 'y, z)' },
    windows: 2,
  })
})

test('brackets and length are bounded', () => {
  const nested = (n: number) => `${'('.repeat(n)}labels.new > 1${')'.repeat(n)}`
  expect(testsOf(parseCondition(nested(50)))).toHaveLength(1)
  expect(() => parseCondition(nested(51))).toThrow('at most 50 brackets')
  expect(() => parseCondition(' '.repeat(10_001))).toThrow('at most 10000 characters')
})

test.each([
  ['', 'expected any(…)'],
  ['any(drift)', 'expected ","'],
  ['any(drift.psi["x], alarm)', 'a name in double quotes'],
  ['any(weather, alarm)', '"weather" is not one of'],
  ['any(drift, alarm, for=x)', 'expected a number of windows'],
  ['any(drift, loud)', 'expected warning or alarm'],
  ['schedule("every day")', 'not a cron expression'],
  ['labels.new > 5 labels.new > 6', 'expected "and", "or" or the end'],
])('%s is refused with what was expected', (text, message) =>
  expect(() => parseCondition(text)).toThrow(message),
)
