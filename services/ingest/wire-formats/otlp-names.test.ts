/**
 * The names that conventions have given to a call of a model, an agent or a tool: each gives the
 * same prediction.
 */
import { expect, test } from 'vitest'
import type { RawEvent } from '../../../lib/events/validator.ts'
import { attributesOf, span, told, traces } from '../../../test/planted/otlp-records.ts'

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
  expect([predictions.map(said), ignored]).toEqual([[SAID], []])
  expect(told('predictions', predictions[0]!)).toBe('')
})

test('spans around a model call are ignored, each with its reason', () => {
  const { predictions, ignored } = traces(
    span({ 'traceloop.span.kind': 'workflow' }),
    span({ 'openinference.span.kind': 'CHAIN', 'input.value': 'hi' }),
    span({ 'gen_ai.operation.name': 'create_agent', 'gen_ai.request.model': 'g' }),
    span({ 'llm.request.type': 'unknown' }),
    span({ 'gen_ai.tool.name': 'search' }),
    span({ 'http.method': 'GET' }),
  )
  expect([predictions, ignored]).toEqual([
    [],
    [...Array.from({ length: 5 }, () => 'no_model_call'), 'no_genai_operation'],
  ])
})

test.each([
  ['chat', 'g'],
  ['text_completion', 'g'],
  ['embeddings', 'g'],
  ['invoke_agent', 'invoke_agent planner@3'],
  ['execute_tool', 'execute_tool search'],
])('%s is a prediction of the version %s', (operation, version) => {
  const [event] = traces(
    span({
      'gen_ai.operation.name': operation,
      'gen_ai.request.model': 'g',
      'gen_ai.agent.name': 'planner',
      'gen_ai.agent.version': '3',
      'gen_ai.tool.name': 'search',
    }),
  ).predictions
  expect(event).toMatchObject({
    model_id: 'bot',
    model_version: version,
    attributes: { operation, agent: 'planner', tool: 'search' },
  })
  expect(told('predictions', event!)).toBe('')
})

const TOLD = {
  version: 'execute_tool search',
  texts: ['{"q":1}', 'found'],
  ids: ['ann', 's-1'],
  operation: 'execute_tool',
}
test.each([
  [
    'the conventions',
    span({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'search',
      'gen_ai.tool.call.arguments': '{"q":1}',
      'gen_ai.tool.call.result': 'found',
      'user.id': 'ann',
      'gen_ai.conversation.id': 's-1',
    }),
  ],
  [
    'OpenInference',
    span({
      'openinference.span.kind': 'TOOL',
      'tool.name': 'search',
      'input.value': '{"q":1}',
      'output.value': 'found',
      'user.id': 'ann',
      'session.id': 's-1',
    }),
  ],
  [
    'OpenLLMetry',
    span({
      'traceloop.span.kind': 'tool',
      'traceloop.entity.name': 'search',
      'traceloop.entity.input': '{"q":1}',
      'traceloop.entity.output': 'found',
      'traceloop.association.properties.user_id': 'ann',
      'traceloop.association.properties.session_id': 's-1',
    }),
  ],
  [
    'the AI SDK',
    span(
      {
        'ai.toolCall.name': 'search',
        'ai.toolCall.args': '{"q":1}',
        'ai.toolCall.result': 'found',
        'ai.telemetry.metadata.userId': 'ann',
        'ai.telemetry.metadata.sessionId': 's-1',
      },
      { name: 'ai.toolCall' },
    ),
  ],
])('a tool by the names of %s: its texts, its user and its session', (_, record) => {
  const [event] = traces(record).predictions
  expect({
    version: event!['model_version'],
    texts: [event!['input_text'], event!['output_text']],
    ids: [event!['subject_id'], event!['group_id']],
    operation: (event!['attributes'] as RawEvent)['operation'],
  }).toEqual(TOLD)
  expect(event!['attributes']).not.toHaveProperty('user_id')
  expect(event!['attributes']).not.toHaveProperty('userId')
})

test.each([
  ['the conventions', { 'gen_ai.prompt.name': 'greeting', 'gen_ai.prompt.version': '4' }],
  ['OpenInference', { 'llm.prompt_template.name': 'greeting', 'llm.prompt_template.version': '4' }],
  ['OpenLLMetry', { 'traceloop.prompt.key': 'greeting', 'traceloop.prompt.version': 4 }],
])('the prompt and its version by the names of %s are attributes', (_, given) => {
  const [event] = traces(
    span({ 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'g', ...given }),
  ).predictions
  expect(event!['attributes']).toMatchObject({ prompt_name: 'greeting', prompt_version: '4' })
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

const START = 1_767_225_600_000
const started = { startTimeUnixNano: `${START}000000`, endTimeUnixNano: `${START + 4000}000000` }
const firstTokenEvent = (atMs: number | string) => ({
  ...started,
  events: [{ name: 'First Token Stream Event', timeUnixNano: `${atMs}000000` }],
})

test.each([
  ['the conventions, in seconds', { 'gen_ai.response.time_to_first_chunk': 0.25 }, {}, 250],
  ['vLLM, in seconds', { 'gen_ai.latency.time_to_first_token': 0.25 }, {}, 250],
  ['the Vercel AI SDK, in milliseconds', { 'ai.response.msToFirstChunk': 250 }, {}, 250],
  ['the Vercel AI SDK before that', { 'ai.stream.msToFirstChunk': '250' }, {}, 250],
  ['an event of OpenInference', {}, firstTokenEvent(START + 250), 250],
  ['an attribute before an event', { 'ai.response.msToFirstChunk': 5 }, firstTokenEvent(START), 5],
  ['nothing', {}, started, undefined],
  ['an event without a time', {}, { ...started, events: [{ name: 'First Token Stream Event' }] }],
  ['an event of time 0', {}, firstTokenEvent('')],
  ['an event before its span', {}, firstTokenEvent(START - 1)],
  ['a span without a start', {}, { ...firstTokenEvent(START), startTimeUnixNano: '0' }],
  ['a number below 0', { 'gen_ai.response.time_to_first_chunk': -1 }, {}],
  ['a word', { 'gen_ai.response.time_to_first_chunk': 'soon' }, {}],
  ['a list', { 'gen_ai.response.time_to_first_chunk': [1] }, {}],
])('a time to first token told by %s', (_, attributes, more, ms?: number) => {
  const call = span({ 'gen_ai.operation.name': 'chat', ...attributes }, more)
  const [event] = traces(call).predictions
  const found = event!['time_to_first_token_ms'] as number | undefined
  // Nanoseconds since 1970 are read as the nearest number.
  expect(found === undefined ? undefined : Math.round(100 * found) / 100).toBe(ms)
  expect(told('predictions', event!)).toBe('')
})
