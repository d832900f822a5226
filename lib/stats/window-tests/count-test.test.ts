/** Counts that are usual do not alarm, whatever spreads them; silence does. */
import { expect, test } from 'vitest'
import { normalQuantile } from '../distributions/normal-quantile.ts'
import { uniforms } from '../distributions/random.ts'
import { countTail } from './count-test.ts'

const uniform = uniforms(7)
const normal = () => normalQuantile(Math.max(1e-12, uniform()))

/** A Poisson draw: by exponential waits below 500, by the normal beyond. */
function poisson(mean: number): number {
  if (mean > 500) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
  let events = -1
  for (let waited = 0; waited < mean; events++) waited -= Math.log(1 - uniform())
  return events
}

const rates: [string, () => number][] = [
  ['Poisson, mean 5', () => poisson(5)],
  ['Poisson, mean 1 000', () => poisson(1000)],
  ['rates that vary by a factor', () => poisson(1000 * Math.exp(0.5 * normal()))],
  ['rates that vary by large factors', () => poisson(200 * Math.exp(1.2 * normal()))],
  ['half of the windows nearly empty', () => poisson(uniform() < 0.5 ? 2 : 300)],
]

test.each(rates)('%s: at most a hundredth of the windows falls below p 0.01', (_, draw) => {
  const trials = 4000
  let alarms = 0
  for (let i = 0; i < trials; i++) {
    const before = Array.from({ length: i % 2 === 0 ? 8 : 30 }, draw)
    if (countTail(draw(), before)! < 0.01) alarms++
  }
  // Three standard deviations of a share of 0.01 above it.
  expect(alarms / trials).toBeLessThan(0.01 + 3 * Math.sqrt((0.01 * 0.99) / trials))
})

test('silence where many events are usual is certain after eight windows', () => {
  const before = Array.from({ length: 8 }, () => poisson(1000))
  expect(countTail(0, before)).toBeLessThan(1e-6)
  expect(countTail(3000, before)).toBeLessThan(1e-6)
})

test('silence where few events are usual says little', () => {
  expect(countTail(0, [3, 1, 2, 4, 0, 2, 3, 1])).toBeGreaterThan(0.1)
})

test('a night that is always silent is usual', () => {
  const before = Array.from({ length: 24 }, (_, hour) => (hour % 24 < 8 ? 0 : 1000))
  expect(countTail(0, before)).toBeGreaterThan(0.1)
})

test('too few windows, or none with an event, say nothing; equal counts allow for Poisson’s noise', () => {
  expect(countTail(0, [5, 5, 5])).toBeUndefined()
  expect(countTail(0, [0, 0, 0, 0, 0, 0, 0, 0])).toBeUndefined()
  expect(countTail(101, [100, 100, 100, 100, 100, 100, 100, 100])).toBeGreaterThan(0.5)
  expect(
    countTail(
      1e9,
      Array.from({ length: 9 }, () => 1e9),
    ),
  ).toBeGreaterThan(0.9)
})
