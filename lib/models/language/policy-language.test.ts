import { expect, test } from 'vitest'
import { testsOf } from './logic.ts'
import { numbersOf, parseCondition, truthOf } from './policy-language.ts'
import { conditionProblems } from './policy-problems.ts'
import type { Condition, Test } from './policy-tests.ts'

const holds = (condition: Condition, isTrue: (test: Test) => boolean) =>
  truthOf(condition, (test) => ({ holds: isTrue(test), isNews: true, reasons: [] })).holds

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
    of: 2,
    slice: { key: 'region', value: 'north' },
    version: undefined,
  })
  expect(labels).toEqual({ kind: 'labels', above: 500 })
  expect(schedule).toEqual({ kind: 'schedule', cron: '0 3 * * 1', timezone: 'UTC' })
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
  ['any(drift, alarm, for=x)', 'expected a number of windows'],
  ['any(drift, loud)', 'expected warning or alarm'],
  ['performance.r2', 'expected a comparison'],
  ['performance.r2 < x', 'expected a number'],
  ['performance < 3', 'expected any(…)'],
  ['count(drift, alarm)', 'expected a comparison'],
  ['silent(for="soon")', 'soon is not a duration'],
  ['schedule("0 3 * * *", zone="UTC")', 'expected timezone='],
  ['labels.new > 5 labels.new > 6', 'expected "and", "or" or the end'],
])('%s is refused with what was expected', (text, message) =>
  expect(() => parseCondition(text)).toThrow(message),
)

test('numbers are compared, counted and looked for in some of the last windows', () => {
  expect(testsOf(parseCondition('performance.r2 < 0.75, for=2, of=3'))).toMatchObject([
    { kind: 'value', metric: 'r2', sign: '<', limit: 0.75, windows: 2, of: 3 },
  ])
  for (const path of ['drift.psi["größe/cm"]', 'drift.psi[größe/cm]', 'drift.psi.größe/cm'])
    expect(testsOf(parseCondition(`${path} >= 1e-1 and labels.new > 5`))).toMatchObject([
      { kind: 'value', metric: 'psi', subject: 'größe/cm', sign: '>=', limit: 0.1 },
      { kind: 'labels' },
    ])
  expect(testsOf(parseCondition('count(drift.psi, alarm, version="2.1") >= 3'))).toMatchObject([
    { kind: 'count', level: 'alarm', sign: '>=', limit: 3, windows: 1, of: 1, version: '2.1' },
  ])
  expect(testsOf(parseCondition('performance.custom.margin < 0'))).toMatchObject([
    { metric: 'custom.margin', subject: undefined },
  ])
})

test('other tests, and what is not so', () => {
  const condition = parseCondition(
    'not (silent(for="2h") or predictions.new > 10) and alert("Late, \\"very\\"") or schedule("0 3 * * *", timezone="Australia/Sydney")',
  )
  expect(testsOf(condition)).toEqual([
    { kind: 'silence', text: '2h', forMs: 7_200_000 },
    { kind: 'predictions', above: 10 },
    { kind: 'alert', name: 'Late, "very"' },
    { kind: 'schedule', cron: '0 3 * * *', timezone: 'Australia/Sydney' },
  ])
  expect(holds(condition, ({ kind }) => kind === 'alert')).toBe(true)
  expect(holds(condition, ({ kind }) => kind === 'alert' || kind === 'silence')).toBe(false)
  expect(() => parseCondition(`${'not '.repeat(51)}labels.new > 1`)).toThrow('at most 50')
})

const DECLARED = {
  features: ['user_age', 'price'],
  slices: ['region'],
  customMetrics: ['margin'],
  attributes: ['sex'],
  hasCanaries: true,
  expectations: ['paid <= amount'],
}

