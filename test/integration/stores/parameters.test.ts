/**
 * What callers give a statement stays a value, whatever is in it and whoever else asks at the same
 * time.
 */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { migratedClickHouse } from '../../harness.ts'

let opened: Awaited<ReturnType<typeof migratedClickHouse>>
beforeAll(async () => {
  opened = await migratedClickHouse()
})

test('strings, arrays, numbers and nulls come back as they were, from several connections at once', async () => {
  const connections = ['a', 'b', 'c'].map((role) => opened.engine.connect(role))
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.constantFrom(
      "'",
      '\\',
      "\\'",
      '\t',
      '\n',
      '\0',
      '\u0001',
      "'); DROP TABLE labels; --",
      '\\N',
      '{x:String}',
      '☃',
    ),
  )
  const cases = fc.sample(
    fc.record({
      x: text,
      many: fc.array(text, { maxLength: 4 }),
      n: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      maybe: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    }),
    { numRuns: 400, seed: 5 },
  )
  const found = await Promise.all(
    cases.map((given, i) =>
      connections[i % connections.length]!.query(
        'SELECT {x:String} AS x, {many:Array(String)} AS many, {n:UInt32} AS n, {maybe:Nullable(Float64)} AS maybe',
        given,
      ),
    ),
  )
  expect(found).toEqual(
    cases.map((given) => [{ ...given, maybe: given.maybe === 0 ? 0 : given.maybe }]),
  )
})

test('a statement that fails leaves the next one its own parameters', async () => {
  const { db } = opened
  const results = await Promise.allSettled([
    db.query('SELECT {x:UInt8} AS x', { x: 'no number' }),
    db.query('SELECT {x:UInt8} AS x', { x: 7 }),
    db.query('SELECT {y:String} AS y FROM nowhere', { y: 'z' }),
    db.query('SELECT {y:String} AS y', { y: 'w' }),
    db.query('SELECT 1 AS one'),
  ])
  expect(results.map(({ status }) => status)).toEqual([
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ])
  expect((results[1] as PromiseFulfilledResult<unknown>).value).toEqual([{ x: 7 }])
  expect((results[3] as PromiseFulfilledResult<unknown>).value).toEqual([{ y: 'w' }])
})
