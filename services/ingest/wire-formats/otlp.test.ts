/**
 * OTLP's spans and log records as events: the names of each time, and values of any length, script
 * and form.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_EVENT_BYTES } from '../../../lib/events/rejections.ts'
import type { RawEvent } from '../../../lib/events/validator.ts'
import { AT, attributesOf, logs, span, told, traces } from '../../../test/planted/otlp-records.ts'

test('several messages keep their order and roles', () => {
  const messages = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [
      [`gen_ai.prompt.${11 - i}.content`, `m${11 - i}`],
      [`gen_ai.prompt.${11 - i}.role`, 'user'],
    ]).flat(),
  )
  const [event] = traces(span({ 'llm.request.type': 'chat', ...messages })).predictions
  expect(JSON.parse(event!['input_text'] as string)).toEqual(
    Array.from({ length: 12 }, (_, i) => ({ role: 'user', content: `m${i}` })),
  )
})

test('ids of either case are the same ids, and a time of 0 is none', () => {
  const upper = {
    traceId: '0AF7651916CD43DD8448EB211C80319C',
    spanId: '00000000000000AB',
    startTimeUnixNano: '0',
  }
  const [event] = traces(span({ 'gen_ai.operation.name': 'chat' }, upper)).predictions
  expect(event).toMatchObject({
    prediction_id: '0af7651916cd43dd8448eb211c80319c-00000000000000ab',
    trace_id: '0af7651916cd43dd8448eb211c80319c',
  })
  expect(event).not.toHaveProperty('latency_ms')
  const [label] = logs({
    timeUnixNano: '0',
    observedTimeUnixNano: AT,
    eventName: 'gen_ai.evaluation.result',
    attributes: attributesOf({
      'gen_ai.response.id': 'r',
      'gen_ai.evaluation.score.label': 'good',
    }),
  }).labels
  expect(label!['labelled_at']).toBe('2026-01-01T00:00:00.000Z')
})

test('long ids that differ only in their end stay different, and name the same prediction in its label', () => {
  const id = (end: string) => `${'x'.repeat(300)}${end}`
  const calls = traces(
    ...['a', 'b'].map((end) =>
      span({ 'gen_ai.operation.name': 'chat', 'gen_ai.response.id': id(end) }),
    ),
  ).predictions
  const { labels } = logs(
    ...['a', 'b'].map((end) => ({
      timeUnixNano: AT,
      eventName: 'gen_ai.evaluation.result',
      attributes: attributesOf({
        'gen_ai.response.id': id(end),
        'gen_ai.evaluation.score.label': 'good',
        'gen_ai.evaluation.explanation': 'w'.repeat(100_000),
      }),
    })),
  )
  for (const label of labels) expect(told('labels', label)).toBe('')
  expect(new Set(labels.map((label) => label['label_id'])).size).toBe(2)
  expect(new Set(calls.map((call) => call['prediction_id'])).size).toBe(2)
  expect(labels.map((label) => label['prediction_id'])).toEqual(
    calls.map((call) => call['prediction_id']),
  )
})

const UNITS = ['x', '"', '\\', '\n', '\u0001', 'é', '漢', '😀', '\ud83d', '\ude00', '\u2028', '\0']
/** Texts of any length up to beyond every limit, of one script or mixed. */
const longText = fc
  .tuple(
    fc.oneof(fc.constantFrom(...UNITS), fc.string({ unit: 'grapheme', minLength: 1 })),
    fc.constantFrom(0, 200, 201, 1000, 1001, 65_535, 65_536, 65_537, 100_000, 300_000),
    fc.string(),
  )
  .map(([unit, length, start]) => start + unit.repeat(Math.ceil(length / unit.length)))
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 10, arbitrary: longText.map((stringValue) => ({ stringValue })) },
  fc.string().map((intValue) => ({ intValue })),
  fc.double().map((doubleValue) => ({ doubleValue })),
  fc.boolean().map((boolValue) => ({ boolValue })),
  fc.array(longText, { maxLength: 3 }).map((texts) => ({
    arrayValue: { values: texts.map((stringValue) => ({ stringValue })) },
  })),
  longText.map((key) => ({ kvlistValue: { values: [{ key, value: { stringValue: key } }] } })),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant({ intValue: { valueOf: 1, toString: 1 } }),
)
const NAMES = [
  ['gen_ai.response.id', 'gen_ai.request.model', 'gen_ai.conversation.id', 'gen_ai.system'],
  ['gen_ai.usage.input_tokens', 'gen_ai.response.finish_reasons', 'gen_ai.input.messages'],
  ['gen_ai.output.messages', 'gen_ai.prompt.0.content', 'gen_ai.completion.0.content'],
  ['ai.telemetry.metadata.prediction_id', 'ai.telemetry.metadata.a', 'ai.telemetry.metadata.b'],
  ['gen_ai.evaluation.name', 'gen_ai.evaluation.explanation', '__proto__', 'error.type'],
].flat()
const anyAttributes = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: NAMES.length }),
    fc.array(longText, { maxLength: 3 }),
    fc.array(anyValue, { minLength: NAMES.length + 3, maxLength: NAMES.length + 3 }),
  )
  .map(([names, labels, values]) =>
    [...names, ...labels.map((label) => `ai.telemetry.metadata.${label}`)].map((key, i) => ({
      key,
      value: values[i],
    })),
  )

