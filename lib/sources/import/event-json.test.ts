/** Events are written as `JSON.stringify` writes them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FlatRecord } from '../../events/flat-record.ts'
import { jsonWriter } from './event-json.ts'

const value = fc.oneof(
  { weight: 4, arbitrary: fc.double() },
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
)
const records = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), value), {
  selector: ([name]) => name,
  maxLength: 8,
})
/** Names as they stand, `__proto__` among them. */
const recordOf = (members: readonly (readonly [string, unknown])[]) =>
  new FlatRecord(
    members.map(([name]) => name),
    members.map(([, given]) => given),
    members.every(([, given]) => Number.isFinite(given)),
  )
const written = (members: readonly (readonly [string, unknown])[]) =>
  `{${members.map(([name, given]) => `${JSON.stringify(name)}:${JSON.stringify(given)}`).join(',')}}`

test('any record is written so, of numbers alone and of all kinds', () => {
  fc.assert(
    fc.property(records, fc.array(fc.double(), { maxLength: 5 }), (members, numbers) => {
      const write = jsonWriter()
      expect(write(recordOf(members))).toBe(written(members))
      const features = numbers.map((number, i) => [`f${i}`, number] as const)
      const nested = [...members, ['\n features', recordOf(features)] as const]
      expect(write(recordOf(nested))).toBe(
        `${written(members).slice(0, -1)}${members.length > 0 ? ',' : ''}"\\n features":${written(features)}}`,
      )
    }),
  )
})

test('numbers that JSON writes in its own way, and fields that are absent', () => {
  const numbers = [-0, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-7, 5e-324, 2 ** 53]
  const members = numbers.map((number, i) => [`f${i}`, number] as const)
  expect(jsonWriter()(recordOf(members))).toBe(written(members))
  expect(
    jsonWriter()(
      recordOf([
        ['a', 1],
        ['b', undefined],
        ['c', 2],
      ]),
    ),
  ).toBe('{"a":1,"c":2}')
  expect(jsonWriter()(recordOf([]))).toBe('{}')
})
