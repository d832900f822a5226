import fc from 'fast-check'
import { expect, test } from 'vitest'
import { elementsOf } from './split-array.ts'

test('the slices of an array are its elements', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 1, 2), (elements, indent) => {
      const text = JSON.stringify(elements, null, indent)
      const slices = elementsOf(Buffer.from(text), 0)!.map(
        (bytes) => JSON.parse(bytes.toString()) as unknown,
      )
      expect(slices).toEqual(JSON.parse(text))
    }),
    { numRuns: 500 },
  )
})
