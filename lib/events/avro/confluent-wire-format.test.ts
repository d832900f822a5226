/** An event in Avro is validated as the same event in JSON is. */
/* oxlint-disable max-lines -- one place for all that an event in Avro may be */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import avsc from 'avsc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { avroReader, MAX_SCHEMAS_PER_RANGE } from './confluent-wire-format.ts'
import { createValidator, type ValidationResult } from '../validator.ts'
import type { LoggedMessage } from '../../event-log/port.ts'
import { messageReader } from '../decode-message.ts'
import { FlatRecord } from '../flat-record.ts'
import { RegistryAway } from './registry-transport.ts'
import type { RegisteredSchema, SchemaRegistry } from './schema-registry.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { prediction, ROOT } from '../../../test/servers/processes.ts'

const PUBLISHED = readFileSync(join(ROOT, 'schemas/avro/prediction.v1.avsc'), 'utf8')

/**
 * What becomes of a record written with a schema.
 *
 * @param written by another that is the same on the wire
 */
async function validated(
  schema: string,
  record: object,
  written = schema,
): Promise<ValidationResult> {
  const type = avsc.Type.forSchema(JSON.parse(written) as avsc.Schema)
  return read({ schema, type: 'AVRO', references: 0 }, type.toBuffer(record))
}

const messageOf = (id: number, datum: Buffer): LoggedMessage => {
  const value = Buffer.concat([Buffer.alloc(5), datum])
  value.writeInt32BE(id, 1)
  return { offset: 0, timestampMs: 0, key: Buffer.alloc(0), value }
}

const registryOf = (byId: SchemaRegistry['byId']) => ({ byId }) as SchemaRegistry

/** What becomes of a datum of schema 7. */
async function read(
  found: RegisteredSchema | 'too_large' | undefined,
  datum: Buffer,
): Promise<ValidationResult> {
  const message = messageOf(7, datum)
  const reader = messageReader(avroReader(registryOf(async () => found)))
  await reader.prepare([message])
  return reader.read(message, createValidator(PredictionV1))
}

const plain = (value: unknown): unknown => {
  if (value instanceof Date) return value.toISOString()
  return value instanceof FlatRecord ? value.toObject() : value
}

/**
 * Result without what Avro cannot tell from a missing field, and with maps as the objects they are.
 */
function told(verdict: ValidationResult): unknown {
  if (!verdict.ok) return verdict.rejection
  const given = Object.entries(verdict.event.toObject()).filter(([, value]) => value !== null)
  return Object.fromEntries(given.map(([name, value]) => [name, plain(value)]))
}

const scalar = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.string({ unit: 'grapheme' }),
)

test('one event, in JSON and by the published schema: one verdict', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        prediction_id: fc.oneof(fc.uuid(), fc.constantFrom('', 'é\u0000')),
        at: fc.date({
          noInvalidDate: true,
          min: new Date('1980-01-01'),
          max: new Date('2110-01-01'),
        }),
        features: fc.dictionary(fc.string({ minLength: 1 }), scalar),
        score: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      }),
      async ({ prediction_id, at, features, score: drawn }) => {
        // JSON has no negative zero.
        const score = drawn === null ? null : drawn + 0
        const event = prediction(0, {
          prediction_id,
          predicted_at: at.toISOString(),
          features,
          score,
        })
        const json = createValidator(PredictionV1).text(JSON.stringify(event))
        const avro = await validated(PUBLISHED, {
          ...event,
          predicted_at: at.getTime(),
          features: JSON.stringify(features),
        })
        expect(told(avro)).toEqual(told(json))
      },
    ),
    { numRuns: 300 },
  )
})

const schemaWith = (features: unknown) =>
  JSON.stringify({
    type: 'record',
    name: 'theirs',
    fields: [
      { name: 'prediction_id', type: 'string' },
      { name: 'model_id', type: 'string' },
      { name: 'model_version', type: 'string' },
      { name: 'predicted_at', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'prediction', type: 'double' },
      { name: 'features', type: features },
    ],
  })
