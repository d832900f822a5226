/** OTLP's spans and log records as events: the names of each time, and values of any length, script and form. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createValidator, type RawEvent } from '../../../lib/events/validator.ts'
import { MAX_EVENT_BYTES } from '../../../lib/events/rejections.ts'
import { LabelV1 } from '../../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { eventsOfLogs, eventsOfTraces } from './otlp.ts'

const validates = { predictions: createValidator(PredictionV1), labels: createValidator(LabelV1) }
const AT = '1767225600000000000'

const valueOf = (value: unknown) =>
  typeof value === 'number' ? { intValue: String(value) } : { stringValue: value }
const attributesOf = (given: Record<string, unknown>) =>
  Object.entries(given).map(([key, value]) => ({ key, value: valueOf(value) }))

const span = (given: Record<string, unknown>, more: object = {}) => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: '0000000000000003',
  name: 'chat g',
  startTimeUnixNano: AT,
  endTimeUnixNano: '1767225601500000000',
  attributes: attributesOf(given),
  ...more,
})
const resource = { attributes: attributesOf({ 'service.name': 'bot' }) }
const traces = (...spans: object[]) =>
  eventsOfTraces({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })
const logs = (...logRecords: object[]) =>
  eventsOfLogs({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] })

/** As `services/ingest/http/wire-format-routes.ts` validates: the text that is stored. */
function told(kind: keyof typeof validates, event: RawEvent): string {
  const verdict = validates[kind].text(JSON.stringify(event))
  return verdict.ok ? '' : verdict.rejection.message
}

const said = (event: RawEvent | undefined) => ({
  version: event?.['model_version'],
  tokens: [event?.['input_tokens'], event?.['output_tokens']],
  texts: [event?.['input_text'], event?.['output_text']],
})
const SAID = { version: 'g', tokens: [12, 5], texts: ['hi', 'ho'] }

test.each([
  [
    'OpenLLMetry',
    span(
      {
        'gen_ai.system': 'OpenAI',
        'gen_ai.request.model': 'g',
        'llm.request.type': 'chat',
        'gen_ai.usage.prompt_tokens': 12,
        'gen_ai.usage.completion_tokens': 5,
        'gen_ai.prompt.0.role': 'user',
        'gen_ai.prompt.0.content': 'hi',
        'gen_ai.completion.0.role': 'assistant',
        'gen_ai.completion.0.content': 'ho',
        'llm.usage.total_tokens': 17,
      },
      { name: 'openai.chat' },
    ),
  ],
  [
    'OpenLLMetry before that',
    span(
      {
        'llm.request.model': 'g',
        'llm.usage.prompt_tokens': 12,
        'llm.usage.completion_tokens': 5,
        'llm.prompts.0.content': 'hi',
        'llm.completions.0.content': 'ho',
      },
      { name: 'openai.chat' },
    ),
  ],
  [
    'the conventions whose texts are events of the span',
    span(
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'g',
        'gen_ai.usage.prompt_tokens': 12,
        'gen_ai.usage.completion_tokens': 5,
      },
      {
        events: [
          { name: 'gen_ai.user.message', attributes: attributesOf({ content: 'hi' }) },
          { name: 'gen_ai.choice', attributes: attributesOf({ message: 'ho' }) },
        ],
      },
    ),
  ],
  [
    'the first conventions, one event for each side',
    span(
      {
        'gen_ai.request.model': 'g',
        'gen_ai.usage.prompt_tokens': 12,
        'gen_ai.usage.completion_tokens': 5,
      },
      {
        events: [
          { name: 'gen_ai.content.prompt', attributes: attributesOf({ 'gen_ai.prompt': 'hi' }) },
          {
            name: 'gen_ai.content.completion',
            attributes: attributesOf({ 'gen_ai.completion': 'ho' }),
          },
        ],
      },
    ),
  ],
  [
    'OpenInference',
    span(
      {
        'openinference.span.kind': 'LLM',
        'llm.model_name': 'g',
        'llm.token_count.prompt': 12,
        'llm.token_count.completion': 5,
        'input.value': 'hi',
        'output.value': 'ho',
      },
      { name: 'ChatCompletion' },
    ),
  ],
  [
    'OpenInference, messages alone',
    span({
      'openinference.span.kind': 'LLM',
      'llm.model_name': 'g',
      'llm.token_count.prompt': 12,
      'llm.token_count.completion': 5,
      'llm.input_messages.0.message.role': 'user',
      'llm.input_messages.0.message.content': 'hi',
      'llm.output_messages.0.message.content': 'ho',
    }),
  ],
  [
    'the AI SDK before its fifth',
    span(
      {
        'ai.model.id': 'g',
        'ai.usage.promptTokens': 12,
        'ai.usage.completionTokens': 5,
        'ai.prompt.messages': 'hi',
        'ai.response.text': 'ho',
      },
      { name: 'ai.generateText.doGenerate' },
    ),
  ],
])('%s: a prediction with its tokens and texts', (_, record) => {
  const { predictions, ignored } = traces(record)
  expect([predictions.map(said), ignored]).toEqual([[SAID], 0])
  expect(told('predictions', predictions[0]!)).toBe('')
})

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

test('spans around a model call are ignored, and counted', () => {
  const { predictions, ignored } = traces(
    span({ 'traceloop.span.kind': 'workflow' }),
    span({ 'openinference.span.kind': 'CHAIN', 'input.value': 'hi' }),
    span({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.request.model': 'g' }),
    span({ 'llm.request.type': 'unknown' }),
    span({ 'http.method': 'GET' }),
  )
  expect([predictions, ignored]).toEqual([[], 5])
})

test('one odd attribute is left out, the event stays', () => {
  const [event] = traces(
    span(
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.usage.input_tokens': -1,
        'gen_ai.usage.output_tokens': 'many',
        'gen_ai.response.model': '',
        'gen_ai.request.model': 'g',
      },
      { startTimeUnixNano: '1767225609000000000' },
    ),
  ).predictions
  expect(said(event)).toEqual({
    version: 'g',
    tokens: [undefined, undefined],
    texts: [undefined, undefined],
  })
  expect(event).not.toHaveProperty('latency_ms')
  expect(told('predictions', event!)).toBe('')
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
