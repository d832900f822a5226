/** The fast reader of events reads what JSON.parse reads, or gives up. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FlatRecord } from '../flat-record.ts'
import { plainJsonReader } from './fast-reader.ts'

test('any object is read as JSON.parse reads it, or not at all', () => {
  const plain = (value: unknown): unknown =>
    value instanceof FlatRecord ? value.toObject() : value
  const read = plainJsonReader().event
  let taken = 0
  const scalar = fc.oneof(
    fc.string({ unit: fc.constantFrom('x', 'y', ' ') }),
    fc.string({ unit: fc.constantFrom('x', 'é', '😀') }),
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => Math.round(x * 1e4) / 1e4),
    fc.boolean(),
    fc.constant(null),
  )
  const names = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('a', 'b', 'feature_1', '1', 'é', '') },
    fc.constantFrom('a"b', 'constructor'),
  )
  const flat = fc.dictionary(names, scalar)
  fc.assert(
    fc.property(
      fc.dictionary(
        names,
        fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 4, arbitrary: flat }, fc.jsonValue()),
        { maxKeys: 3 },
      ),
      fc.constantFrom(0, 0, 0, 1),
      (object, indent) => {
        const text = JSON.stringify(object, null, indent)
        const found = read(Buffer.from(text))
        if (found === undefined) return
        taken++
        const parsed = JSON.parse(text) as object
        expect(Object.fromEntries(found.names.map((k, i) => [k, plain(found.values[i])]))).toEqual(
          parsed,
        )
      },
    ),
    { numRuns: 5000, seed: 11 },
  )
  expect(taken).toBeGreaterThan(400)
  for (const text of [
    '{"a":1,"a":2}',
    '{"f":{"a":1,"b":2,"a":3}}',
    '{"a":01}',
    '{"a":1.}',
    '{"a":-}',
    '{"a":1}x',
    '{"a":1,}',
    '{,}',
    '{"a" 1}',
    '{"a":tru}',
    '{"a":1e5}',
    '{"a":"\\n"}',
  ])
    expect(read(Buffer.from(text))).toBeUndefined()
})

test('numbers are the nearest doubles', () => {
  const read = plainJsonReader().event
  fc.assert(
    fc.property(
      fc.nat({ max: 1e9 }),
      fc.nat({ max: 999_999 }),
      fc.nat({ max: 12 }),
      fc.boolean(),
      (whole, part, zeros, negative) => {
        const text = `${negative ? '-' : ''}${whole}.${'0'.repeat(zeros)}${part}`
        expect(read(Buffer.from(`{"x":${text}}`))?.values).toEqual([Number(text)])
      },
    ),
    { numRuns: 5000 },
  )
})

test('an object of numbers may be empty, and never cut off', () => {
  const { flat } = plainJsonReader()
  expect(flat(Buffer.from('{}'))?.names).toEqual([])
  expect(flat(Buffer.from('{'))).toBeUndefined()
  expect(flat(Buffer.from('{"a":1}'))?.toObject()).toEqual({ a: 1 })
})