test.each([
  ['any(weather, alarm)', ['"weather" is not one of drift, quality']],
  ['label.new > 5', ['did you mean labels?']],
  ['any(drift.psj, alarm)', ['drift has no metric psj; did you mean psi?']],
  [
    'performance.psi > 0.2',
    ['psi is a metric of drift, not of performance; did you mean drift.psi?'],
  ],
  ['drift.psi[user_aged] > 0.2', ['no feature user_aged is declared; did you mean user_age?']],
  ['drift.psi["@scores"] > 0.2', ["no value of a model's own; did you mean @score?"]],
  [
    'any(drift, alarm, slice=regoin:north)',
    ['slice regoin is none of the model’s slices; did you mean region?'],
  ],
  ['fairness.disparate_impact_ratio["sx=1"] < 0.8', ['did you mean sex?']],
  ['performance.custom.margn < 0', ['not one of custom_metrics; did you mean custom.margin?']],
  ['any(drift, alarm, for=0)', ['for=0 must be from 1 to 100 windows']],
  ['performance.r2 < 1, for=3, of=2', ['for=3 cannot be reached in of=2 windows']],
  ['count(drift, alarm) >= 0', ['says nothing']],
  ['schedule("every day")', ['not a cron expression']],
  ['schedule("* * * * * *")', ['must have five fields']],
  ['schedule("0 3 * * *", timezone="Australia/Sidney")', ['did you mean Australia/Sydney?']],
  ['silent(for="1s")', ['at least 1m']],
  ['canary == wors', ['not wors; did you mean worse?']],
  ['canary == rollback', ['did you mean worse?']],
  [
    'any(drift.psj, alarm, for=9999) or performance.psi > 1',
    ['did you mean psi?', 'for=9999', 'a metric of drift'],
  ],
])('%s can never be true, and every reason is told', (when, wanted) => {
  const problems = conditionProblems(parseCondition(when), DECLARED)
  expect(problems).toHaveLength(wanted.length)
  for (const [i, part] of wanted.entries()) expect(problems[i]).toContain(part)
})

test('names are free where the model file declares none', () => {
  const none = {
    features: [],
    slices: [],
    customMetrics: [],
    attributes: [],
    expectations: [],
    hasCanaries: false,
  }
  for (const when of [
    'any(drift.psi.größe, alarm)',
    'drift.psi["@score"] > 0.1',
    'any(feedback.mean.toxicity, alarm)',
  ])
    expect(conditionProblems(parseCondition(when), none)).toEqual([])
})

test('a canary is asked for by its decision and its version, where a policy has one', () => {
  const condition = parseCondition('canary == worse, version="8 b" and not canary == invalid')
  expect(testsOf(condition)).toEqual([
    { kind: 'canary', decision: 'worse', version: '8 b' },
    { kind: 'canary', decision: 'invalid', version: undefined },
  ])
  expect(conditionProblems(condition, DECLARED)).toEqual([])
  expect(conditionProblems(parseCondition('canary == better'), { ...DECLARED, hasCanaries: false }))
    // Nothing would ever make it true.
    .toEqual([
      'canary: no policy of the model has promote, so no candidate is ever held against another',
    ])
  for (const wrong of ['canary', 'canary = worse', 'canary == worse, for=2', 'canary == "worse"'])
    expect(() => parseCondition(wrong)).toThrow('expected')
})

test('numbers of a condition are found where they stand, each with its test', () => {
  const text =
    'performance.r2 < -0.75, for=2, of=3 and (count(drift.psi, alarm) >= 3 or not labels.new > 500) or any(drift.psi["x > 9"], alarm, slice="a":"b 4", for=5) or silent(for="2h")'
  const found = numbersOf(text)
  expect(found.map(({ says, from, to }) => [says, text.slice(from, to)])).toEqual([
    ['limit', '-0.75'],
    ['for', '2'],
    ['of', '3'],
    ['limit', '3'],
    ['above', '500'],
    ['for', '5'],
  ])
  expect(found[0]!.text).toBe('performance.r2 < -0.75, for=2, of=3')
  expect(found.map((one) => one.test)).toEqual(
    [0, 0, 0, 1, 2, 3].map((i) => testsOf(parseCondition(text))[i]),
  )
  expect(() => numbersOf('performance.r2 <')).toThrow('a number')
})
