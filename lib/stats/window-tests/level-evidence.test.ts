/**
 * Evidence of windows adds up, and says nothing where nothing has changed; the tables of
 * `docs/alarms.md` are made by `npm run alarms`.
 */
import { expect, test } from 'vitest'
import { accuracies, type AccuracyStream } from '../../../bench/streams.ts'
import { uniforms } from '../distributions/random.ts'
import { normalTail } from '../distributions/normal-tail.ts'
import { chiSquaredSurvival } from '../distributions/chi-squared.ts'
import {
  byItself,
  evidenceTail,
  isLasting,
  jointEvidence,
  levelEvidence,
} from './level-evidence.ts'
import type { Level } from './level-test.ts'

const ALPHA = 0.0089

const evidenceOf = (reference: readonly Level[], history: readonly Level[], alpha = ALPHA) =>
  levelEvidence({ reference, history, leastEffect: 0.02, worse: -1, alpha })!

/** Which of the windows after the reference alarm. */
const alarmsOf = (levels: readonly Level[], windows: number) =>
  levels
    .slice(windows)
    .map(
      (_, t, later) =>
        evidenceTail(evidenceOf(levels.slice(0, windows), later.slice(0, t + 1))) <= ALPHA,
    )

const SAMPLING: AccuracyStream = { windowNoise: 0, correlation: 0 }

test.each([
  ['sampling alone', SAMPLING, 320, 1],
  ['noise of half of the sampling', { windowNoise: 0.015, correlation: 0 }, 320, 1],
  ['noise as large as the sampling', { windowNoise: 0.022, correlation: 0 }, 320, 1],
  ['noise that hides the sampling', { windowNoise: 0.04, correlation: 0 }, 1000, 1],
  // Eight windows of few cases do not show that noise lasts.
  ['noise that half stays', { windowNoise: 0.04, correlation: 0.5 }, 1000, 2],
] as const)(
  'nothing has changed, %s: episodes stay within the budget',
  (_, stream, size, times) => {
    const uniform = uniforms(21)
    const streams = 400
    const later = 12
    let episodes = 0
    for (let s = 0; s < streams; s++) {
      const alarms = alarmsOf(accuracies(8 + later, size, stream, uniform), 8)
      alarms.forEach((alarm, t) => {
        if (alarm && !alarms[t - 1] && !alarms[t - 2]) episodes++
      })
    }
    const expected = times * ALPHA * streams * later
    expect(episodes).toBeLessThan(expected + 3 * Math.sqrt(expected))
  },
)

test.each([
  ['7 points at 320 cases within three windows', 320, 0.07, 3, 0.7],
  ['7 points at 320 cases within eight', 320, 0.07, 8, 0.9],
  ['5 points at 1 000 cases in the first', 1000, 0.05, 1, 0.65],
  ['5 points at 1 000 cases within four', 1000, 0.05, 4, 0.9],
  ['3 points at 5 000 cases within four', 5000, 0.03, 4, 0.9],
])('a fall is seen: %s', (_, size, fall, within, floor) => {
  const uniform = uniforms(22)
  const streams = 200
  let seen = 0
  for (let s = 0; s < streams; s++) {
    const levels = accuracies(8 + within, size, SAMPLING, uniform, fall, 8)
    if (alarmsOf(levels, 8).some(Boolean)) seen++
  }
  expect(seen / streams).toBeGreaterThan(floor)
})

const level = (value: number, size = 320): Level => ({
  value,
  size,
  standardError: Math.sqrt(0.17 / size),
  phase: 0,
})
const usual = [0.79, 0.77, 0.785, 0.775, 0.78, 0.78, 0.795, 0.765].map((value) => level(value))