const theirs = (features: unknown) => ({
  prediction_id: 'p',
  model_id: 'm',
  model_version: '1',
  predicted_at: 1_767_225_600_123_999,
  prediction: 1,
  features,
})

test.each([
  ['a map', { type: 'map', values: ['null', 'double'] }, { x: 1.5, gone: null }],
  ['a string', 'string', '{"x":1.5,"gone":null}'],
  ['Java’s string', { type: 'string', 'avro.java.string': 'String' }, '{"x":1.5,"gone":null}'],
  ['a union', ['string', 'null'], '{ "x": 1.5, "gone": null }'],
])('features as %s, by a schema of the service owner', async (_, type, features) => {
  expect(told(await validated(schemaWith(type), theirs(features)))).toMatchObject({
    predicted_at: '2026-01-01T00:00:00.123Z',
    features: { x: 1.5, gone: null },
  })
})

test.each([
  ['{"x":1,"x":2}', 'repeated_key'],
  ['{"x":1', 'invalid_field'],
  ['[1]', 'invalid_field'],
  ['"repeated_key"', 'invalid_field'],
  ['', 'invalid_field'],
])('features that say %s are refused as %s', async (features, code) => {
  expect(await validated(schemaWith('string'), theirs(features))).toMatchObject({
    ok: false,
    rejection: { code, field: 'features' },
  })
})

test('strings in a map of features are what they are', async () => {
  const texts = { code: '12', json: '{"a":1}', flag: 'true' }
  for (const values of ['string', ['null', 'string']])
    expect(told(await validated(schemaWith({ type: 'map', values }), theirs(texts)))).toMatchObject(
      {
        features: texts,
      },
    )
})

test.each(['string', 'bytes'])('bytes that are no text, as %s, are no features', async (type) => {
  const noText = theirs(Buffer.from([0xff, 0x31, 0x32]))
  expect(await validated(schemaWith(type), noText, schemaWith('bytes'))).toMatchObject({
    ok: false,
    rejection: { code: 'invalid_field', field: 'features' },
  })
})

test('what is no record is no event', async () => {
  expect(await validated('"string"', 'text' as never)).toMatchObject({
    rejection: { code: 'unsupported_schema', message: expect.stringContaining('schema 7') },
  })
})

const deepSchema = (depth: number) =>
  '{"type":"array","items":'.repeat(depth) + '"int"' + '}'.repeat(depth)

test.each<[string, RegisteredSchema | 'too_large' | undefined, string, string]>([
  [
    'Protobuf',
    { schema: 'syntax = "proto3";', type: 'PROTOBUF', references: 0 },
    'unsupported_schema',
    'schema 7 is of type PROTOBUF: only AVRO without references is read',
  ],
  [
    'JSON Schema',
    { schema: '{}', type: 'JSON', references: 0 },
    'unsupported_schema',
    'schema 7 is of type JSON: only AVRO without references is read',
  ],
  [
    'Avro with a reference',
    { schema: PUBLISHED, type: 'AVRO', references: 1 },
    'unsupported_schema',
    'schema 7 is of type AVRO with 1 reference: only AVRO without references is read',
  ],
  [
    'no schema',
    undefined,
    'unknown_schema',
    'the value is Avro of schema 7, which the registry does not have',
  ],
  ['a huge one', 'too_large', 'unsupported_schema', 'schema 7 is larger than 1048576 bytes'],
  [
    'Avro that names nobody',
    { schema: '"nobody"', type: 'AVRO', references: 0 },
    'unsupported_schema',
    'schema 7 is of type AVRO, and is not read: the schema has no type nobody',
  ],
  [
    'Avro without an end',
    { schema: deepSchema(10_000), type: 'AVRO', references: 0 },
    'unsupported_schema',
    'schema 7 is of type AVRO, and is not read: it is deeper than 64',
  ],
  [
    'a record with a field that is none',
    { schema: '{"type":"record","name":"r","fields":[null]}', type: 'AVRO', references: 0 },
    'unsupported_schema',
    expect.stringContaining('schema 7 is of type AVRO, and is not read: ') as never,
  ],
])('a value under %s is a dead letter that says so', async (_, found, code, message) => {
  expect(await read(found, Buffer.alloc(20))).toMatchObject({
    ok: false,
    rejection: { code, message },
  })
})

