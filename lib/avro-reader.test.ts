/** An event in Avro is judged as the same event in JSON is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import avsc from 'avsc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { avroReader } from './avro-reader.ts'
import { createJudge, type Verdict } from './event-verdict.ts'
import type { LoggedMessage } from './event-log.ts'
import { messageReader } from './message-reader.ts'
import { Members } from './members.ts'
import type { SchemaRegistry } from './schema-registry.ts'
import { PredictionV1 } from '../schemas/events/prediction.v1.ts'
import { prediction, ROOT } from '../test/processes.ts'

const PUBLISHED = readFileSync(join(ROOT, 'schemas/avro/prediction.v1.avsc'), 'utf8')

/**
 * What becomes of a record written with a schema.
 *
 * @param written by another that is the same on the wire
 */
async function judged(schema: string, record: object, written = schema): Promise<Verdict> {
  const registry = { byId: async () => schema } as unknown as SchemaRegistry
  const type = avsc.Type.forSchema(JSON.parse(written) as avsc.Schema)
  const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), type.toBuffer(record)])
  const message: LoggedMessage = { offset: 0, timestampMs: 0, key: Buffer.alloc(0), value }
  const { prepare, read } = messageReader(avroReader(registry))
  await prepare([message])
  return read(message, createJudge(PredictionV1))
}

const plain = (value: unknown): unknown => {
  if (value instanceof Date) return value.toISOString()
  return value instanceof Members ? value.toObject() : value
}

/** Without what Avro cannot tell from a missing field, and maps as the objects they are. */
function told(verdict: Verdict): unknown {
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
        const json = createJudge(PredictionV1).text(JSON.stringify(event))
        const avro = await judged(PUBLISHED, {
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
  expect(told(await judged(schemaWith(type), theirs(features)))).toMatchObject({
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
  expect(await judged(schemaWith('string'), theirs(features))).toMatchObject({
    ok: false,
    rejection: { code, field: 'features' },
  })
})

test('strings in a map of features are what they are', async () => {
  const texts = { code: '12', json: '{"a":1}', flag: 'true' }
  for (const values of ['string', ['null', 'string']])
    expect(told(await judged(schemaWith({ type: 'map', values }), theirs(texts)))).toMatchObject({
      features: texts,
    })
})

test.each(['string', 'bytes'])('bytes that are no text, as %s, are no features', async (type) => {
  const noText = theirs(Buffer.from([0xff, 0x31, 0x32]))
  expect(await judged(schemaWith(type), noText, schemaWith('bytes'))).toMatchObject({
    ok: false,
    rejection: { code: 'invalid_field', field: 'features' },
  })
})

test('what is no record is no event', async () => {
  expect(await judged('"string"', 'text' as never)).toMatchObject({
    rejection: { code: 'unknown_schema' },
  })
})
