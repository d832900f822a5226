import { expect, test } from 'vitest'
import { AttributesV1 } from '../../../schemas/events/attributes.v1.ts'
import { InferenceV1 } from '../../../schemas/events/inference.v1.ts'
import { LabelV1 } from '../../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import type { LoggedMessage } from '../../event-log/port.ts'
import { parseModel, type Models } from '../../models/model-files.ts'
import { eventPrivacy } from '../../models/event-privacy.ts'
import { createValidator } from '../validator.ts'
import { keyedHash } from './keyed-hash.ts'
import { keptMessage } from './refused-message.ts'

const key = Buffer.from('0123456789abcdef0123456789abcdef')
const fraud = parseModel(`
model_id: fraud
task: binary
privacy:
  drop: [salary, attributes.religion, embedding, f1]
  hash: [subject_id, customer, prediction_id, producer]
  mask: [email, phone, card, iban, names]
  names: [Ann Planted]
`)
const other = parseModel('model_id: other\ntask: binary\n')
const models: Models = {
  declared: [fraud, other],
  get: (id) => (id === 'fraud' ? fraud : { ...other, modelId: id }),
}
const privacy = eventPrivacy(models, key)
const hashed = (value: string) => keyedHash(key, value)

const event = {
  prediction_id: 'p-1',
  model_id: 'fraud',
  model_version: '7',
  predicted_at: '2026-01-01T00:00:00Z',
  prediction: 'mail ann@planted.example',
  features: {
    salary: 1000,
    customer: 4711,
    note: 'by Ann Planted',
    card: 4111111111111111,
    amount: 12.5,
    missing: null,
    'ann@planted.example': 1,
  },
  attributes: { religion: 'x', region: 'north' },
  attributions: { salary: 0.1, amount: 0.2 },
  input_text: 'DE89 3704 0044 0532 0130 00 or +49 151 12345678',
  embedding: [1, 2],
  subject_id: 'ann',
  producer: { id: 'pod-of-ann', sequence: 7 },
  unheard_of: 'ann@planted.example',
}

const expected = {
  ...event,
  prediction_id: hashed('p-1'),
  prediction: 'mail [email]',
  features: {
    customer: hashed('4711'),
    note: 'by [name]',
    card: null,
    amount: 12.5,
    missing: null,
  },
  attributes: { region: 'north' },
  attributions: { amount: 0.2 },
  input_text: '[iban] or [phone]',
  embedding: null,
  subject_id: hashed('ann'),
  producer: { id: hashed('pod-of-ann'), sequence: 7 },
  unheard_of: null,
}

test('an event is what the rules leave of it, and a second time the same', () => {
  const validator = createValidator(PredictionV1, privacy)
  const once = validator.text(JSON.stringify(event))
  if (!once.ok) throw new Error(once.rejection.message)
  expect(once).toMatchObject({ isRedacted: true, unknownFields: 1 })
  const text = JSON.stringify(once.event)
  expect(JSON.parse(text)).toEqual(expected)
  const twice = validator.bytes(Buffer.from(text))
  expect(twice.ok && JSON.stringify(twice.event)).toBe(text)
  expect(twice).toMatchObject({ unknownFields: 1 })
})

test('a model without rules keeps its events', () => {
  const result = createValidator(PredictionV1, privacy).value({ ...event, model_id: 'other' })
  expect(result.ok && result.isRedacted).toBeUndefined()
})

test('labels and attributes meet predictions: ids have the same hashes', () => {
  const label = createValidator(LabelV1, privacy).value({
    label_id: 'l',
    model_id: 'fraud',
    prediction_id: 'p-1',
    subject_id: 'ann',
    label: ['1', 'ann@planted.example'],
    labelled_at: event.predicted_at,
    source: 'ground_truth',
    comment: 'Ann Planted said so',
  })
  expect(label.ok && label.event.toObject()).toMatchObject({
    prediction_id: expected.prediction_id,
    subject_id: expected.subject_id,
    label: ['1', '[email]'],
    comment: '[name] said so',
  })
  const attributes = createValidator(AttributesV1, privacy).value({
    subject_id: 'ann',
    attributes: { region: 'north', religion: 'x' },
    observed_at: event.predicted_at,
  })
  expect(attributes.ok && JSON.parse(JSON.stringify(attributes.event))).toMatchObject({
    subject_id: expected.subject_id,
    attributes: { region: 'north' },
  })
})

