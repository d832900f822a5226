import fc from 'fast-check'
import { expect, test } from 'vitest'
import { murmurHash3, xxHash32 } from './id-hash.ts'
import { createSeenIds } from './dedupe-set.ts'

/** The set by its definition: every stored id in order, and a search in the newest of them. */
function model(horizon: number) {
  let stored: number[] = []
  let range: number[] = []
  return {
    begin: () => (range = []),
    repeated: (id: number) => {
      if (range.includes(id) || (horizon > 0 && stored.slice(-horizon).includes(id))) return true
      range.push(id)
      return false
    },
    keep: () => {
      stored = [...stored, ...range]
      range = []
    },
  }
}

test('remembers as its definition says, through abandoned ranges, growth and forgetting', () => {
  const step = fc.record({ ids: fc.array(fc.nat(3000), { maxLength: 400 }), keep: fc.boolean() })
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1, 50, 700, 10_000),
      fc.array(step, { maxLength: 12 }),
      (horizon, steps) => {
        const seen = createSeenIds(horizon)
        const expected = model(horizon)
        for (const { ids, keep } of steps) {
          seen.begin()
          expected.begin()
          // Few different low bits: chains that collide.
          for (const id of ids) expect(seen.repeated(id << 16, id)).toBe(expected.repeated(id))
          if (keep) {
            seen.keep()
            expected.keep()
          }
        }
      },
    ),
    { numRuns: 200, seed: 5 },
  )
})

test.each([
  ['', 0x02cc5d05, 0],
  ['a', 0x550d7456, 0x3c2569b2],
  ['m/p-1', 0, 0],
])('hashes of %j', (text, xx, murmur) => {
  const bytes = Buffer.from(text)
  if (xx) expect(xxHash32(bytes)).toBe(xx)
  if (murmur) expect(murmurHash3(bytes)).toBe(murmur)
})
