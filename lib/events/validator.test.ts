/**
 * One verdict, however the bytes are read: the fast way, the general way, and as Ajv sees the same
 * schema.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import type { TObject } from 'typebox'
import { expect, test } from 'vitest'
import { createValidator, type ValidationResult } from './validator.ts'
import { scanValue } from './json/duplicate-keys.ts'
import { MAX_EVENT_BYTES, rejectionsOf } from './rejections.ts'
import { AttributesV1 } from '../../schemas/events/attributes.v1.ts'
import { LabelV1 } from '../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { prediction, ROOT } from '../../test/servers/processes.ts'

const told = (verdict: ValidationResult) => (verdict.ok ? '' : verdict.rejection.message)

/** The calendar, by the language's own. */
function isEventTime(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number]
  const date = new Date(Date.UTC(year, month - 1, day))
  const instant = Date.parse(text)
  return (
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    instant >= Date.UTC(1990, 0, 1) &&
    instant < Date.UTC(2100, 0, 1)
  )
}

/** What the published schema says, through a validator that is not ours. */
function byAjv(schema: TObject): (text: string) => string {
  const ajv = new Ajv({ strict: false, strictNumbers: true })
  ajv.addFormat('event-time', isEventTime)
  const valid = Object.fromEntries(
    Object.entries(schema.properties).map(([name, property]) => [name, ajv.compile(property)]),
  )
  const required = new Set<string>(schema.required ?? [])
  const { anyOf = [true] } = schema as { anyOf?: unknown[] }
  const hasOneOf = ajv.compile({ anyOf })
  return (text) => {
    let event: Record<string, unknown>
    try {
      event = JSON.parse(text, unrounded as never) as Record<string, unknown>
    } catch {
      return text === '' ? 'the message has no value' : 'the value is not one JSON object'
    }
    const found = scanValue(text, 0)
    if (typeof event !== 'object' || event === null || Array.isArray(event) || found.unparsable)
      return 'the value is not one JSON object'
    for (const { code, field, message } of rejectionsOf(schema)) {
      const value =
        field === undefined ? undefined : Object.hasOwn(event, field) ? event[field] : undefined
      const absent = value === undefined || value === null
      if (code === 'missing_field' && required.has(field!) && absent) return message
      if (code === 'missing_field' && !required.has(field!) && !hasOneOf(withoutNulls(event)))
        return message
      if (code === 'repeated_key' && found.repeated && found.repeated.field === field)
        return message
      if (code === 'invalid_field' && !absent) {
        const repeatedInside =
          found.repeated?.field === field &&
          !rejectionsOf(schema).some((r) => r.code === 'repeated_key' && r.field === field)
        if (!valid[field!]!(value) || repeatedInside) return message
      }
    }
    return ''
  }
}

/** A whole number that a double rounds is no number at all. */
const unrounded = (_: string, value: unknown, { source = '' }: { source?: string }) =>
  typeof value === 'number' &&
  /^-?\d+$/.test(source) &&
  BigInt(source) > 2n ** 53n - 1n &&
  String(value) !== source
    ? BigInt(source)
    : value

/** Null is the same as absent. */
const withoutNulls = (event: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null))

function agree(schema: TObject, values: readonly string[]) {
  const validator = createValidator(schema)
  const ajv = byAjv(schema)
  for (const value of values)
    expect({
      value,
      bytes: told(validator.bytes(Buffer.from(value))),
      text: told(validator.text(value)),
    }).toEqual({
      value,
      bytes: ajv(value),
      text: ajv(value),
    })
}

const base = prediction(1)
const withField = (name: string, raw: string) =>
  `${JSON.stringify(base).slice(0, -1)},${JSON.stringify(name)}:${raw}}`
const replaced = (name: string, raw: string) => {
  const { [name]: _, ...rest } = base
  return `{${JSON.stringify(name)}:${raw},${JSON.stringify(rest).slice(1)}`
}
const without = (name: string) => {
  const { [name]: _, ...rest } = base
  return JSON.stringify(rest)
}