test.each([
  [
    'named rows',
    { instances: [{ salary: 1, customer: 'c', note: 'Ann Planted' }] },
    { instances: [{ customer: hashed('c'), note: '[name]' }] },
  ],
  ['rows by position', { instances: [[1, 2, 3]] }, { instances: [[1, null, 3]] }],
  [
    'tensors',
    {
      inputs: [
        { name: 'salary', shape: [1], datatype: 'FP32', data: [1] },
        { name: 'customer', shape: [2], datatype: 'INT64', data: [4711, 4712] },
        { name: 'note', shape: [1], datatype: 'BYTES', data: ['ann@planted.example'] },
      ],
    },
    {
      inputs: [
        { name: 'customer', shape: [2], datatype: 'BYTES', data: [hashed('4711'), hashed('4712')] },
        { name: 'note', shape: [1], datatype: 'BYTES', data: ['[email]'] },
      ],
    },
  ],
  [
    'columns',
    { inputs: { salary: [1, 2], customer: ['a', 'b'] } },
    { inputs: { customer: [hashed('a'), hashed('b')] } },
  ],
])('bodies of model servers: %s', (_name, body, left) => {
  const result = createValidator(InferenceV1, privacy).value({
    exchange_id: 'e',
    part: 'request',
    model_id: 'fraud',
    exchanged_at: event.predicted_at,
    body: JSON.stringify(body),
  })
  if (!result.ok) throw new Error(result.rejection.message)
  expect(JSON.parse(result.event.get('body') as string)).toEqual(left)
})

const messageOf = (value: string, more: Partial<LoggedMessage> = {}): LoggedMessage => ({
  offset: 1,
  timestampMs: 0,
  key: Buffer.from('fraud/ann'),
  value: Buffer.from(value),
  headers: { 'x-user': 'ann@planted.example', 'content-type': 'application/json' },
  ...more,
})

test('of a refused message only what the rules leave is kept', () => {
  const kept = keptMessage(messageOf(JSON.stringify({ ...event, score: 'none' })), privacy)
  expect(kept.value.toString()).not.toMatch(/planted|salary|"ann"/i)
  expect(JSON.parse(kept.value.toString())).toMatchObject({
    score: 'none',
    subject_id: hashed('ann'),
  })
  expect(kept.headers).toEqual({ 'content-type': 'application/json' })
  expect(kept.key).toHaveLength(0)
})

test.each([
  ['no JSON', '{"model_id":"other", ann@planted.example'],
  ['Avro', '\u0000\u0000ann@planted.example'],
  ['nested beyond bounds', `${'['.repeat(70)}"ann@planted.example"${']'.repeat(70)}`],
])('of a message that names no model nothing is kept: %s', (_name, value) => {
  expect(keptMessage(messageOf(value, { key: Buffer.from('x') }), privacy).value).toHaveLength(0)
})

test('a message of another model is kept, and one that claims to be while its key says not is not', () => {
  const value = JSON.stringify({ model_id: 'other', note: 'ann@planted.example' })
  const others = messageOf(value, { key: Buffer.from('other/1') })
  expect(keptMessage(others, privacy)).toBe(others)
  expect(keptMessage(messageOf(value), privacy).value.toString()).not.toContain('planted')
})

test.each([
  ['drop: [prediction_id]', /privacy.drop: prediction_id is required/],
  ['hash: [model_id]', /privacy.hash: model_id tells models apart/],
  ['hash: [score]', /privacy.hash: score cannot hold a hash/],
  ['mask: [names]', /names needs a list/],
  ['names: [Ann]', /privacy.mask does not have names/],
  ['{ drop: [a], hash: [a] }', /named by drop and by hash/],
  ['mask: [mail]', /privacy.mask.0 must be equal to one of the allowed values: email/],
])('a model file with %s is refused', (rules, says) => {
  const section = rules.startsWith('{') ? rules : `{ ${rules} }`
  expect(() => parseModel(`model_id: m\ntask: binary\nprivacy: ${section}\n`)).toThrow(says)
})

test('what the model file uses is not dropped', () => {
  expect(() =>
    parseModel('model_id: m\ntask: binary\nslices: [region]\nprivacy: { drop: [region] }\n'),
  ).toThrow(/region is used by slices/)
})

test('numbers of a body keep all their digits, and the longest cards are found', () => {
  const redactor = privacy.of('fraud')!
  const digits = '9007199254740993'
  // 19 digits with a right check digit, and with a wrong one.
  const [card, none] = ['4111111111111111110', '4111111111111111111']
  expect(redactor.json(`{"id":${digits},"list":[-${digits},1,0.5],"customer":${digits}}`)).toBe(
    `{"id":${digits},"list":[-${digits},1,0.5],"customer":"${hashed(digits)}"}`,
  )
  expect(redactor.json(`{"a":${card},"b":${none}}`)).toBe(`{"a":null,"b":${none}}`)
})
