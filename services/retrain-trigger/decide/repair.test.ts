import { expect, test } from 'vitest'
import { parseCondition } from '../../../lib/models/language/policy-language.ts'
import type { Trigger } from '../../../schemas/http/runs/run-outcomes.ts'
import type { LatestResult } from './condition-tests.ts'
import { repairOf, type WatchedWindow } from './repair.ts'
import { couldStillHold, triggersOf } from './triggers.ts'

const window = (value: number, verdict = 'ok', ci: number | null = 0.01): WatchedWindow => ({
  ...{ windowStart: 0, windowEnd: 1, value, verdict },
  ciLow: ci === null ? null : value - ci,
  ciHigh: ci === null ? null : value + ci,
  ciLevel: ci === null ? null : 0.95,
})
const trigger = (more: Partial<Trigger> = {}): Trigger => ({
  ...{ family: 'performance', metric: 'accuracy', subject: '', slice: null, version: '' },
  ...{ from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' },
  test: { level: 'alarm' },
  ...more,
})
const ask = (
  before: WatchedWindow[],
  after: WatchedWindow[],
  more: { trigger?: Partial<Trigger>; now?: number } = {},
) =>
  repairOf([{ trigger: trigger(more.trigger), before, after }], {
    ...{ now: more.now ?? 0, until: 100, windows: 3 },
  })

test('it is watched until the new version has its windows, or the time is over', () => {
  const [before, after] = [[window(0.6, 'alarm')], [window(0.8), window(0.8)]]
  expect(ask(before, after)).toMatchObject({
    outcome: 'watching',
    reason: '2 of 3 windows of the new version',
  })
  expect(ask(before, after, { now: 100 }).outcome).toBe('repaired')
})

test.each([
  [[0.8, 0.81, 0.79], 'ok', 'repaired', ''],
  [[0.8, 0.81, 0.79], 'alarm', 'not_repaired', 'what caused the run is so still'],
  [[0.605, 0.6, 0.604], 'ok', 'not_repaired', 'the difference may be noise'],
  [[0.5, 0.51, 0.49], 'ok', 'made_worse', ''],
])(
  'accuracy of 0.6 before, and %s after with the verdict %s, is %s',
  (values, verdict, outcome, why) => {
    const answer = ask(
      [window(0.6, 'alarm')],
      values.map((value) => window(value, verdict)),
    )
    expect(answer.metrics[0]).toMatchObject({ outcome, reason: why, n_before: 1, n_after: 3 })
    expect(answer.outcome).toBe(outcome)
  },
)

test('the difference and its interval are told: the noise within and between windows', () => {
  const [metric] = ask(
    [window(0.6)],
    [0.8, 0.8, 0.8].map((value) => window(value)),
  ).metrics
  expect(metric!.difference).toBeCloseTo(0.2, 12)
  // Standard errors of 0.01 / 1.96 before, and a third of it squared after.
  const half = 0.01 * Math.sqrt(4 / 3)
  expect(metric!.ci_low).toBeCloseTo(0.2 - half, 9)
  expect(metric!.ci_high).toBeCloseTo(0.2 + half, 9)
})

test('a policy of numbers says which side is worse, and when it is so still', () => {
  const margin = { metric: 'custom.margin', test: { sign: '<', limit: 0 } } as const
  const after = (value: number) => [0, 1, 2].map(() => window(value))
  expect(ask([window(-1)], after(0.5), { trigger: margin }).outcome).toBe('repaired')
  expect(ask([window(-1)], after(-0.5), { trigger: margin }).outcome).toBe('not_repaired')
  expect(ask([window(-1)], after(-2), { trigger: margin }).outcome).toBe('made_worse')
})

test('what cannot be known says why', () => {
  const plain = (value: number) => window(value, 'ok', null)
  const told = (before: WatchedWindow[], after: WatchedWindow[], more?: Partial<Trigger>) =>
    ask(before, after, { now: 100, ...(more && { trigger: more }) })
  expect(told([plain(0.6)], [plain(0.8)])).toMatchObject({
    outcome: 'unknown',
    reason: 'one window has no interval of its own',
  })
  expect(told([], [window(1)]).reason).toBe('no window that caused the run has a value')
  expect(told([window(1)], []).reason).toBe('no window of the new version has a value')
  expect(told([window(1)], [window(2)], { metric: 'bias' }).reason).toContain('no side')
  expect(repairOf([], { now: 0, until: 100, windows: 3 }).outcome).toBe('unknown')
})

test('one metric that is worse outweighs those that are repaired', () => {
  const of = (value: number) => ({
    trigger: trigger(),
    before: [window(0.6)],
    after: [0, 1, 2].map(() => window(value)),
  })
  expect(repairOf([of(0.8), of(0.4)], { now: 0, until: 100, windows: 3 })).toMatchObject({
    outcome: 'made_worse',
    reason: expect.stringContaining('performance.accuracy 0.6 before, 0.4 after') as string,
  })
})

const result = (windowEnd: number, verdict: LatestResult['verdict'], more: object = {}) => ({
  ...{ windowEnd, family: 'performance', metric: 'accuracy', subject: '', slice: '', version: '' },
  ...{ value: null, verdict },
  ...more,
})
const DAY = 86_400_000
const asked = (text: string, results: LatestResult[]) =>
  [parseCondition(text), { results, values: results, windowEnd: 2 * DAY }] as const

test('what made a condition true is kept with the windows that it was true of', () => {
  const results = [result(DAY, 'alarm'), result(2 * DAY, 'alarm')]
  const drifted = result(2 * DAY, 'alarm', { family: 'drift', metric: 'psi', subject: 'age' })
  expect(
    triggersOf(
      ...asked('any(performance, alarm, for=2) or not any(drift, alarm)', [...results, drifted]),
    ),
  ).toEqual([trigger({ from: new Date(DAY).toISOString(), to: new Date(2 * DAY).toISOString() })])
})

test('a window that was restated withdraws an alarm, and never what counts have said', () => {
  const stands = (text: string, verdict: LatestResult['verdict']) =>
    couldStillHold(...asked(text, [result(2 * DAY, verdict)]))
  expect(stands('any(performance, alarm)', 'alarm')).toBe(true)
  expect(stands('any(performance, alarm)', 'ok')).toBe(false)
  expect(stands('any(performance, alarm) and labels.new > 10', 'ok')).toBe(false)
  expect(stands('any(performance, alarm) and labels.new > 10', 'alarm')).toBe(true)
  expect(stands('any(performance, alarm) or labels.new > 10', 'ok')).toBe(true)
  expect(stands('not any(performance, alarm) and not silent(for="2h")', 'ok')).toBe(true)
  expect(stands('not any(performance, alarm) and not silent(for="2h")', 'alarm')).toBe(false)
})
