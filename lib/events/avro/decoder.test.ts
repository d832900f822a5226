/** What avsc, the library, reads is what the decoder in place reads. */
import avsc from 'avsc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { avroDecoder } from './decoder.ts'
import { AvroError, MAX_DEPTH } from './input.ts'
import { FlatRecord } from '../flat-record.ts'

interface Case {
  schema: unknown
  value: unknown
}

/** avsc refuses longs that are longer. */
const LONGEST = 2 ** 52

/** avsc loses an entry of this name, as any plain object does; the decoder keeps it. */
const isKeptByAvsc = (key: string) => key !== '__proto__'

/** A schema, and a value of it as avsc takes it. Names are made distinct below. */
const { any } = fc.letrec<{ any: Case }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant({ schema: 'null', value: null }),
    fc.boolean().map((value) => ({ schema: 'boolean', value })),
    fc.integer().map((value) => ({ schema: 'int', value })),
    fc.integer({ min: -LONGEST, max: LONGEST }).map((value) => ({ schema: 'long', value })),
    fc.float({ noNaN: true }).map((value) => ({ schema: 'float', value })),
    fc.double({ noNaN: true }).map((value) => ({ schema: { type: 'double' }, value })),
    fc.string({ unit: 'grapheme' }).map((value) => ({ schema: 'string', value })),
    fc.uint8Array().map((bytes) => ({ schema: 'bytes', value: Buffer.from(bytes) })),
    fc.uint8Array({ minLength: 3, maxLength: 3 }).map((bytes) => ({
      schema: { type: 'fixed', size: 3 },
      value: Buffer.from(bytes),
    })),
    fc.constantFrom('a', 'b').map((value) => ({
      schema: { type: 'enum', symbols: ['a', 'b'] },
      value,
    })),
    fc.tuple(tie('any'), fc.nat({ max: 3 })).map(([{ schema, value }, length]) => ({
      schema: { type: 'array', items: schema },
      value: Array.from({ length }, () => value),
    })),
    fc
      .tuple(tie('any'), fc.uniqueArray(fc.string({ unit: 'grapheme' }).filter(isKeptByAvsc)))
      .map(([{ schema, value }, keys]) => ({
        schema: { type: 'map', values: schema },
        value: Object.fromEntries(keys.map((key) => [key, value])),
      })),
    fc
      .tuple(tie('any'), fc.boolean())
      .map(([{ schema, value }, isGiven]) =>
        schema === 'null'
          ? { schema, value }
          : Array.isArray(schema)
            ? { schema, value }
            : { schema: ['null', schema], value: isGiven ? value : null },
      ),
    fc.array(tie('any'), { maxLength: 4 }).map((fields) => ({
      schema: {
        type: 'record',
        fields: fields.map(({ schema }, i) => ({ name: `f${i}`, type: schema })),
      },
      value: Object.fromEntries(fields.map(({ value }, i) => [`f${i}`, value])),
    })),
  ),
}))

/** Every named type with a name of its own. */
function withNames(schema: unknown): unknown {
  let next = 0
  return JSON.parse(
    JSON.stringify(schema, (_, part: unknown) =>
      ['record', 'enum', 'fixed'].includes((part as { type?: string } | null)?.type ?? '')
        ? { name: `n${next++}`, ...(part as object) }
        : part,
    ),
  )
}

function asObjects(value: unknown): unknown {
  if (value instanceof FlatRecord)
    return Object.fromEntries(value.names.map((name, i) => [name, asObjects(value.values[i])]))
  return Array.isArray(value) ? value.map(asObjects) : value
}
/** avsc's records are of classes of their own. */
const plain = (value: unknown): unknown =>
  Buffer.isBuffer(value) || typeof value !== 'object' || value === null
    ? value
    : Array.isArray(value)
      ? value.map(plain)
      : Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))

test('any value of any schema', () => {
  fc.assert(
    fc.property(any, fc.nat({ max: 3 }), ({ schema: nameless, value }, before) => {
      const schema = withNames(nameless)
      const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: 'never' as never })
      const datum = type.toBuffer(value)
      const bytes = Buffer.concat([Buffer.alloc(before, 7), datum, Buffer.alloc(9, 7)])
      const decode = avroDecoder(schema)
      const found = decode(bytes, before, before + datum.length)
      expect(asObjects(found)).toEqual(plain(type.fromBuffer(datum)))
      // Again: what is kept of the value before must not show.
      expect(asObjects(decode(datum, 0, datum.length))).toEqual(asObjects(found))
    }),
    { numRuns: 2000 },
  )
})

const holdsLimit = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.values(value).some(holdsLimit)
    : Math.abs(Number(value)) === 2 ** 53

test('an int of more than 32 bits is none', () => {
  const read = (...bytes: number[]) =>
    avroDecoder('int')(Buffer.from(bytes), 0, bytes.length) as unknown
  expect(read(0xff, 0xff, 0xff, 0xff, 0x0f)).toBe(-(2 ** 31))
  expect(read(0xfe, 0xff, 0xff, 0xff, 0x0f)).toBe(2 ** 31 - 1)
  expect(() => read(0x80, 0x80, 0x80, 0x80, 0x10)).toThrow('an int of 2147483648 is longer')
  expect(() => read(128, 128, 128, 128, 128, 128, 128, 32)).toThrow('longer than 32 bits')
})

