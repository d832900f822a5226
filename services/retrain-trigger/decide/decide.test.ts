import { expect, test } from 'vitest'
import { parseCondition } from '../../../lib/models/language/policy-language.ts'
import { sliceName, type Evidence, type LatestResult } from './condition-tests.ts'
import { decide, heldBackAlert, type PastRun } from './decide.ts'

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
  version: '',
  value: null,
  verdict,
  ...more,
})
const run = (day: number, more: Partial<PastRun> = {}): PastRun => ({
  cause: `window:${day}`,
  decidedAt: day * DAY,
  createdAt: day * DAY,
  windowEnd: day * DAY,
  promoted: false,
  open: false,
  launched: true,
  failed: false,
  proposed: false,
  ...more,
})
const nothing: Evidence = {
  occasion: { kind: 'window' },
  results: [],
  values: [],
  windowEnd: undefined,
  newLabels: 0,
  newPredictions: 0,
  silentMs: undefined,
}
const ask = (results: LatestResult[], day: number, runs: PastRun[] = [], when = policy.when) =>
  decide(
    { policy: { ...policy, when }, condition: parseCondition(when) },
    { ...nothing, results, values: results, windowEnd: day * DAY },
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
      ...nothing,
      results: [metricResult(48, 'alarm'), metricResult(49, 'alarm')],
      windowEnd: 49 * DAY,
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
      {
        ...nothing,
        newLabels,
        occasion: tick ? { kind: 'tick', cron: tick, timezone: 'UTC' } : { kind: 'news' },
      },
      [],
      0,
    ).action
  expect(decideOn('labels.new > 10', 10)).toBe('none')
  expect(decideOn('labels.new > 10', 11)).toBe('launch')
  expect(decideOn('schedule("0 3 * * 1") and labels.new > 10', 11)).toBe('none')
  expect(decideOn('schedule("0 3 * * 1") and labels.new > 10', 11, '0 3 * * 1')).toBe('launch')
})

const numbers = (...values: (number | null)[]) =>
  values.map((value, i) => metricResult(i + 1, 'none', { metric: 'r2', value }))

test('a number is compared, in some of the last windows', () => {
  const when = 'performance.r2 < 0.75, for=2, of=3'
  expect(ask(numbers(0.7, 0.8, 0.71), 3, [], when)).toEqual({
    action: 'launch',
    reason: 'performance.r2 0.71 < 0.75 in 2 of 3 windows',
  })
  expect(ask(numbers(0.7, 0.8, 0.8, 0.71), 4, [], when).action).toBe('none')
  expect(ask(numbers(0.7, 0.7, 0.8), 3, [], when).action).toBe('none')
  expect(ask(numbers(0.7, null), 2, [], 'performance.r2 < 0.75').action).toBe('none')
  expect(ask(numbers(0.75), 1, [], 'performance.r2 < 0.75').action).toBe('none')
  expect(ask(numbers(0.75), 1, [], 'performance.r2 <= 0.75').action).toBe('launch')
})

test('verdicts are counted, and a version has its own', () => {
  const drifted = ['a', 'b', 'c'].map((subject) =>
    metricResult(1, 'alarm', { family: 'drift', metric: 'psi', subject }),
  )
  expect(ask(drifted, 1, [], 'count(drift.psi, alarm) >= 3').action).toBe('launch')
  expect(ask(drifted, 1, [], 'count(drift.psi, alarm) > 3').action).toBe('none')
  expect(ask(drifted, 1, [], 'any(drift.psi, alarm, version=8)').action).toBe('none')
  const eighth = drifted.map((result) => ({ ...result, version: '8' }))
  expect(ask(eighth, 1, [], 'any(drift.psi, alarm, version=8)').reason).toContain('of version 8')
})

const on = (occasion: Evidence['occasion'], when: string, runs: PastRun[] = []) =>
  decide(
    { policy: { ...policy, when, cooldown: '0s' }, condition: parseCondition(when) },
    { ...nothing, occasion, results: [metricResult(1, 'alarm')], windowEnd: DAY, newLabels: 9 },
    runs,
    DAY,
  ).action
const tick = { kind: 'tick', cron: '0 * * * *', timezone: 'UTC' } as const

test('each occasion launches by what it is about', () => {
  const either = 'any(performance, alarm) or schedule("0 * * * *") or labels.new > 10'
  expect(on({ kind: 'window' }, either)).toBe('launch')
  expect(on(tick, either)).toBe('launch')
  expect(on({ kind: 'news' }, either)).toBe('none')
  expect(on({ ...tick, timezone: 'Europe/Paris' }, either)).toBe('none')
  expect(on({ kind: 'window' }, 'not any(drift, alarm) and labels.new > 5')).toBe('launch')
  expect(on({ kind: 'alert', name: 'Late' }, 'alert("Late") and any(performance, alarm)')).toBe(
    'launch',
  )
  expect(on({ kind: 'alert', name: 'Early' }, 'alert("Late")')).toBe('none')
})

test('an hourly schedule ticks on over one daily window', () =>
  expect(on(tick, 'schedule("0 * * * *")', [run(1)])).toBe('launch'))

test('a run that failed or was never launched costs no cool-down; the cap counts what was launched', () => {
  const results = [metricResult(9, 'alarm'), metricResult(10, 'alarm')]
  for (const past of [run(5, { failed: true }), run(5, { launched: false })])
    expect(ask(results, 10, [past]).action).toBe('launch')
  const failed = [run(5, { failed: true }), run(6, { failed: true })]
  expect(ask(results, 10, failed).reason).toContain('2 runs in 30 days')
  expect(ask(results, 10, [run(12, { launched: false })]).action).toBe('launch')
})

test('an alert that flaps launches once an hour, and limits of a replay do not count by its clock', () => {
  const free = { cooldown: '1d', max_per_month: 100 }
  const flapped = run(1, { cause: 'alert:a', createdAt: 40 * DAY, failed: true })
  expect(heldBackAlert(free, [flapped], 40 * DAY + 60_000)).toContain('within the last hour')
  expect(heldBackAlert(free, [flapped], 40 * DAY + 3_600_000)).toBeUndefined()
  expect(heldBackAlert(free, [run(1, { createdAt: 40 * DAY })], 40 * DAY + 1)).toContain('cooling')
})

test('a canary is true of its decision, at its version, on whatever occasion', () => {
  const canary = { run_id: 'r', version: '8', decision: 'worse', place: 1, share: 5 } as const
  const asked = (when: string, more: Partial<Evidence> = {}) =>
    decide(
      { policy: { ...policy, when }, condition: parseCondition(when) },
      { ...nothing, occasion: { kind: 'news' }, canary, ...more },
      [],
      DAY,
    )
  expect(asked('canary == worse')).toEqual({
    action: 'launch',
    reason: 'canary 8 is worse at 5 % of the traffic',
  })
  expect(asked('canary == worse, version=8').action).toBe('launch')
  for (const when of ['canary == better', 'canary == worse, version=9', 'not canary == worse'])
    expect(asked(when).action).toBe('none')
  expect(asked('canary == worse', { canary: undefined }).action).toBe('none')
  const tick = { kind: 'tick', cron: '0 3 * * *', timezone: 'UTC' } as const
  const both = 'canary == worse and schedule("0 3 * * *")'
  expect(asked(both, { occasion: tick }).action).toBe('launch')
  expect(asked(both).action).toBe('none')
})