test('a lasting fall that no single window shows alarms, goes on, and ends with the fall', () => {
  const fallen = [0.727, 0.732, 0.725, 0.73, 0.724, 0.735, 0.728, 0.726].map((value) =>
    level(value),
  )
  const single = fallen.map((now) => evidenceTail({ ...evidenceOf(usual, [now]), lasting: 0 }))
  expect(Math.min(...single)).toBeGreaterThan(ALPHA)
  const tails = fallen.map((_, t) => evidenceTail(evidenceOf(usual, fallen.slice(0, t + 1))))
  expect(tails[0]).toBeGreaterThan(ALPHA)
  const first = tails.findIndex((p) => p <= ALPHA)
  expect(first).toBeLessThan(7)
  expect(tails.slice(first).every((p) => p <= ALPHA)).toBe(true)
  const evidence = evidenceOf(usual, fallen)
  expect(isLasting(evidence)).toBe(true)
  expect(evidence.windows).toBeGreaterThan(3)
  const back = [0.78, 0.785, 0.78].map((value) => level(value))
  expect(evidenceTail(evidenceOf(usual, [...fallen, ...back]))).toBeGreaterThan(ALPHA)
})

test('what is better, or within the smallest effect, is no evidence', () => {
  for (const value of [0.9, 0.78, 0.765]) {
    const history = Array.from({ length: 12 }, () => level(value, 100_000))
    const reference = usual.map(({ value: x }) => level(x, 100_000))
    expect(evidenceTail(evidenceOf(reference, history))).toBe(1)
  }
})

test('both ways; a season; without sampling there is none', () => {
  const both = (value: number) =>
    levelEvidence({
      reference: usual,
      history: [level(value), level(value)],
      leastEffect: 0.02,
      worse: 0,
      alpha: ALPHA,
    })!
  expect(evidenceTail(both(0.65))).toBeLessThan(1e-3)
  expect(evidenceTail(both(0.91))).toBeLessThan(1e-3)
  expect(evidenceTail(both(0.78))).toBe(1)

  const seasonal = Array.from({ length: 12 }, (_, i) => ({
    ...level((i % 2 === 0 ? 0.9 : 0.6) + (i % 3) / 100),
    phase: i % 2,
  }))
  const season = { length: 2, phases: seasonal.map(({ phase }) => phase) }
  const inSeason = (value: number, phase: number) =>
    levelEvidence(
      {
        reference: seasonal,
        history: [{ ...level(value), phase }],
        leastEffect: 0.02,
        worse: -1,
        alpha: ALPHA,
      },
      season,
    )!.window
  expect(inSeason(0.61, 1)).toBeGreaterThan(0.2)
  expect(inSeason(0.61, 0)).toBeLessThan(1e-4)

  const unknown = usual.map((own) => ({ ...own, standardError: 0 }))
  expect(
    levelEvidence({
      reference: unknown,
      history: usual,
      leastEffect: 0.02,
      worse: -1,
      alpha: ALPHA,
    }),
  ).toBeUndefined()
})

test('evidence without end stays a number', () => {
  const history = Array.from({ length: 16 }, () => level(0.01, 1e7))
  const { window, lasting, windows } = evidenceOf(
    usual.map((own) => level(own.value, 1e7)),
    history,
  )
  expect(window).toBeLessThan(1e-6)
  expect(lasting).toBeGreaterThan(1e6)
  expect(Number.isFinite(lasting)).toBe(true)
  expect(windows).toBeGreaterThan(0)
  expect(evidenceTail({ window: 0, lasting: Infinity })).toBeGreaterThan(0)
})

test('numbers that say the same together say it once', () => {
  const one = { window: 0.004, lasting: 50, windows: 3 }
  const same = jointEvidence([one, one, one], [0.5, 0.25, 0.25])
  expect(same.window).toBeCloseTo(0.004, 12)
  expect(same.lasting).toBe(50)
  const none = { window: 1, lasting: 0, windows: 1 }
  expect(jointEvidence([one, none], [0.5, 0.5]).window).toBeCloseTo(0.008, 4)
  expect(jointEvidence([one, none], [0.5, 0.5]).lasting).toBe(25)
  expect(evidenceTail(byItself(0.03))).toBeCloseTo(0.03, 12)
})

test('the tail of the normal distribution, as that of chi-squared has it', () => {
  for (const z of [0.1, 1, 1.96, 3, 5, 8]) {
    const expected = chiSquaredSurvival(z * z, 1) / 2
    expect(Math.abs(normalTail(z) / expected - 1)).toBeLessThan(2e-7)
    expect(normalTail(-z)).toBeCloseTo(1 - expected, 7)
  }
})
