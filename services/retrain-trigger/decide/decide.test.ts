import { expect, test } from 'vitest'
import { parseCondition } from '../../../lib/models/policy-language.ts'
import { decide, sliceName, type PastRun, type StandingFact } from './decide.ts'

const DAY = 86_400_000
const policy = {
  name: 'p',
  when: 'any(performance.accuracy, alarm, for=2)',
  launch: { kind: 'command' as const, command: ['x'] },
  approval: 'none' as const,
  cooldown: '14d',
  max_per_month: 2,
}
const fact = (
  windowEnd: number,
  verdict: StandingFact['verdict'],
  more: Partial<StandingFact> = {},
): StandingFact => ({
  windowEnd: windowEnd * DAY,
  family: 'performance',
  metric: 'accuracy',
  subject: '',
  slice: '',
  verdict,
  ...more,
})
const run = (day: number, more: Partial<PastRun> = {}): PastRun => ({
  decidedAt: day * DAY,
  windowEnd: day * DAY,
  promoted: false,
  open: false,
  ...more,
})
const ask = (facts: StandingFact[], day: number, runs: PastRun[] = [], when = policy.when) =>
  decide(
    { policy: { ...policy, when }, condition: parseCondition(when) },
    { facts, windowEnd: day * DAY, newLabels: 0, tick: undefined },
    runs,
    day * DAY,
  )

test('two alarms in a row launch, one does not', () => {
  expect(ask([fact(1, 'alarm')], 1).action).toBe('none')
  expect(ask([fact(1, 'alarm'), fact(2, 'alarm')], 2)).toEqual({
    action: 'launch',
    reason: 'alarm of performance.accuracy in 2 windows',
  })
  expect(ask([fact(1, 'alarm'), fact(2, 'ok'), fact(3, 'alarm')], 3).action).toBe('none')
})

test('an incomplete window neither counts nor breaks a streak', () => {
  expect(ask([fact(1, 'alarm'), fact(2, 'incomplete'), fact(3, 'alarm')], 3).action).toBe('launch')
  expect(ask([fact(1, 'alarm'), fact(2, 'alarm'), fact(3, 'incomplete')], 3).action).toBe('none')
})

test('a promotion resets', () => {
  const facts = [fact(1, 'alarm'), fact(20, 'alarm'), fact(21, 'alarm')]
  expect(ask(facts, 21, [run(20, { promoted: true })]).action).toBe('none')
  expect(ask(facts, 21, [run(2, { promoted: true })]).action).toBe('launch')
})

test.each([
  [[run(5)], 'cooling down'],
  [[run(1, { open: true })], 'a run is under way'],
  [[run(30, { windowEnd: 25 * DAY })], 'a later window has already launched'],
])('it holds back, and says why', (runs, reason) => {
  const decision = ask([fact(9, 'alarm'), fact(10, 'alarm')], 10, runs)
  expect(decision.action).toBe('none')
  expect(decision.reason).toContain(reason)
})

test('the monthly cap counts stream time', () => {
  const runs = [run(20), run(40)]
  const capped = decide(
    {
      policy: { ...policy, cooldown: '0s', max_per_month: 1 },
      condition: parseCondition(policy.when),
    },
    {
      facts: [fact(48, 'alarm'), fact(49, 'alarm')],
      windowEnd: 49 * DAY,
      newLabels: 0,
      tick: undefined,
    },
    runs,
    49 * DAY,
  )
  expect(capped.reason).toContain('2 runs in 30 days')
})

test('all asks for every fact of the window; a warning level takes alarms too', () => {
  const facts = [
    fact(1, 'alarm', { family: 'drift', metric: 'psi', subject: 'a' }),
    fact(1, 'warning', { family: 'drift', metric: 'psi', subject: 'b' }),
  ]
  expect(ask(facts, 1, [], 'all(drift.psi, alarm)').action).toBe('none')
  expect(ask(facts, 1, [], 'all(drift.psi, warning)').action).toBe('launch')
  expect(ask(facts, 1, [], 'any(drift.psi.a, alarm)').action).toBe('launch')
  expect(ask([], 1, [], 'all(drift, warning)').action).toBe('none')
})

test('slices are asked for by name', () => {
  const facts = [fact(1, 'alarm', { slice: sliceName('region', 'north') })]
  expect(ask(facts, 1, [], 'any(performance, alarm)').action).toBe('none')
  expect(ask(facts, 1, [], 'any(performance, alarm, slice=region:north)').action).toBe('launch')
  const colons = [fact(1, 'alarm', { slice: sliceName('a:b', 'c') })]
  const when = (slice: string) => `any(performance, alarm, slice=${slice})`
  expect(ask(colons, 1, [], when('"a":"b:c"')).action).toBe('none')
  expect(ask(colons, 1, [], when('"a:b":"c"')).action).toBe('launch')
})

test('labels and the clock', () => {
  const decideOn = (when: string, newLabels: number, tick?: string) =>
    decide(
      { policy: { ...policy, when }, condition: parseCondition(when) },
      { facts: [], windowEnd: undefined, newLabels, tick },
      [],
      0,
    ).action
  expect(decideOn('labels.new > 10', 10)).toBe('none')
  expect(decideOn('labels.new > 10', 11)).toBe('launch')
  expect(decideOn('schedule("0 3 * * 1") and labels.new > 10', 11)).toBe('none')
  expect(decideOn('schedule("0 3 * * 1") and labels.new > 10', 11, '0 3 * * 1')).toBe('launch')
})
