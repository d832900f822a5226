/** Messages that are meant to hurt: each is refused with a sentence, or is an event like any other. */
import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { decoderOf, MAX_MESSAGE_BYTES, type Decode } from './decode.ts'
import { fits } from './globs.ts'
import { confluentStart } from './protobuf.ts'
import { parseSource } from './source-files.ts'

const EVENTS = `events:
  - type: prediction
    fields: { prediction_id: $.id, model_id: m, model_version: "1", predicted_at: $.at }`
const PROTO = `syntax = "proto3"; import "google/protobuf/timestamp.proto";
message Scored {
  string id = 1; google.protobuf.Timestamp at = 2; int64 big = 3; Kind kind = 4; Scored inner = 5;
  map<string, double> features = 6; repeated double list = 7; bytes raw = 8;
}
enum Kind { NONE = 0; CARD = 1; }`

const decodeWith = (format: string, more = ''): Decode =>
  decoderOf(
    parseSource(
      `source: x\nkafka: { topic: x }\nformat: ${format}\n${more}\n${EVENTS}`,
      () => PROTO,
    ),
  )
const json = decodeWith('json')
const text = (decode: Decode, bytes: Buffer | string) => {
  const decoded = decode(Buffer.from(bytes as string))
  return 'code' in decoded ? `${decoded.code}: ${decoded.text}` : decoded.value
}

test.each([
  ['nothing', '', 'empty: the message has no value'],
  [
    'deep arrays',
    '['.repeat(100_000),
    'invalid_json: the message cannot be read: the JSON is nested deeper than 64',
  ],
  [
    'deep objects',
    '{"a":'.repeat(100_000),
    'invalid_json: the message cannot be read: the JSON is nested deeper than 64',
  ],
  [
    'a huge array',
    `[${'1,'.repeat(600_000)}1]`,
    'invalid_json: the message cannot be read: the JSON has more than 500000 members',
  ],
  ['no JSON', '{"a":', 'invalid_json: the message is no JSON'],
  ['two values', '{"a":1}{"b":2}', 'invalid_json: the message is no JSON'],
  ['a name twice', '{"a":1,"a":2}', 'repeated_key: the message gives a member twice'],
])('JSON: %s', (_name, bytes, said) => {
  expect(text(json, bytes)).toBe(said)
})

test('JSON: bytes that are no text, and too many', () => {
  expect(text(json, Buffer.from([0x22, 0xff, 0x22]))).toBe('invalid_json: the message is not UTF-8')
  expect(text(json, Buffer.alloc(MAX_MESSAGE_BYTES + 1, 'x'))).toContain('too_large: ')
})

test.each([
  ['a,1', 'invalid_csv: the line has 2 cells, and there are 3 columns'],
  ['a,1,2\nb,1,2', 'invalid_csv: the message has 2 lines of CSV, and may have one'],
  [
    `"a,1,${'x'.repeat(100_000)}`,
    'invalid_csv: the message is no CSV by RFC 4180: Quote Not Closed',
  ],
])('CSV: %.20s', (line, said) => {
  const decode = decodeWith('csv', 'csv: { columns: [id, at, __proto__] }')
  expect(text(decode, line)).toEqual(expect.stringContaining(said))
})

const root = new protobuf.Root()
root.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')!.nested!)
protobuf.parse(PROTO.replace(/import .*?;/, ''), root, { keepCase: true })
const scored = root.lookupType('Scored')
const proto = decodeWith('protobuf', 'protobuf: { file: x.proto, message: Scored }')

test('protocol buffers: values as their types are', () => {
  const at = { seconds: 1_700_000_000, nanos: 5_000_000 }
  const message = {
    id: 'a',
    at,
    // 2^63 - 1, as the package for 64-bit integers holds it.
    big: { low: -1, high: 0x7fffffff, unsigned: false },
    kind: 1,
    features: { __proto__x: 1 },
    list: [1, 2],
    raw: Buffer.from('x'),
  }
  expect(text(proto, Buffer.from(scored.encode(message).finish()))).toEqual({
    id: 'a',
    at: new Date(1_700_000_000_005),
    big: 9223372036854775807n,
    kind: 'CARD',
    features: { __proto__x: 1 },
    list: [1, 2],
    raw: Buffer.from('x'),
  })
})

test('protocol buffers: what is deep, torn or none is refused, and never ends the process', () => {
  let deep: object = { id: 'a' }
  for (let i = 0; i < 90; i++) deep = { inner: deep }
  expect(text(proto, Buffer.from(scored.encode(deep).finish()))).toContain('invalid_protobuf: ')
  expect(text(proto, Buffer.from([0x0a, 0xff]))).toContain(
    'invalid_protobuf: the message is no Scored',
  )
  expect(text(proto, Buffer.alloc(100_000, 0x2a))).toContain('invalid_protobuf: ')
  expect(() => confluentStart(Buffer.from([1, 2]))).toThrow('Confluent')
  expect(confluentStart(Buffer.from([0, 0, 0, 0, 1, 0, 10]))).toBe(6)
  expect(confluentStart(Buffer.from([0, 0, 0, 0, 1, 2, 2, 10]))).toBe(7)
})

test('a pattern over a hostile name is answered, as a regular expression would', () => {
  for (const [pattern, name, does] of [
    ['a*b*c*d', `a${'b'.repeat(100_000)}`, false],
    ['a*', 'a', true],
    ['*', '', true],
    ['a*a', 'a', false],
    ['f_*_x', 'f_1_x', true],
    ['f_*_x', 'f__x', true],
    ['f.', 'fx', false],
  ] as const)
    expect([pattern, fits(name, pattern)]).toEqual([pattern, does])
})
