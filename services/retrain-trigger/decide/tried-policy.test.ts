/** A policy that is tried decides as the service does, and says what held it back. */
import { expect, test } from 'vitest'
import type { LatestResult } from './condition-tests.ts'
import { parsedAlone } from './policies.ts'
import { tryPolicy, untoldTests } from './tried-policy.ts'

const DAY = 86_400_000
const parsed = (when: string, guards: object = {}) =>
  parsedAlone(
    {
      ...{ name: 'p', when, approval: 'none', cooldown: '0s', max_per_month: 100, ...guards },
      launch: { kind: 'webhook', url: 'http://127.0.0.1:9/' },
    } as unknown as Parameters<typeof parsedAlone>[0],
    '',
  )
/** One verdict a day, from day 1. */
const verdicts = (...all: LatestResult['verdict'][]) => ({
  windows: all.map((_, i) => ({
    windowEnd: (i + 1) * DAY,
    labels: 100 * (i + 1),
    predictions: 1000 * (i + 1),
  })),
  evidence: {
    results: all.map((verdict, i) => ({
      windowEnd: (i + 1) * DAY,
      ...{
        family: 'drift',
        metric: 'psi',
        subject: 'x',
        verdict,
        value: i,
        slice: '',
        version: '',
      },
    })),
    values: [],
  },
})
const told = (policy: ReturnType<typeof parsed>, trial: ReturnType<typeof verdicts>) =>
  tryPolicy(policy)(trial).map(({ windowEnd, launches }) => [windowEnd / DAY, launches])

test('it launches where its condition holds, and counts results anew after each launch', () => {
  const trial = verdicts('ok', 'alarm', 'alarm', 'alarm', 'ok', 'alarm', 'alarm')
  expect(told(parsed('any(drift.psi, alarm, for=2)'), trial)).toEqual([
    [3, true],
    [7, true],
  ])
})

test('the cool-down and the monthly cap hold launches back, and say so', () => {
  const trial = verdicts('alarm', 'alarm', 'alarm', 'alarm')
  const cooled = tryPolicy(parsed('any(drift.psi, alarm)', { cooldown: '2d' }))(trial)
  expect(cooled.map(({ launches }) => launches)).toEqual([true, false, true, false])
  expect(cooled[1]!.reason).toContain('cooling down for 2d')
  const capped = tryPolicy(parsed('any(drift.psi, alarm)', { max_per_month: 1 }))(trial)
  expect(capped.map(({ launches }) => launches)).toEqual([true, false, false, false])
  expect(capped[1]!.reason).toContain('1 runs in 30 days, of 1 allowed')
})

test('labels and predictions count from the last launch', () => {
  const trial = verdicts('ok', 'ok', 'ok', 'ok', 'ok', 'ok')
  expect(told(parsed('labels.new > 250'), trial)).toEqual([
    [3, true],
    [6, true],
  ])
  expect(told(parsed('predictions.new > 3500'), trial)).toEqual([[4, true]])
})

test('what stored windows cannot answer is told, and taken not to hold', () => {
  const policy = parsed('any(drift.psi, alarm) or schedule("0 3 * * *") or alert("Late")')
  expect(untoldTests(policy)).toEqual(['schedule', 'alert'])
  expect(told(policy, verdicts('ok', 'alarm'))).toEqual([[2, true]])
  expect(untoldTests(parsed('any(drift.psi, alarm)'))).toEqual([])
})

test('parts are one trial: what an earlier one launched counts in the next', () => {
  const { windows, evidence } = verdicts('alarm', 'alarm', 'ok', 'alarm', 'alarm', 'alarm')
  for (const when of ['any(drift.psi, alarm, for=2)', 'labels.new > 250']) {
    const policy = parsed(when, { cooldown: '2d' })
    const next = tryPolicy(policy)
    const inParts = [0, 1, 2, 3, 4, 5].flatMap((i) =>
      next({ windows: windows.slice(i, i + 1), evidence }),
    )
    expect(inParts).toEqual(tryPolicy(policy)({ windows, evidence }))
    expect(inParts.length).toBeGreaterThan(1)
  }
})
