import fc from 'fast-check'
import { expect, test } from 'vitest'
import { binOf } from './log-histogram.ts'
import { gridOf, highKeys, lowKeys, storedBins } from './stored-bins.ts'

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const resolution = fc.integer({ min: 1, max: 10 })

test('a key comes back from its two columns, each of which is of 32 bits', () => {
  fc.assert(
    fc.property(finite, resolution, (value, g) => {
      const key = binOf(value, g)
      const [low] = lowKeys(Float64Array.of(key), g)
      const high = highKeys(Float64Array.of(key), g)?.[0] ?? 0
      expect([low! | 0, high | 0]).toEqual([low! + 0, high + 0])
      const { bins } = storedBins(gridOf(g), [high * 2 ** 24 + low!])
      expect(bins[0]! - key).toBe(0)
    }),
    { numRuns: 1000 },
  )
})

test('keys of 32-bit floats are read as if they had been counted today', () => {
  const asFloat = new Float32Array(1)
  const asBits = new Int32Array(asFloat.buffer)
  const former = (value: number, g: number) => {
    asFloat[0] = value
    const bin = (asBits[0]! & 0x7fffffff) >> (20 - 4 * g)
    return value < 0 ? -bin : bin
  }
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      for (const g of [1, 2, 3, 4]) {
        const { resolution: own, bins } = storedBins(g, [former(value, g)])
        expect(own).toBe(g)
        // The least numbers of 32 bits are counted as zero.
        expect(bins[0]! - (Math.abs(value) < 2 ** -126 ? 0 : binOf(value, g))).toBe(0)
      }
    }),
  )
})
