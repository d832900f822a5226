import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonSplitter } from './json-elements.ts'

/** Splits a text that comes in chunks of some sizes. */
function split(text: string, sizes: readonly number[], maxBytes = 1000) {
  const bytes = Buffer.from(text)
  const splitter = jsonSplitter(maxBytes)
  const found: (string | undefined)[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    for (const one of splitter.push(bytes.subarray(at, at + size))) found.push(one?.toString())
    at += size
  }
  for (const one of splitter.end()) found.push(one?.toString())
  return found
}

test('lines and arrays give the same messages, however they are cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 6 }), sizes, (values, of) => {
      const objects = values.map((value) => ({ value }))
      const read = (found: (string | undefined)[]) =>
        found.map((one) => JSON.parse(one ?? '') as unknown)
      const wanted = JSON.parse(JSON.stringify(objects)) as unknown
      const lines = objects.map((one) => JSON.stringify(one)).join('\n')
      expect(read(split(lines, of, 1e6))).toEqual(wanted)
      expect(read(split(JSON.stringify(objects), of, 1e6))).toEqual(wanted)
      expect(read(split(JSON.stringify(objects, undefined, 2), of, 1e6))).toEqual(wanted)
    }),
  )
})

test('blank lines are none, a byte order mark is no message, and what is no JSON is one', () => {
  expect(split('\ufeff\n{"a":1}\r\n\n  \ngarbage"\n{"b":2}', [7])).toEqual([
    '{"a":1}\r',
    'garbage"',
    '{"b":2}',
  ])
  expect(split('', [1])).toEqual([])
  expect(split('[]', [1])).toEqual([])
})

test('a message that is too large is told, and its neighbours are kept', () => {
  const large = `"${'x'.repeat(2000)}"`
  expect(split(`1\n${large}\n2`, [100])).toEqual(['1', undefined, '2'])
  expect(split(`[1,${large},2]`, [100])).toEqual(['1', undefined, '2'])
})

test('an array that does not end is a fault', () => {
  expect(() => split('[{"a":1},{"a"', [3])).toThrow('the array does not end')
})
