/** Numbers of a policy that a slider moves: where they are, how far they go, what is written then. */
import { expect, test } from 'vitest'
import { undeclared } from '../../../lib/models/model-files.ts'
import { testsOf } from '../../../lib/models/language/logic.ts'
import { parseCondition } from '../../../lib/models/language/policy-language.ts'
import { isWindowTest } from '../../../lib/models/language/policy-tests.ts'
import type { LatestResult } from './condition-tests.ts'
import { knobsOf, see, turned, type Seen } from './knobs.ts'
import { readPolicyText, rewritten, textOf, type ReadPolicy } from './policy-text.ts'

const WHEN = 'performance.r2 < 0.75, for=2, of=3 and labels.new > 500 or any(drift, alarm, for=2)'
const guards = { cooldown: '7d', max_per_month: 4, approval: 'none' as const }
const nothing = (): Seen => ({ spans: new Map(), labels: 0, predictions: 0 })
const r2 = (value: number | null, windowEnd: number): LatestResult => ({
  ...{ windowEnd, family: 'performance', metric: 'r2', subject: '', verdict: 'none', value },
  ...{ slice: '', version: '' },
})

test('each number is a knob, and a limit spans the values that were seen', () => {
  const seen = { ...nothing(), labels: 4000 }
  const tests = testsOf(parseCondition(WHEN)).filter(isWindowTest)
  see(seen, tests, { results: [], values: [r2(0.6, 1), r2(null, 2)] })
  see(seen, tests, { results: [], values: [r2(0.9, 3), { ...r2(5, 3), slice: 'other' }] })
  const knobs = knobsOf({ when: WHEN, ...guards }, seen)
  expect(knobs.map(({ says, value, low, high, step }) => [says, value, low, high, step])).toEqual([
    ['limit', 0.75, 0.57, 0.93, 0.001],
    ['for', 2, 1, 3, 1],
    ['of', 3, 2, 20, 1],
    ['above', 500, 0, 4000, 10],
    ['for', 2, 1, 12, 1],
    ['cooldown', 7, 0, 60, 1],
    ['max_per_month', 4, 1, 31, 1],
  ])
  expect(knobs[0]!.text).toBe('performance.r2 < 0.75, for=2, of=3')
})

test('values that were never seen leave room around the limit', () => {
  const when = 'drift.psi > 0 or count(drift.psi, alarm) >= 3'
  const [limit, count] = knobsOf({ when, ...guards }, nothing())
  expect(limit).toMatchObject({ value: 0, low: -0.1, high: 0.1, step: 0.001 })
  expect(count).toMatchObject({ value: 3, low: 0, high: 5, step: 1 })
})

const model = undeclared('m')
const read = (text: string) => readPolicyText(text, model) as ReadPolicy

test('a turned knob is written where it stands, and comments stay', () => {
  const text = `# of the team
- name: worse
  when: 'performance.r2 < 0.75, for=2' # two
  cooldown: 12h
  launch: { kind: webhook, url: 'https://jobs.example.com/?token=x' }
`
  const written = (at: number, value: number) => {
    const policy = read(text)
    const { field, value: set } = turned(policy.policy, at, value) as {
      field: string
      value: string
    }
    return rewritten(policy, field, set)
  }
  expect(written(0, 0.7)).toBe(
    "# of the team\nname: worse\nwhen: 'performance.r2 < 0.7, for=2' # two\ncooldown: 12h\n",
  )
  expect(written(1, 4)).toContain("'performance.r2 < 0.75, for=4'")
  expect(written(2, 3)).toContain('cooldown: 3h')
  expect(written(3, 2)).toContain('max_per_month: 2')
})

test('what a knob cannot be is told', () => {
  const { policy } = read('when: performance.r2 < 0.75, for=2')
  expect(turned(policy, 1, 1.5)).toContain('turn.value must be a whole number')
  expect(turned(policy, 1, -1)).toContain('turn.value must be a whole number')
  expect(turned(policy, 0, 1e300)).toContain('turn.value must be from')
  expect(turned(policy, 4, 1)).toBeUndefined()
  expect(turned(policy, 2, 3)).toEqual({ field: 'cooldown', value: '3d' })
})

test('every problem of a written policy is a sentence that names its field', () => {
  const problems = (text: string) => (readPolicyText(text, model) as string[]).join('\n')
  expect(problems('when: [')).toMatch(/^policy is no YAML/)
  expect(problems('- when: a\n- when: b')).toContain('policy must be one policy')
  expect(problems('')).toContain('policy must be one policy')
  expect(problems('name: x')).toContain('when')
  expect(problems('when: any(drift.psi, alarm)\ncooldwn: 1d')).toContain('cooldown')
  expect(problems('when: any(drift.psy, alarm)')).toBe(
    'when: drift has no metric psy; did you mean psi?',
  )
  expect(
    problems('when: any(drift.psi, alarm)\nquiet: [{ from: "00:00", to: "24:00" }]'),
  ).toContain('quiet: the quiet hours leave no minute')
  expect(problems(`when: ${'['.repeat(19_000)}`)).toMatch(/^policy is no YAML/)
  const bomb = `a: &a [x, x]\n${'bcdefghij'.replace(/./g, (c) => `${c}: &${c} [*${String.fromCharCode(c.charCodeAt(0) - 1)}, *${String.fromCharCode(c.charCodeAt(0) - 1)}]\n`)}when: *j`
  expect(problems(bomb)).toContain('policy is no YAML')
})

test('a policy in force is written with its defaults and without what it launches', () => {
  const { policy } = read("when: any(drift.psi, alarm)\nlaunch: { kind: command, command: ['a'] }")
  const text = textOf({ ...policy, name: 'p' } as Parameters<typeof textOf>[0])
  expect(text).not.toContain('command')
  expect(read(text).policy).toMatchObject({ approval: 'none', cooldown: '0s', max_per_month: 100 })
})
