/** A policy that is tried decides as the service does, and says what held it back. */
import { expect, test } from 'vitest'
import type { LatestResult } from './condition-tests.ts'
import { parsedAlone } from './policies.ts'
import { tryPolicy, type Moment } from './tried-policy.ts'

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
  tryPolicy(policy)(trial).map(({ at, launches }) => [at / DAY, launches])

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

const tick = (at: number): Moment => ({
  at,
  occasion: { kind: 'tick', cron: '0 12 * * *', timezone: 'UTC' },
})
const SCHEDULE = 'schedule("0 12 * * *")'
const days = (
  policy: ReturnType<typeof parsed>,
  part: Parameters<ReturnType<typeof tryPolicy>>[0],
) => tryPolicy(policy)(part).map(({ at, occasion, launches }) => [at / DAY, occasion, launches])

test('ticks are asked about the newest window, between windows, and count with them', () => {
  const trial = {
    ...verdicts('ok', 'alarm', 'ok'),
    moments: [1.5, 2.5, 3.5].map((d) => tick(d * DAY)),
  }
  expect(days(parsed(`any(drift.psi, alarm) and ${SCHEDULE}`), trial)).toEqual([
    [2.5, 'tick', true],
  ])
  expect(days(parsed(`any(drift.psi, alarm) or ${SCHEDULE}`, { cooldown: '1d' }), trial)).toEqual([
    [1.5, 'tick', true],
    // By the clock of the stream, where the tick stands at its window; the next tick is by the wall's.
    [2, 'window', true],
    [2.5, 'tick', false],
    [3.5, 'tick', true],
  ])
  // Before the first window there is nothing that could hold, but for the tick alone.
  const before = { ...verdicts('alarm'), moments: [tick(DAY / 2)] }
  expect(days(parsed(`any(drift.psi, alarm) and ${SCHEDULE}`), before)).toEqual([])
  expect(days(parsed(SCHEDULE), { ...verdicts(), moments: [tick(DAY / 2)] })).toEqual([
    [0.5, 'tick', true],
  ])
})

test('an alert that flaps launches once an hour, and another name none', () => {
  const came = [0, 1, 30, 61].map((minutes) => ({
    at: DAY + minutes * 60_000,
    occasion: { kind: 'alert', name: 'Late' } as const,
  }))
  const decided = tryPolicy(parsed('alert("Late")'))({ ...verdicts('ok'), moments: came })
  expect(decided.map(({ launches }) => launches)).toEqual([true, false, false, true])
  expect(decided[1]!.reason).toContain('within the last hour')
  expect(tryPolicy(parsed('alert("Early")'))({ ...verdicts('ok'), moments: came })).toEqual([])
})

test('each silence and each verdict of a canary launches once', () => {
  const canary = { run_id: 'r', version: '8', decision: 'worse', place: 1, share: 5 } as const
  const news = (at: number): Moment => ({ at, occasion: { kind: 'news' } })
  const trial = { ...verdicts('ok', 'ok', 'ok'), moments: [news(1.2 * DAY), news(2.6 * DAY)] }
  const silent = tryPolicy(parsed('silent(for="2h")'), {
    standing: (at) => ({
      silentSince: at < 2.2 * DAY ? DAY : at < 2.5 * DAY ? undefined : 2.5 * DAY,
    }),
  })(trial)
  expect(silent.map(({ at, launches }) => [at / DAY, launches])).toEqual([
    [1.2, true],
    [2.6, true],
  ])
  const worse = tryPolicy(parsed('canary == worse'), {
    standing: (at) => (at < 2.6 * DAY ? {} : { canary }),
  })(trial)
  expect(worse).toMatchObject([{ at: 2.6 * DAY, launches: true, occasion: 'news' }])
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
