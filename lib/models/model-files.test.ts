import { expect, test } from 'vitest'
import { ConfigError } from '../runtime/config.ts'
import { parseModel } from './model-files.ts'

function problemsOf(text: string): readonly string[] {
  try {
    parseModel(text)
    return []
  } catch (error) {
    return (error as ConfigError).problems
  }
}

test('two lines are a model: everything else has a default', () => {
  const model = parseModel('model_id: m\ntask: binary\n')
  expect(model.windows).toMatchObject({
    size: '1d',
    timezone: 'UTC',
    lateness: '1h',
    min_count: 200,
  })
  expect(model.references).toEqual({
    baseline: { kind: 'first', windows: 8, baseline: true },
    recent: { kind: 'trailing', windows: 4 },
  })
  expect(model.labels.horizon).toBe('0s')
})

test('one reference always evaluates', () => {
  const model = parseModel('model_id: m\ntask: binary\nreferences: { old: { kind: first } }')
  expect(model.references['old']?.baseline).toBe(true)
})

test('every problem is told at once, with its place', () => {
  const problems = problemsOf(
    'model_id: m\ntask: guess\nwindows: { size: 7x, min_count: 0 }\nslise: [a]',
  )
  expect(problems).toHaveLength(4)
  expect(problems.join('\n')).toContain('task must be equal to one of the allowed values: binary')
  expect(problems.join('\n')).toContain('slise is no setting; did you mean slices?')
})

test.each([
  ['windows: { size: 7m, slide: 2m }', 'multiple of slide'],
  ['windows: { size: 1d, timezone: Mars/Olympus }', 'not an IANA time zone'],
  [
    'references: { r: { kind: fixed, from: 2026-01-02T00:00:00Z, to: 2026-01-01T00:00:00Z } }',
    'needs from and to',
  ],
  [
    'references: { a: { kind: first, baseline: true }, b: { kind: first, baseline: true } }',
    'only one may have baseline: true',
  ],
  ['references: { a: { kind: trailing, baseline: true } }', 'cannot be the baseline'],
  [
    'retrain: [{ name: a, when: "any(x, alarm)", launch: { kind: webhook, url: "http://h" } }]',
    'not one of drift',
  ],
  [
    'retrain: [{ name: a, when: "labels.new > 1", launch: { kind: command, command: [x] } }, { name: a, when: "labels.new > 1", launch: { kind: command, command: [x] } }]',
    'two policies are named a',
  ],
  [
    'alarms: { overrides: { performance/r2: { alarm: 0.75 } } }',
    'performance/r2.alarm: 0.75 does not say on which side',
  ],
])('%s is refused', (line, message) =>
  expect(problemsOf(`model_id: m\ntask: binary\n${line}`).join('\n')).toContain(message),
)

test.each(['uncertain', 'drifted'])(
  'review.draw.%s is refused by name, since it has no effect yet',
  (name) =>
    expect(
      problemsOf(`model_id: m\ntask: binary\nreview: { draw: { random: 0.5, ${name}: 0.5 } }`),
    ).toEqual([expect.stringContaining(`review.draw.${name} has no effect yet`)]),
)

test('review.draw.random is taken as it is', () => {
  const model = parseModel(
    'model_id: m\ntask: binary\nreview: { budget_per_day: 10, draw: { random: 0.5 } }',
  )
  expect(model.review).toMatchObject({ reviewers: 1, budgetPerDay: 10, randomShare: 0.5 })
})

test.each([
  ['references: { t: { kind: table } }', 'of kind table needs file'],
  ['references: { t: { kind: table, file: ../out.csv } }', 'references.t.file'],
  ['references: { t: { kind: table, file: /etc/x.csv } }', 'references.t.file'],
  ['references: { t: { kind: table, file: a/../../x.csv } }', 'references.t.file'],
  ['references: { t: { kind: table, file: "*.csv" } }', 'references.t.file'],
  ['references: { t: { kind: table, file: x.exe } }', 'references.t.file'],
  ['references: { t: { kind: table, file: x.csv, windows: 4 } }', 'has windows, which a table'],
  ['references: { t: { kind: first, file: x.csv } }', 'which only kind table has'],
  ['references: { recent: { kind: table, file: x.csv } }', 'name of a default reference'],
  ['alarms: { kind: sometimes }', 'alarms.kind'],
  ['alarms: { budgets: 3 }', 'budgets'],
  ['alarms: loose', 'alarms'],
])('%s is refused with its name', (line, message) =>
  expect(problemsOf(`model_id: m\ntask: binary\n${line}`).join('\n')).toContain(message),
)

test('a table is beside the baseline of production’s own past, not in its place', () => {
  const { references } = parseModel(
    'model_id: m\ntask: binary\nreferences: { training: { kind: table, file: data/x.parquet, baseline: true } }',
  )
  expect(Object.keys(references)).toEqual(['baseline', 'recent', 'training'])
  expect(references['baseline']).toMatchObject({ kind: 'first', baseline: true })
})

test('fixed lines are for those who ask for them, in short or in long', () => {
  const of = (alarms: string) => parseModel(`model_id: m\ntask: binary\n${alarms}`).hasFixedLines
  expect([
    of(''),
    of('alarms: fixed'),
    of('alarms: { kind: fixed }'),
    of('alarms: budget'),
  ]).toEqual([false, true, true, false])
})

test('an assignment names somebody', () => {
  const of = (assign: string) =>
    problemsOf(`model_id: m\ntask: binary\nreview: { assign: ${assign} }`)
  expect(of('{}')).toEqual(['review.assign names nobody: name people or teams, or leave it out'])
  expect(of('{ roles: [admin] }')).toEqual([expect.stringContaining('review.assign.roles')])
  const { review } = parseModel('model_id: m\ntask: binary\nreview: { assign: { teams: [risk] } }')
  expect(review.assign).toEqual({ people: [], teams: ['risk'] })
})