test('a value that begins as Avro and names no schema, and Avro without a registry', async () => {
  const short = { ...messageOf(7, Buffer.alloc(0)), value: Buffer.from([0, 1, 2]) }
  const reader = messageReader(avroReader(registryOf(async () => undefined)))
  await reader.prepare([short])
  expect(reader.read(short, createValidator(PredictionV1))).toMatchObject({
    rejection: { code: 'invalid_avro', message: expect.stringContaining('too short') },
  })
  expect(
    messageReader().read(messageOf(7, Buffer.alloc(9)), createValidator(PredictionV1)),
  ).toMatchObject({
    rejection: {
      code: 'unknown_schema',
      message: expect.stringContaining('PLUMBLINE_SCHEMA_REGISTRY_URL'),
    },
  })
})

test('a registry that gives no answer makes the range wait', async () => {
  const { prepare } = messageReader(
    avroReader(registryOf(() => Promise.reject(new RegistryAway('away')))),
  )
  await expect(prepare([messageOf(7, Buffer.alloc(9))])).rejects.toThrow(RegistryAway)
})

test('each schema is asked for once, one that is not there again, and a thousand of a range', async () => {
  const asked = new Map<number, number>()
  const { prepare, read: readOne } = messageReader(
    avroReader(
      registryOf(async (id) => {
        asked.set(id, (asked.get(id) ?? 0) + 1)
        return id === 7 ? { schema: PUBLISHED, type: 'AVRO', references: 0 } : undefined
      }),
    ),
  )
  const known = messageOf(7, Buffer.alloc(9))
  const absent = messageOf(8, Buffer.alloc(9))
  await prepare([known, absent, known])
  await prepare([known, absent])
  expect([...asked]).toEqual([
    [7, 1],
    [8, 2],
  ])
  const many = Array.from({ length: 5000 }, (_, i) => messageOf(100 + i, Buffer.alloc(9)))
  await prepare([messageOf(-5, Buffer.alloc(9)), ...many])
  expect(asked.size).toBe(2 + MAX_SCHEMAS_PER_RANGE - 1)
  expect(readOne(many.at(-1)!, createValidator(PredictionV1))).toMatchObject({
    rejection: {
      code: 'unknown_schema',
      message: expect.stringContaining('may name 1000 schemas'),
    },
  })
  expect(readOne(known, createValidator(PredictionV1))).toMatchObject({
    rejection: { code: 'invalid_avro' },
  })
})

const field = (name: string, type: unknown) => ({ name, type })
const withField = (name: string, type: unknown) =>
  JSON.stringify({
    ...(JSON.parse(schemaWith('string')) as object),
    fields: [
      ...(JSON.parse(schemaWith('string')) as { fields: unknown[] }).fields.slice(0, 4),
      field('prediction', 'string'),
      field(name, type),
    ],
  })
const having = (name: string, value: unknown) => ({
  ...theirs('{}'),
  prediction: 'yes',
  [name]: value,
})

const DECIMAL = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }
const FIXED = { type: 'fixed', name: 'amount', size: 2, logicalType: 'decimal', precision: 4 }

test.each<[string, unknown, unknown]>([
  ['score', DECIMAL, Buffer.from([1, 2])],
  ['score', ['null', DECIMAL], Buffer.from([1, 2])],
  ['score', FIXED, Buffer.from([1, 2])],
  ['features', { type: 'map', values: DECIMAL }, { x: Buffer.from([1]) }],
  ['scores', { type: 'map', values: DECIMAL }, { x: Buffer.from([1]) }],
])('%s as a decimal says that it is one', async (name, type, value) => {
  expect(await validated(withField(name, type), having(name, value))).toMatchObject({
    rejection: {
      code: 'unsupported_schema',
      message: `schema 7 has ${name} as the logical type decimal, which is not read: send a double, or a string`,
    },
  })
})

