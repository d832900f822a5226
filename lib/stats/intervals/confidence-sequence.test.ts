/**
 * Looked at after every value: the share of runs in which a sequence ever misses stays within
 * alpha.
 */
import { expect, test } from 'vitest'
import { uniforms } from '../distributions/random.ts'
import {
  boundedMeanSequence,
  meanSequence,
  quantileLevels,
  sampleRatioPValue,
} from './confidence-sequence.ts'

const ALPHA = 0.05
/** Three standard errors above alpha. */
const within = (runs: number) => ALPHA + 3 * Math.sqrt((ALPHA * (1 - ALPHA)) / runs)

test.each([0.5, 0.9, 0.99])('the mean of outcomes that are 1 with probability %f', (p) => {
  const random = uniforms(Math.round(1000 * p))
  let misses = 0
  let width = 0
  for (let run = 0; run < 300; run++) {
    // All intervals so far hold the mean only if their intersection does.
    const { low, high } = boundedMeanSequence(
      Array.from({ length: 2000 }, () => (random() < p ? 1 : 0)),
      ALPHA,
    )
    if (low > p || high < p) misses++
    width += (high - low) / 300
  }
  expect(misses / 300).toBeLessThan(within(300))
  // And it says something: less than three times as wide as an interval that may be looked at once.
  expect(width).toBeLessThan(3 * 3.92 * Math.sqrt((p * (1 - p)) / 2000))
})

test('the mean of values without bounds, from 20 of them on', () => {
  const random = uniforms(7)
  let misses = 0
  for (let run = 0; run < 300; run++) {
    let n = 0
    let mean = 0
    let squares = 0
    let missed = false
    while (n < 2000 && !missed) {
      const value = -Math.log(random())
      const difference = value - mean
      mean += difference / ++n
      squares += difference * (value - mean)
      if (n < 20) continue
      const { low, high } = meanSequence({ n, mean, variance: squares / (n - 1) }, ALPHA)
      missed = low > 1 || high < 1
    }
    if (missed) misses++
  }
  expect(misses / 300).toBeLessThan(within(300))
})

test('a quantile, by the levels of the empirical ones', () => {
  const random = uniforms(11)
  let misses = 0
  for (let run = 0; run < 200; run++) {
    const values = new Float64Array(600)
    let missed = false
    for (let n = 1; n <= values.length && !missed; n++) {
      values[n - 1] = random()
      if (n % 5 !== 0) continue
      const ordered = values.slice(0, n).sort()
      const { low, high } = quantileLevels(0.9, n, ALPHA)
      const at = (p: number) => ordered[Math.min(n - 1, Math.floor(p * n))]!
      missed = (low >= 0 && at(low) > 0.9) || (high <= 1 && at(high) < 0.9)
    }
    if (missed) misses++
  }
  expect(misses / 200).toBeLessThan(within(200))
  const { low, high } = quantileLevels(0.9, 100_000, ALPHA)
  expect(high - low).toBeLessThan(0.02)
})

test('a fair split is seldom called unfair, however often one looks; an unfair one is found', () => {
  const random = uniforms(13)
  const ever = (p: number) => {
    const counts: [number, number] = [0, 0]
    for (let i = 0; i < 3000; i++) {
      counts[random() < p ? 0 : 1]++
      if (sampleRatioPValue(counts, 0.5) < ALPHA) return true
    }
    return false
  }
  const share = (p: number) =>
    Array.from({ length: 300 }, () => ever(p)).filter(Boolean).length / 300
  expect(share(0.5)).toBeLessThan(within(300))
  expect(share(0.55)).toBeGreaterThan(0.9)
})

test('2 150 of 20 000 units are told where a tenth was meant', () => {
  expect(sampleRatioPValue([2150, 17_850], 0.1)).toBeLessThan(0.02)
  expect(sampleRatioPValue([2040, 17_960], 0.1)).toBe(1)
})

/** Values by `scripts/golden/sequences.py`, confseq 0.0.11 on a grid of 4 000 means. */
test.each([
  [Array.from({ length: 300 }, (_, i) => ((i * 7) % 10 < 6 ? 1 : 0)), 0.5025, 0.703],
  [Array.from({ length: 500 }, (_, i) => ((i * 37) % 101) / 100), 0.45475, 0.5415],
])('betting sequences are those of confseq', (values, low, high) => {
  const own = boundedMeanSequence(values, ALPHA)
  for (const outside of [own.low - low, high - own.high]) {
    expect(outside).toBeGreaterThanOrEqual(0)
    expect(outside).toBeLessThanOrEqual(1 / 4000)
  }
})

test('nothing is known of nothing', () => {
  expect(boundedMeanSequence([], ALPHA)).toEqual({ low: 0, high: 1 })
  expect(meanSequence({ n: 1, mean: 3, variance: 0 }, ALPHA)).toEqual({
    low: -Infinity,
    high: Infinity,
  })
})