const TIMES = [
  '2026-01-01T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:59:60Z',
  '2026-01-01 00:00:00Z',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00+14:00',
  '2026-01-01T00:00:00+15:00',
  '1989-12-31T23:59:59Z',
  '1990-01-01T00:00:00Z',
  '2099-12-31T23:59:59.999Z',
  '2100-01-01T00:00:00Z',
  '2099-12-31T23:00:00-02:00',
  '10 Jan',
  '',
  '2026-13-01T00:00:00Z',
  '2026-01-01T00:00:00.123456789Z',
  '2026-01-01T00:00:00.1234567891Z',
]
const RAWS = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1',
  '1.5',
  '-1',
  '1e400',
  '1e-400',
  '9007199254740991',
  '9007199254740992',
  '123456789012345678901234567890',
  '1152921504606846976',
  '1152921504606847000',
  '{"a":9007199254740993}',
  '3.5e38',
  '[3.5e38]',
  '"\\ud800"',
  '"\\udc00x"',
  '"\\ud83d\\ude00"',
  '"a\\u007fb"',
  '"a\\u001fb"',
  '["\\u0000"]',
  '["\\ud800"]',
  '{"a":"\\u0000"}',
  '{"a":"\\ud800"}',
  '{"a\\u0000":1}',
  '{"a\\ud800":"x"}',
  '{"id":"p\\u0000","sequence":1}',
  '{"id":"\\ud800","sequence":1}',
  '0.5',
  '2',
  '""',
  '"x"',
  '"0.5"',
  '"accept"',
  '"ok"',
  '"a\\u0000b"',
  '"é"',
  '[]',
  '[1,2]',
  '["a"]',
  '[1,"a"]',
  '[null]',
  '[1e999]',
  '{}',
  '{"a":1}',
  '{"a":"x"}',
  '{"a":null}',
  '{"a":true}',
  '{"a":[1]}',
  '{"a":{}}',
  '{"a":1,"a":2}',
  '{"id":"p","sequence":1}',
  '{"id":"p","sequence":1.5}',
  '{"id":"","sequence":1}',
  '{"id":"p"}',
  '{"id":"p","sequence":1,"more":2}',
  `"${'x'.repeat(201)}"`,
  `"${'é'.repeat(200)}"`,
  ...TIMES.map((time) => JSON.stringify(time)),
]

test('every kind of value in every field of a prediction', () => {
  const values = Object.keys(PredictionV1.properties).flatMap((name) =>
    RAWS.map((raw) => (name in base ? replaced(name, raw) : withField(name, raw))),
  )
  expect(values.length).toBeGreaterThan(1000)
  agree(PredictionV1, values)
})

test('an event has at most a thousand features', () => {
  const withFeatures = (n: number) =>
    replaced(
      'features',
      JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, 1]))),
    )
  agree(PredictionV1, [withFeatures(1000), withFeatures(1001)])
  const validator = createValidator(PredictionV1)
  expect(validator.bytes(Buffer.from(withFeatures(1000))).ok).toBe(true)
  expect(validator.bytes(Buffer.from(withFeatures(1001)))).toMatchObject({
    ok: false,
    rejection: { code: 'invalid_field' },
  })
})

test('a vector holds only numbers that single precision holds', () => {
  const vectors = ['1e39', '-1e39', '3.4028235677973366e38', '3.4028235677973364e38', '1e-50']
  agree(
    PredictionV1,
    vectors.map((x) => withField('embedding', `[0,${x}]`)),
  )
  const { text } = createValidator(PredictionV1)
  expect(vectors.map((x) => told(text(withField('embedding', `[0,${x}]`))))).toEqual([
    ...Array<string>(3).fill(
      'embedding must be an array of at most 8192 numbers that single precision holds',
    ),
    '',
    '',
  ])
})

test('an event has its bound of bytes, not of characters', () => {
  const validator = createValidator(PredictionV1)
  const sized = (bytes: number, filler: string) => {
    const empty = Buffer.byteLength(withField('more', '""'))
    const text = filler.repeat((bytes - empty) / Buffer.byteLength(filler))
    const padding = bytes - empty - Buffer.byteLength(text)
    return withField('more', JSON.stringify(text + 'x'.repeat(padding)))
  }
  for (const filler of ['x', '漢']) {
    const [largest, beyond] = [MAX_EVENT_BYTES, MAX_EVENT_BYTES + 1].map((n) => sized(n, filler))
    const both = (text: string) => [
      told(validator.text(text)),
      told(validator.bytes(Buffer.from(text))),
    ]
    expect(both(largest!)).toEqual(['', ''])
    expect(both(beyond!)).toEqual(Array(2).fill('the event is larger than 262144 bytes'))
  }
})

test('every kind of value in every field of a label and of attributes', () => {
  const label = {
    label_id: 'l',
    model_id: 'm',
    prediction_id: 'p',
    label: '1',
    labelled_at: '2026-01-01T00:00:00Z',
    source: 'ground_truth',
  }
  const attributes = { subject_id: 's', attributes: {}, observed_at: label.labelled_at }
  for (const [schema, valid] of [
    [LabelV1, label],
    [AttributesV1, attributes],
  ] as const)
    agree(
      schema,
      Object.keys(schema.properties).flatMap((name) =>
        RAWS.map((raw) => {
          const { [name as keyof typeof valid]: _, ...rest } = valid
          return `{${JSON.stringify(name)}:${raw},${JSON.stringify(rest).slice(1)}`
        }),
      ),
    )
})