/** As Avro has longs, which avsc does not write beyond 2^53. */
function longBytes(value: bigint): Buffer {
  let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; zigzag > 127n; zigzag >>= 7n) bytes.push(Number(zigzag & 127n) | 128)
  return Buffer.from([...bytes, Number(zigzag)])
}

test('a long beyond 2^53 says which it is, and stands in nobody’s way where it is not read', async () => {
  const datum = (name: string) => {
    const whole = avsc.Type.forSchema(JSON.parse(withField(name, 'long')) as avsc.Schema).toBuffer(
      having(name, 0),
    )
    return Buffer.concat([whole.subarray(0, -1), longBytes(2n ** 60n)])
  }
  const reading = (name: string) =>
    read({ schema: withField(name, 'long'), type: 'AVRO', references: 0 }, datum(name))
  expect(await reading('score')).toMatchObject({
    rejection: {
      code: 'invalid_field',
      field: 'score',
      message:
        'score holds 1152921504606846976, a long beyond 2^53, which a number of an event cannot hold',
    },
  })
  expect(await reading('written_at_ns')).toMatchObject({ ok: true, unknownFields: 1 })
})

test.each(['toString', 'constructor', '__proto__', 'features'])(
  'a field that is called %s is a field like any other',
  async (name) => {
    const type = avsc.Type.forSchema(JSON.parse(withField('filler', 'string')) as avsc.Schema)
    const datum = type.toBuffer(having('filler', '{"x":1}'))
    expect(
      await read({ schema: withField(name, 'string'), type: 'AVRO', references: 0 }, datum),
    ).toMatchObject({ ok: true })
  },
)

const NONE = [NaN, Infinity, -Infinity]

test('NaN and the infinities are missing values wherever an event has numbers', async () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(...NONE),
  )
  const floats = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(...NONE),
  )
  const maps = fc.dictionary(fc.constantFrom('a', 'b', 'c'), number)
  const numbers = { type: 'map', values: 'double' }
  const schema = JSON.stringify({
    ...(JSON.parse(schemaWith(numbers)) as object),
    fields: [
      ...(JSON.parse(schemaWith(numbers)) as { fields: unknown[] }).fields.filter(
        (one) => (one as { name: string }).name !== 'prediction',
      ),
      field('prediction', ['double', 'string']),
      field('score', 'double'),
      field('scores', numbers),
      field('embedding', { type: 'array', items: 'float' }),
    ],
  })
  const type = avsc.Type.forSchema(
    JSON.parse(schema) as avsc.Schema,
    { wrapUnions: 'never' } as never,
  )
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        features: maps,
        scores: maps,
        score: number,
        embedding: fc.array(floats, { maxLength: 3 }),
        prediction: fc.oneof(fc.constantFrom('yes', 'no'), number),
      }),
      async (given) => {
        const verdict = await read(
          { schema, type: 'AVRO', references: 0 },
          type.toBuffer({ ...theirs({}), ...given }),
        )
        const some = (value: unknown) => typeof value === 'string' || Number.isFinite(value)
        expect(told(verdict)).toEqual({
          ...(told(verdict) as object),
          features: Object.fromEntries(
            Object.entries(given.features).map(([name, v]) => [name, some(v) ? v : null]),
          ),
          scores: Object.fromEntries(Object.entries(given.scores).filter(([, v]) => some(v))),
        })
        const { event } = verdict as ValidationResult & { ok: true }
        expect(event.get('score')).toBe(some(given.score) ? given.score : null)
        expect(event.get('prediction')).toBe(some(given.prediction) ? given.prediction : null)
        expect(event.get('embedding')).toEqual(given.embedding.every(some) ? given.embedding : null)
      },
    ),
    { numRuns: 500 },
  )
})
