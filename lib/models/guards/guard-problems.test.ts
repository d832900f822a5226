import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseModel } from '../model-files.ts'
import { parseRequirement } from './acceptance.ts'

const steps = (more: string, launch = `kind: webhook, url: 'http://127.0.0.1:9/'`) =>
  `promote: { launch: { ${launch} }, ${more} }`

const file = (more: string) => () =>
  parseModel(`
model_id: m
task: binary
retrain:
  - name: p
    when: any(drift, alarm)
    launch: { kind: webhook, url: 'http://127.0.0.1:9/' }
    ${more}
`)

test.each([
  ['accept: [performance.accuracy >= 0.8, operations.latency_p95_ms <= current * 1.1]'],
  ['accept: ["performance.accuracy >= current - 0.01"]\n    validation: { evidence: shadow }'],
  ['quiet: [{ days: [sat, sun], from: "00:00", to: "24:00", timezone: Europe/Berlin }]'],
  ['freezes: [{ from: 2026-12-20, to: 2027-01-02T06:00, reason: holidays }]'],
  ['approval: two\n    approval_expires: 2d'],
  ['dry_run: true'],
  ['watch: { windows: 8 }'],
  ['targets: { detect: 1h, decide: 2d }'],
  [steps('steps: [1, 100]')],
  [steps('on_worse: page', `kind: command, command: [mesh, set]`)],
  [
    steps(
      'when_late: go_on',
      `kind: jenkins, url: 'http://127.0.0.1:9', job: mesh, parameters: { to: '{{new_version}} {{share}}' }`,
    ),
  ],
])('%s is taken', (more) => {
  expect(file(more)).not.toThrow()
})

test.each([
  ['accept: [performance.acuracy >= 0.8]', 'retrain.p.accept.0: performance has no metric acuracy'],
  ['accept: [performance.mae >= 1]', 'gets worse the higher it is'],
  ['accept: [performance.accuracy <= current]', 'gets worse the lower it is'],
  ['accept: [performance.accuracy >= best]', 'expected a number or current'],
  ['accept: [performance.accuracy >= 0.8 and more]', 'expected the end'],
  [
    'accept: [drift.psi <= 0.2]\n    validation: { evidence: shadow }',
    'is not told by shadow predictions',
  ],
  ['validation: { min_events: 10 }', 'there is nothing to validate without accept'],
  ['quiet: [{ from: "00:00", to: "24:00" }]', 'leave no minute of the week'],
  ['quiet: [{ from: "22:00", to: "06:00", timezone: Mars/Base }]', 'quiet.0.timezone'],
  ['freezes: [{ from: 2026-12-20, to: 2026-12-20 }]', 'and begins at'],
  ['freezes: [{ from: 2026-02-30, to: 2026-03-02 }]', 'there is no 2026-02-30'],
  [steps('steps: [5, 1, 100]'), 'promote.steps: 5, 1, 100 must ascend'],
  [steps('steps: [1, 5]'), 'the last of 1, 5 must be 100'],
  [steps('at_least: 2d'), 'must be shorter than step_within 1d'],
  [steps('step_within: 31d'), 'must be from 1m to 30d'],
  [
    steps('served_when: answered', 'kind: command, command: [mesh, set]'),
    'answered is for webhooks; command tells the end of its job itself',
  ],
  [
    steps('min_events: 10', `kind: webhook, url: 'http://127.0.0.1:9/', body: { a: '{{run_id}}' }`),
    'promote.launch: no text of it names {{share}}, so webhook would not be told',
  ],
  [
    steps(
      'min_events: 10',
      `kind: github, url: 'http://127.0.0.1:9', repository: a/b, workflow: w, ref: r`,
    ),
    'so github would not be told how much of the traffic the new version gets',
  ],
  [
    steps('min_events: 10', `kind: webhook, url: 'http://127.0.0.1:9/', body: { a: '{{shares}}' }`),
    'names {{shares}}; did you mean share?',
  ],
  ['targets: { launch: 366d }', 'targets.launch 366d must be from 1s to 365d'],
  ['targets: { launhc: 1h }', 'launhc'],
  ['dry_run: true\n    approval: one', 'nobody is to approve it'],
  ['approval_expires: 2d', 'nothing to expire where approval is none'],
  ['approval: one\n    approval_expires: 1s', 'must be from 1m to 365d'],
  ['accept: [performance.f1 >= 0.5]\n    validation: { within: 91d }', 'must be from 1m to 90d'],
])('%s is refused at start', (more, problem) => {
  expect(file(more)).toThrow(problem)
})

test('a line beside the version that serves', () => {
  expect(parseRequirement('performance.mae <= current * 1.05')).toMatchObject({
    metric: 'performance.mae',
    sign: '<=',
    factor: 1.05,
    offset: 0,
  })
  expect(parseRequirement('performance.custom.margin >= -.5e1')).toMatchObject({
    metric: 'performance.custom.margin',
    factor: 0,
    offset: -5,
  })
})

test('the example of the documentation is taken', () => {
  const text = readFileSync('docs/policies.md', 'utf8')
  const [, example] = /```yaml\n(model_id: churn[^`]*)```/.exec(text)!
  expect(parseModel(example!).retrain[0]).toMatchObject({ name: 'worse', approval_expires: '2d' })
})

test.each([
  [
    'escalate: [{ after: 2h, to: [a] }, { after: 120m, to: [a] }]',
    'escalate.1.after 120m must be longer than that of the step before, 2h',
  ],
  [
    'escalate: [{ after: 7d, to: [a] }]',
    'escalate.0.after 7d must be shorter than approval_expires 7d: the run is cancelled then',
  ],
  ['escalate: [{ after: 5s, to: [a] }]', 'escalate.0.after 5s must be from 1m to 365d'],
])('steps of an approval ascend, and come before it expires: %s', (more, problem) => {
  expect(file(`approval: one\n    ${more}`)).toThrow(problem)
  expect(file(more)).toThrow('escalate: there is nothing to approve where approval is none')
  expect(
    file('approval: one\n    escalate: [{ after: 2h, to: [a] }, { after: 1d, to: [b] }]'),
  ).not.toThrow()
})
