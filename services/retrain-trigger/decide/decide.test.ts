import { expect, test } from 'vitest'
import { parseCondition } from '../../../lib/models/policy-language.ts'
import { decide, sliceName, type PastRun, type LatestResult } from './decide.ts'

const DAY = 86_400_000
const policy = {
  name: 'p',
  when: 'any(performance.accuracy, alarm, for=2)',
  launch: { kind: 'command' as const, command: ['x'] },
  approval: 'none' as const,
  cooldown: '14d',
  max_per_month: 2,
}
const metricResult = (
  windowEnd: number,
  verdict: LatestResult['verdict'],
  more: Partial<LatestResult> = {},
): LatestResult => ({
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
const ask = (results: LatestResult[], day: number, runs: PastRun[] = [], when = policy.when) =>
  decide(
    { policy: { ...policy, when }, condition: parseCondition(when) },
    { results, windowEnd: day * DAY, newLabels: 0, tick: undefined },
    runs,
    day * DAY,
  )

test('two alarms in a row launch, one does not', () => {
  expect(ask([metricResult(1, 'alarm')], 1).action).toBe('none')
  expect(ask([metricResult(1, 'alarm'), metricResult(2, 'alarm')], 2)).toEqual({
    action: 'launch',
    reason: 'alarm of performance.accuracy in 2 windows',
  })
  expect(
    ask([metricResult(1, 'alarm'), metricResult(2, 'ok'), metricResult(3, 'alarm')], 3).action,
  ).toBe('none')
})

test('an incomplete window neither counts nor breaks a streak', () => {
  expect(
    ask([metricResult(1, 'alarm'), metricResult(2, 'incomplete'), metricResult(3, 'alarm')], 3)
      .action,
  ).toBe('launch')
  expect(
    ask([metricResult(1, 'alarm'), metricResult(2, 'alarm'), metricResult(3, 'incomplete')], 3)
      .action,
  ).toBe('none')
})

test('a promotion resets', () => {
  const results = [metricResult(1, 'alarm'), metricResult(20, 'alarm'), metricResult(21, 'alarm')]
  expect(ask(results, 21, [run(20, { promoted: true })]).action).toBe('none')
  expect(ask(results, 21, [run(2, { promoted: true })]).action).toBe('launch')
})

test.each([
  [[run(5)], 'cooling down'],
  [[run(1, { open: true })], 'a run is under way'],
  [[run(30, { windowEnd: 25 * DAY })], 'a later window has already launched'],
])('it holds back, and says why', (runs, reason) => {
  const decision = ask([metricResult(9, 'alarm'), metricResult(10, 'alarm')], 10, runs)
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
      results: [metricResult(48, 'alarm'), metricResult(49, 'alarm')],
      windowEnd: 49 * DAY,
      newLabels: 0,
      tick: undefined,
    },
    runs,
    49 * DAY,
  )
  expect(capped.reason).toContain('2 runs in 30 days')
})

test('all asks for every result of the window; a warning level takes alarms too', () => {
  const results = [
    metricResult(1, 'alarm', { family: 'drift', metric: 'psi', subject: 'a' }),
    metricResult(1, 'warning', { family: 'drift', metric: 'psi', subject: 'b' }),
  ]
  expect(ask(results, 1, [], 'all(drift.psi, alarm)').action).toBe('none')
  expect(ask(results, 1, [], 'all(drift.psi, warning)').action).toBe('launch')
  expect(ask(results, 1, [], 'any(drift.psi.a, alarm)').action).toBe('launch')
  expect(ask([], 1, [], 'all(drift, warning)').action).toBe('none')
})

test('slices are asked for by name', () => {
  const results = [metricResult(1, 'alarm', { slice: sliceName('region', 'north') })]
  expect(ask(results, 1, [], 'any(performance, alarm)').action).toBe('none')
  expect(ask(results, 1, [], 'any(performance, alarm, slice=region:north)').action).toBe('launch')
  const colons = [metricResult(1, 'alarm', { slice: sliceName('a:b', 'c') })]
  const when = (slice: string) => `any(performance, alarm, slice=${slice})`
  expect(ask(colons, 1, [], when('"a":"b:c"')).action).toBe('none')
  expect(ask(colons, 1, [], when('"a:b":"c"')).action).toBe('launch')
})

test('labels and the clock', () => {
  const decideOn = (when: string, newLabels: number, tick?: string) =>
    decide(
      { policy: { ...policy, when }, condition: parseCondition(when) },
      { results: [], windowEnd: undefined, newLabels, tick },
      [],
      0,
    ).action
  expect(decideOn('labels.new > 10', 10)).toBe('none')
  expect(decideOn('labels.new > 10', 11)).toBe('launch')
  expect(decideOn('schedule("0 3 * * 1") and labels.new > 10', 11)).toBe('none')
  expect(decideOn('schedule("0 3 * * 1") and labels.new > 10', 11, '0 3 * * 1')).toBe('launch')
})
