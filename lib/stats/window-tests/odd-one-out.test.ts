/** Units that differ by nature raise no alarm; one that is unlike them does. */
import { expect, test } from 'vitest'
import { normalQuantile } from '../distributions/normal-quantile.ts'
import { uniforms } from '../distributions/random.ts'
import { oddOnesOut, unitNoise, type UnitMean } from './odd-one-out.ts'

const STREAMS = 3000

/** Windows of units whose means differ by `between` standard deviations of a value. */
function stream(seed: number, { units, sizes, between, windows }: Setting) {
  const uniform = uniforms(seed)
  const normal = () => normalQuantile(Math.min(1 - 1e-12, Math.max(1e-12, uniform())))
  const unit = (i: number, shift = 0): UnitMean => {
    const size = sizes[i % sizes.length]!
    return { size, mean: shift + between * normal() + normal() / Math.sqrt(size), variance: 1 }
  }
  const window = () => Array.from({ length: units }, (_, i) => unit(i))
  return { reference: Array.from({ length: windows }, window), window: window(), unit }
}
interface Setting {
  units: number
  sizes: number[]
  between: number
  windows: number
}

const rateOf = (setting: Setting, alpha: number, odd = 0) => {
  let found = 0
  for (let seed = 1; seed <= STREAMS; seed++) {
    const { reference, window, unit } = stream(seed, setting)
    if (odd > 0) window[0] = unit(0, odd)
    const tests = oddOnesOut(window, [], unitNoise(reference), 0)
    found += Math.min(...tests.map(({ p }) => p)) * tests.length <= alpha ? 1 : 0
  }
  return found / STREAMS
}

test.each([
  { units: 2, sizes: [200], between: 0, windows: 8 },
  { units: 3, sizes: [50, 500], between: 0, windows: 8 },
  { units: 12, sizes: [30, 100, 400], between: 0, windows: 8 },
  { units: 3, sizes: [500], between: 0.05, windows: 8 },
  { units: 3, sizes: [50, 500], between: 0.3, windows: 8 },
  { units: 12, sizes: [30, 100, 400], between: 0.1, windows: 8 },
  { units: 40, sizes: [100], between: 0.5, windows: 8 },
])('false alarms of $units units, $sizes values, differing by $between', (setting) => {
  // Three standard errors of a rate of alpha over so many streams above it.
  for (const alpha of [0.05, 0.01])
    expect(rateOf(setting, alpha)).toBeLessThanOrEqual(
      alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / STREAMS),
    )
})

test('one unit that is unlike the others is found, where units differ by nature too', () => {
  const setting = { units: 12, sizes: [400], between: 0.05, windows: 8 }
  expect(rateOf(setting, 0.001, 0.5)).toBeGreaterThan(0.95)
})

test('a unit that holds all there is has nothing to differ from', () => {
  expect(
    oddOnesOut([{ size: 9, mean: 1, variance: 1 }], [], { ratio: 0, error: 0, degrees: 8 }, 0),
  ).toEqual([{ p: 1, difference: 0 }])
})