test('a text that a store would change is refused, whatever field it stands in', () => {
  const validator = createValidator(PredictionV1)
  for (const raw of [String.raw`"a\u0000"`, String.raw`"\ud800"`])
    for (const name of ['prediction_id', 'variant', 'prediction', 'input_text', 'subject_id'])
      expect([name, validator.text(replaced(name, raw)).ok]).toEqual([name, false])
  expect(told(validator.text(replaced('prediction', '1152921504606846977')))).toContain(
    'below 2^53',
  )
})

test('what is no event at all, and what is missing', () => {
  const values = [
    '{}',
    '[]',
    '1',
    'null',
    '"x"',
    '{',
    '{"a":NaN}',
    '{"a":1}{"b":2}',
    'garbage',
    '{"a":01}',
    ' {"a": 1} ',
    '\u0000',
    JSON.stringify(base),
    ` ${JSON.stringify(base)} `,
    withField('unknown', '1'),
    withField('prediction_id', '"again"'),
    withField('a', String.raw`"\ud800"`),
    ...Object.keys(base).map(without),
  ]
  agree(PredictionV1, values)
})

test('all faults of an event are told, the first in the order of the rules first', () => {
  const { prediction_id: _, ...rest } = base as Record<string, unknown>
  const event = { ...rest, predictionid: 'p', score: 'high', predicted_at: 'yesterday' }
  const { text, value } = createValidator(PredictionV1)
  for (const result of [text(JSON.stringify(event)), value(event)]) {
    const { code, field, also } = result.ok ? expect.fail('refused') : result.rejection
    expect({ code, field }).toEqual({ code: 'missing_field', field: 'prediction_id' })
    expect(also).toEqual([
      expect.stringMatching(/^predicted_at /),
      expect.stringMatching(/^score /),
      'predictionid is no field; did you mean prediction_id?',
    ])
  }
})

test('a refusal tells at most ten other faults, however many names an event has', () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`scor${i}`, 1]))
  const wrong = Object.fromEntries(Object.keys(PredictionV1.properties).map((name) => [name, {}]))
  const result = createValidator(PredictionV1).value({ ...many, ...wrong })
  expect(result.ok || result.rejection.also).toHaveLength(10)
})

test('any JSON in any field, for predictions, labels and attributes', () => {
  const label = {
    label_id: 'l',
    model_id: 'm',
    prediction_id: 'p',
    label: '1',
    labelled_at: '2026-01-01T00:00:00Z',
    source: 'ground_truth',
  }
  const cases: [TObject, Record<string, unknown>][] = [
    [PredictionV1, base],
    [LabelV1, label],
    [AttributesV1, { subject_id: 's', attributes: { sex: '1' }, observed_at: label.labelled_at }],
  ]
  for (const [schema, valid] of cases) {
    const overrides = fc.sample(
      fc.dictionary(
        fc.constantFrom(...Object.keys(schema.properties), 'other'),
        fc.jsonValue({ maxDepth: 2 }),
        { maxKeys: 3 },
      ),
      { numRuns: 3000, seed: 42 },
    )
    agree(
      schema,
      overrides.map((override) => JSON.stringify({ ...valid, ...override })),
    )
  }
})

test('what comes after an empty map is read whole', () => {
  const { bytes } = createValidator(PredictionV1)
  const read = (event: string) => told(bytes(Buffer.from(event)))
  const empty = `${JSON.stringify({ ...base, features: undefined }).slice(0, -1)},"features":{}}`
  expect([read(empty), read(empty)]).toEqual(['', ''])
  expect(read(empty.slice(0, -1))).toBe('the value is not one JSON object')
})

test('bytes that are no text are refused', () => {
  const validator = createValidator(PredictionV1)
  const noise = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 80 }), {
    numRuns: 2000,
    seed: 7,
  })
  for (const bytes of noise) expect(validator.bytes(Buffer.from(bytes)).ok).toBe(false)
  const broken = Buffer.from(JSON.stringify({ ...base, model_id: 'm?' }))
  broken[broken.indexOf('?')] = 0xff
  expect(told(validator.bytes(broken))).toBe('the value is not one JSON object')
})

test.each(readdirSync(join(ROOT, 'schemas/examples/prediction.v1')))(
  'the example %s, every way',
  (file) => {
    agree(PredictionV1, [
      readFileSync(join(ROOT, 'schemas/examples/prediction.v1', file), 'utf8').trim(),
    ])
  },
)
