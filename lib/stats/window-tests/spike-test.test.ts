/** What the spike test does to streams with and without a spike. */
import { expect, test } from 'vitest'
import { counted, feature, type StreamKind } from '../../../bench/streams.ts'
import { uniforms } from '../distributions/random.ts'
import { numericReference } from './window-reference.ts'
import { spikeTest } from './spike-test.ts'

const pOf = (windows: readonly Float64Array[]) => {
  const samples = windows.map((window) => counted(window))
  return spikeTest(numericReference(samples.slice(0, -1)), samples.at(-1)!)?.p ?? 1
}

test.each<[StreamKind, number]>([
  ['independent', 50],
  ['independent', 500],
  ['rows AR(1) 0.9', 500],
  ['window noise', 200],
])('nothing has changed, %s, %i rows: false alarms stay within 1 in 100', (kind, rows) => {
  const uniform = uniforms(21)
  const streams = 250
  let alarms = 0
  for (let s = 0; s < streams; s++) if (pOf(feature(kind, 9, rows, 0, uniform)) <= 0.01) alarms++
  expect(alarms / streams).toBeLessThanOrEqual(0.01 + 3 * Math.sqrt((0.01 * 0.99) / streams))
})

test('one new value in 5 % of 1 000 rows is found, wherever it lies; a shift of one deviation is no spike', () => {
  const uniform = uniforms(22)
  for (const value of [0.013, 0.4, 1.7, -0.9]) {
    const windows = feature('independent', 9, 1000, 0, uniform)
    windows[8] = windows[8]!.map((x, i) => (i % 20 === 0 ? value : x))
    expect(pOf(windows)).toBeLessThan(1e-6)
  }
  const shifted = feature('independent', 9, 1000, 0, uniform)
  shifted[8] = shifted[8]!.map((x) => x + 1)
  expect(pOf(shifted)).toBe(1)
})
