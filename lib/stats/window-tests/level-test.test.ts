/**
 * Accuracies of windows, with and without a fall; the tables of `docs/alarms.md` are made by `npm
 * run alarms`.
 */
import { expect, test } from 'vitest'
import { accuracies } from '../../../bench/streams.ts'
import { levelTail, type Level } from './level-test.ts'
import { uniforms } from '../distributions/random.ts'

const tail = (levels: readonly Level[], reference: number, leastEffect: number) =>
  levelTail({
    reference: levels.slice(0, reference),
    history: levels.slice(reference),
    leastEffect,
    worse: -1,
  })

test.each([
  ['sampling alone', { windowNoise: 0, correlation: 0 }],
  ['noise between windows', { windowNoise: 0.04, correlation: 0 }],
  ['windows that follow one another', { windowNoise: 0.04, correlation: 0.5 }],
])('nothing has changed, %s: false alarms stay within alpha, whatever the effect', (_, s) => {
  const repetitions = 2000
  const uniform = uniforms(11)
  const alpha = 0.02
  for (const reference of [8, 16]) {
    let alarms = 0
    for (let r = 0; r < repetitions; r++)
      if (tail(accuracies(reference + 4, 300, s, uniform), reference, 0) <= alpha) alarms++
    expect(alarms / repetitions).toBeLessThan(
      alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / repetitions),
    )
  }
})

test('a fall that matters is seen, one that does not is none', () => {
  const noise = { windowNoise: 0.02, correlation: 0 }
  const uniform = uniforms(12)
  const share = (fall: number, leastEffect: number) => {
    const repetitions = 300
    let alarms = 0
    for (let r = 0; r < repetitions; r++) {
      const levels = accuracies(18, 300, noise, uniform, fall, 16)
      if (tail(levels, 16, leastEffect) <= 0.01) alarms++
    }
    return alarms / repetitions
  }
  expect(share(0.2, 0.05)).toBeGreaterThan(0.95)
  expect(share(0.05, 0.05)).toBeLessThan(0.03)
  expect(share(0.05, 0)).toBeGreaterThan(0.2)
})

test('which way is worse; both; a season; windows that never vary', () => {
  const level = (value: number, phase = 0): Level => ({ value, size: 100, standardError: 0, phase })
  const reference = [0.8, 0.82, 0.79, 0.81, 0.8, 0.78, 0.81, 0.8].map((value) => level(value))
  const p = (value: number, worse: 1 | -1 | 0) =>
    levelTail({ reference, history: [level(value)], leastEffect: 0, worse })
  expect(p(0.5, -1)).toBeLessThan(1e-4)
  expect(p(0.5, 1)).toBe(0.5)
  expect(p(0.5, 0)).toBeCloseTo(2 * p(0.5, -1), 12)
  expect(p(0.99, 1)).toBeLessThan(1e-3)

  const seasonal = Array.from({ length: 12 }, (_, i) =>
    level((i % 2 === 0 ? 0.9 : 0.6) + (i % 3) / 100, i % 2),
  )
  const season = { length: 2, phases: seasonal.map(({ phase }) => phase) }
  const inSeason = (value: number, phase: number) =>
    levelTail(
      { reference: seasonal, history: [level(value, phase)], leastEffect: 0, worse: -1 },
      season,
    )
  expect(inSeason(0.61, 1)).toBeGreaterThan(0.2)
  expect(inSeason(0.61, 0)).toBeLessThan(1e-4)

  const never = Array.from({ length: 8 }, () => level(1))
  expect(
    levelTail({ reference: never, history: [level(1)], leastEffect: 0, worse: -1 }),
  ).toBeGreaterThan(0.4)
  expect(
    levelTail({ reference: never, history: [level(0.9)], leastEffect: 0, worse: -1 }),
  ).toBeLessThan(1e-6)
})