const brokenTexts = (event: RawEvent) =>
  Object.values({ ...event, ...(event['attributes'] as RawEvent), attributes: '' }).filter(
    (value) => typeof value === 'string' && !value.isWellFormed(),
  )

test('attributes of any length, script and form make events that the validator accepts', () => {
  let long = 0
  fc.assert(
    fc.property(anyAttributes, fc.string(), fc.jsonValue({ maxDepth: 1 }), (given, id, odd) => {
      const operation = attributesOf({ 'gen_ai.operation.name': 'chat' })
      const label = attributesOf({ 'gen_ai.evaluation.score.label': 'good' })
      const events = [{ name: odd, attributes: odd }]
      const body = [...given, ...operation]
      const [call] = traces(span({}, { attributes: body, spanId: `s${id}`, events })).predictions
      const [validated] = logs({
        timeUnixNano: AT,
        eventName: 'gen_ai.evaluation.result',
        traceId: 't',
        attributes: [...given, ...label],
      }).labels
      expect([told('predictions', call!), told('labels', validated!)]).toEqual(['', ''])
      const size = Buffer.byteLength(JSON.stringify(call))
      if (size > 200_000) long++
      // No half of a character anywhere: what is stored is what is read back.
      expect(brokenTexts(call!)).toEqual([])
    }),
    { numRuns: 200, seed: 13 },
  )
  expect(long).toBeGreaterThan(10)
}, 120_000)

test('the longest texts of the widest characters fill the event, and no more', () => {
  const [event] = traces(
    span({
      'gen_ai.operation.name': 'chat',
      'gen_ai.input.messages': '\u0001'.repeat(70_000),
      'gen_ai.output.messages': 'short',
      'gen_ai.completion.0.finish_reason': '😀'.repeat(70_000),
    }),
  ).predictions
  expect(told('predictions', event!)).toBe('')
  expect(event!['output_text']).toBe('short')
  const bytes = Buffer.byteLength(JSON.stringify(event))
  expect(bytes).toBeGreaterThan(MAX_EVENT_BYTES - 20)
  expect(bytes).toBeLessThanOrEqual(MAX_EVENT_BYTES)
})

test.each([
  [0.25, true, { propensity: 0.25, exploration: true }],
  ['0.5', false, { propensity: 0.5, exploration: false }],
  [7, 'yes', {}],
  [Number.NaN, null, {}],
])('a propensity of %s and exploration %s', (propensity, exploration, expected) => {
  const [event] = traces(
    span({
      'gen_ai.operation.name': 'chat',
      'plumbline.propensity': propensity,
      'plumbline.exploration': exploration,
    }),
  ).predictions
  const { propensity: p, exploration: e } = event!
  expect({
    ...(p !== undefined && { propensity: p }),
    ...(e !== undefined && { exploration: e }),
  }).toEqual(expected)
  expect(told('predictions', event!)).toBe('')
})