test('any bytes: a value that avsc reads too, or a refusal', () => {
  fc.assert(
    fc.property(any, fc.uint8Array({ maxLength: 40 }), ({ schema: nameless }, noise) => {
      const schema = withNames(nameless)
      const bytes = Buffer.from(noise)
      let found: unknown
      try {
        found = avroDecoder(schema)(bytes, 0, bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(AvroError)
        return
      }
      const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: 'never' as never })
      let theirs: unknown
      try {
        theirs = type.fromBuffer(bytes)
      } catch (error) {
        expect(String(error)).toMatch('precision loss')
        return
      }
      // avsc takes 2^53 for a number, which 2^53 + 1 would be too.
      if (holdsLimit(theirs)) return
      expect(asObjects(found)).toEqual(plain(theirs))
    }),
    { numRuns: 3000 },
  )
})

test('one map after another, with the same keys, more, fewer and others', () => {
  const schema = { type: 'map', values: 'int' }
  const type = avsc.Type.forSchema(schema as avsc.Schema)
  const decode = avroDecoder(schema)
  const maps = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer()))
  fc.assert(
    fc.property(maps, (given) => {
      const found = given.map((map) => {
        const datum = type.toBuffer(map)
        return decode(datum, 0, datum.length)
      })
      expect(found.map(asObjects)).toEqual(given)
    }),
  )
  // Written by hand: avsc takes no map that gives a key twice.
  const twice = Buffer.from([4, 2, 97, 2, 2, 97, 4, 0])
  expect(() => decode(twice, 0, twice.length)).toThrow('a map gives a key twice')
})

test('types by name, in namespaces, within themselves; blocks that say their size', () => {
  const schema = {
    type: 'record',
    name: 'node',
    namespace: 'a.b',
    fields: [
      { name: 'color', type: { type: 'enum', name: 'color', symbols: ['red', 'blue'] } },
      { name: 'again', type: 'color' },
      { name: 'next', type: ['null', 'a.b.node'] },
    ],
  }
  const value = { color: 'red', again: 'blue', next: { color: 'blue', again: 'red', next: null } }
  const datum = avsc.Type.forSchema(schema as avsc.Schema).toBuffer({
    ...value,
    next: value.next,
  })
  expect(asObjects(avroDecoder(schema)(datum, 0, datum.length))).toEqual(value)
  const sized = Buffer.from([3, 4, 2, 4, 0])
  expect(avroDecoder({ type: 'array', items: 'int' })(sized, 0, sized.length)).toEqual([1, 2])
})

test('schemas that are none, and more elements than there is room for', () => {
  expect(() => avroDecoder('nobody')).toThrow('the schema has no type nobody')
  expect(() => avroDecoder({ type: 'array' })).toThrow('a schema has no type')
  const endless = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f, 0])
  const nulls = avroDecoder({ type: 'array', items: 'null' })
  expect(() => nulls(endless, 0, endless.length)).toThrow('too many')
})

/** As Avro has longs. */
function longBytes(value: bigint): Buffer {
  let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; zigzag > 127n; zigzag >>= 7n) bytes.push(Number(zigzag & 127n) | 128)
  return Buffer.from([...bytes, Number(zigzag)])
}

test('longs of 64 bits: exact, a bigint where a number is not', () => {
  const decode = avroDecoder('long')
  const edges = [53n, 54n, 60n, 63n].flatMap((power) =>
    [-1n, 0n, 1n].flatMap((more) => [2n ** power + more, -(2n ** power) + more]),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.constantFrom(...edges.filter((n) => n === BigInt.asIntN(64, n))),
      ),
      (value) => {
        const bytes = longBytes(value)
        const found = decode(bytes, 0, bytes.length) as number | bigint
        expect(found).toBe(Number.isSafeInteger(Number(value)) ? Number(value) : value)
      },
    ),
    { numRuns: 2000 },
  )
  const endless = Buffer.alloc(40, 0xff)
  expect(() => decode(endless, 0, 40)).toThrow('a long is longer than 64 bits')
})

test('few bytes never stand for more values, or deeper ones, than an event may have', () => {
  // Each block claims a million elements that take no byte.
  const block = longBytes(1_000_000n)
  const blocks = Buffer.concat([...Array.from({ length: 1000 }, () => block), Buffer.from([0])])
  const nulls = avroDecoder({ type: 'array', items: 'null' })
  expect(() => nulls(blocks, 0, blocks.length)).toThrow('too many')
  // Each record is two of the next: 2^40 values without a byte.
  const laughs = (n: number): unknown => ({
    type: 'record',
    name: `r${n}`,
    fields:
      n === 0
        ? []
        : [
            { name: 'a', type: laughs(n - 1) },
            { name: 'b', type: `r${n - 1}` },
          ],
  })
  expect(() => avroDecoder(laughs(40))(Buffer.alloc(0), 0, 0)).toThrow('too many')
  const itself = { type: 'record', name: 'r', fields: [{ name: 'r', type: 'r' }] }
  expect(() => avroDecoder(itself)(Buffer.alloc(0), 0, 0)).toThrow('deeper')
  const list = { type: 'record', name: 'r', fields: [{ name: 'next', type: ['null', 'r'] }] }
  const chain = (length: number) => Buffer.concat([Buffer.alloc(length, 2), Buffer.from([0])])
  const decode = avroDecoder(list)
  expect(() => decode(chain(100_000), 0, 100_001)).toThrow('deeper')
  // What failed before leaves nothing behind.
  expect(decode(chain(MAX_DEPTH - 1), 0, MAX_DEPTH)).toBeInstanceOf(FlatRecord)
})
