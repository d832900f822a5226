import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergedResolutions } from './mixed-resolutions.ts'
import { binned } from './log-histogram.ts'
import {
  coarsened,
  mergedSample,
  sampleSize,
  type BinnedSample,
} from '../../stats/samples/binned-sample.ts'
import { ksInterval } from '../../stats/distances/ks.ts'
import { spreadOf } from '../../stats/samples/moments.ts'
import { quantile } from '../../stats/samples/quantile.ts'
import { squaredDistances } from '../../stats/distances/squared-distances.ts'
import { wasserstein } from '../../stats/distances/wasserstein.ts'

const sampleOf = (values: readonly number[], resolution?: number): BinnedSample => {
  const own = binned(Float64Array.from(values), values.length, resolution)
  return {
    resolution: own.resolution,
    bins: [...own.bins],
    counts: [...own.counts],
    totals: [...own.totals],
    lows: [...own.lows],
    highs: [...own.highs],
  }
}
/** Every value a bin of its own. */
function atoms(values: readonly number[]): BinnedSample {
  const sorted = [...new Set(values)].toSorted((a, b) => a - b)
  const counts = sorted.map((x) => values.filter((y) => y === x).length)
  return {
    bins: sorted,
    counts,
    totals: sorted.map((x, i) => x * counts[i]!),
    lows: sorted,
    highs: sorted,
  }
}
const among = (n: number, of: (i: number) => number) => Array.from({ length: n }, (_, i) => of(i))
const kelvins = among(2000, (i) => 290 + (i % 200) / 40)

test('a coarse piece leaves the window as fine as the others are', () => {
  // Some values of the same range, and as many far away: its batch is counted coarsely.
  const piece = [...among(12, (i) => 290.1 + i / 3), ...among(12, (i) => 10 ** (i - 6))]
  const coarse = sampleOf(piece, 1)
  const fine = sampleOf(kelvins)
  expect(fine.resolution).toBeGreaterThan(1)
  expect(mergedSample([fine, coarse]).resolution).toBe(1)
  const merged = mergedResolutions([fine, coarse])
  expect(merged.resolution).toBe(fine.resolution)
  expect(sampleSize(merged)).toBeCloseTo(kelvins.length + piece.length, 6)
  // A shift that the coarse resolution, of bins two kelvins wide, does not see.
  expect(merged.unplaced?.share).toBeLessThan(0.01)
  const warmer = sampleOf(kelvins.map((x) => x + 0.4))
  expect(ksInterval(merged, warmer).low).toBeGreaterThan(0.05)
})

test('every value stays in a bin that holds it, whatever the pieces', () => {
  const value = fc.oneof(
    fc.double({ min: 270, max: 310, noNaN: true }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.integer({ min: -20, max: 20 }),
  )
  const piece = fc.tuple(
    fc.array(value, { minLength: 1, maxLength: 30 }),
    fc.integer({ min: 1, max: 4 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
      const merged = mergedResolutions(
        pieces.map(([values, resolution]) => sampleOf(values, resolution)),
      )
      if (merged.unplaced) return
      const all = sampleOf(
        pieces.flatMap(([values]) => values),
        merged.resolution,
      )
      expect(merged.bins).toEqual(all.bins)
      expect(merged.counts).toEqual(all.counts)
      merged.lows.forEach((low, i) => expect(low).toBeCloseTo(all.lows[i]!, 6))
      merged.totals.forEach((total, i) =>
        expect(total / merged.counts[i]!).toBeCloseTo(all.totals[i]! / all.counts[i]!, 6),
      )
    }),
  )
})

test('bounds hold the exact distances, wherever values were placed', () => {
  const value = fc.double({ min: 270, max: 310, noNaN: true })
  const pieces = fc.tuple(
    fc.array(value, { minLength: 600, maxLength: 800 }),
    fc.array(value, { minLength: 1, maxLength: 14 }),
  )
  let guesses = 0
  fc.assert(
    fc.property(
      pieces,
      fc.array(value, { minLength: 50, maxLength: 200 }),
      ([most, few], others) => {
        const merged = mergedResolutions([sampleOf(most, 3), sampleOf(few, 1)])
        if (merged.unplaced) guesses++
        const other = coarsened(sampleOf(others, 4), merged.resolution!)
        const all = [...most, ...few]
        const [a, b] = [atoms(all), atoms(others)]
        const within = ({ low, high }: { low: number; high: number }, exact: number) => {
          expect(low).toBeLessThanOrEqual(exact + 1e-9)
          expect(high).toBeGreaterThanOrEqual(exact - 1e-9)
        }
        within(ksInterval(merged, other), ksInterval(a, b).low)
        within(wasserstein(merged, other), wasserstein(a, b).value)
        for (const p of [0, 0.05, 0.5, 0.99, 1]) within(quantile(merged, p)!, quantile(a, p)!.value)
        within(spreadOf(merged), spreadOf(a).value)
        const [bounded, exact] = [squaredDistances(merged, other), squaredDistances(a, b)]
        within(bounded.cramerVonMises, exact.cramerVonMises.value)
        within(bounded.andersonDarling, exact.andersonDarling.value)
        within(bounded.energy, exact.energy.value)
        expect(sampleSize(merged)).toBeCloseTo(all.length, 6)
        expect([merged.lows[0], merged.highs.at(-1)]).toEqual([a.lows[0], a.highs.at(-1)])
      },
    ),
    { numRuns: 300 },
  )
  expect(guesses).toBeGreaterThan(0)
})

test('where many values share a coarse bin the merge is as coarse as they are', () => {
  const crowded = sampleOf(
    among(400, (i) => 290 + i / 100),
    1,
  )
  expect(mergedResolutions([sampleOf(kelvins), crowded]).resolution).toBe(1)
})
