/**
 * What the attributes and events of a span say of a model call, by the names of each time: today's GenAI conventions and those
 * before them, OpenLLMetry's, OpenInference's and the Vercel AI SDK's. The first name that is given tells.
 */

/** Attributes of a span or log record by name, their values decoded. */
export type Attributes = ReadonlyMap<string, unknown>

/** An event of a span. */
export interface SpanEvent {
  name: string
  attributes: Attributes
}

const OPERATIONS = new Set(['chat', 'text_completion', 'generate_content', 'embeddings'])
/** OpenLLMetry's `llm.request.type`. */
const REQUEST_TYPES = new Set(['chat', 'completion', 'embedding', 'rerank'])
/** OpenInference's `openinference.span.kind`. */
const SPAN_KINDS = new Set(['LLM', 'EMBEDDING', 'RERANKER'])
const AI_SDK_SPAN = /^ai\.\w+\.do(Generate|Stream|Embed)$/

const MODEL = [
  'gen_ai.response.model',
  'gen_ai.request.model',
  'ai.model.id',
  'llm.response.model',
  'llm.request.model',
  'llm.model_name',
  'embedding.model_name',
]
const INPUT_TOKENS = [
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.prompt_tokens',
  'llm.usage.prompt_tokens',
  'llm.token_count.prompt',
  'ai.usage.inputTokens',
  'ai.usage.promptTokens',
]
const OUTPUT_TOKENS = [
  'gen_ai.usage.output_tokens',
  'gen_ai.usage.completion_tokens',
  'llm.usage.completion_tokens',
  'llm.token_count.completion',
  'ai.usage.outputTokens',
  'ai.usage.completionTokens',
]
const FINISH_REASON = [
  'gen_ai.response.finish_reasons',
  'llm.response.finish_reason',
  'gen_ai.completion.0.finish_reason',
  'ai.response.finishReason',
]
const INPUT_TEXT = [
  'gen_ai.input.messages',
  'ai.prompt.messages',
  'ai.prompt',
  'gen_ai.prompt',
  'input.value',
]
const OUTPUT_TEXT = [
  'gen_ai.output.messages',
  'ai.response.text',
  'gen_ai.completion',
  'output.value',
]
/** Messages one attribute a part: `<family>.<place>.content` or `<family>.<place>.message.content`. */
const INPUT_FAMILIES = ['gen_ai.prompt', 'llm.prompts', 'llm.input_messages']
const OUTPUT_FAMILIES = ['gen_ai.completion', 'llm.completions', 'llm.output_messages']
const INPUT_EVENT = /^gen_ai\.(system|user|assistant|tool)\.message$/
const CHOICE = 'gen_ai.choice'

/** Whether a span is one call of a model, and no chain, agent or tool around it. */
export function isModelCall(name: string, a: Attributes): boolean {
  const operation = a.get('gen_ai.operation.name')
  if (operation !== undefined) return OPERATIONS.has(operation as string) || AI_SDK_SPAN.test(name)
  const type = a.get('llm.request.type')
  if (type !== undefined) return REQUEST_TYPES.has(type as string)
  const kind = a.get('openinference.span.kind')
  if (kind !== undefined) return SPAN_KINDS.has(kind as string)
  // Older conventions have no name for operations: the requested model identifies a call.
  return AI_SDK_SPAN.test(name) || a.has('gen_ai.request.model') || a.has('llm.request.model')
}

/** What is read of a model call; each part undefined where nothing says it. */
export interface ModelCall {
  model: unknown
  provider: unknown
  operation: unknown
  conversation: unknown
  finishReason: unknown
  inputTokens: number | undefined
  outputTokens: number | undefined
  /** A text, or messages. */
  input: unknown
  output: unknown
}

/** Reads a model call from a span or log record, whichever convention its attributes follow. */
export function modelCallOf(a: Attributes, events: readonly SpanEvent[]): ModelCall {
  const inputs = events.filter(({ name }) => INPUT_EVENT.test(name)).map(inputMessage)
  const choices = events.filter(({ name }) => name === CHOICE)
  const eventText = (name: string) =>
    events.map((event) => event.attributes.get(name)).find((value) => value !== undefined)
  return {
    model: first(a, MODEL),
    provider: first(a, ['gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system']),
    operation: first(a, ['gen_ai.operation.name', 'llm.request.type', 'openinference.span.kind']),
    conversation: first(a, ['gen_ai.conversation.id', 'session.id']),
    finishReason: firstOf(first(a, FINISH_REASON)) ?? choices[0]?.attributes.get('finish_reason'),
    inputTokens: count(first(a, INPUT_TOKENS)),
    outputTokens: count(first(a, OUTPUT_TOKENS)),
    input:
      first(a, INPUT_TEXT) ??
      alone(messagesOf(a, INPUT_FAMILIES)) ??
      alone(inputs) ??
      eventText('gen_ai.prompt'),
    output:
      first(a, OUTPUT_TEXT) ??
      alone(messagesOf(a, OUTPUT_FAMILIES)) ??
      alone(choices.map(choiceMessage)) ??
      eventText('gen_ai.completion'),
  }
}

interface Message {
  role?: unknown
  content?: unknown
}

const inputMessage = ({ name, attributes }: SpanEvent): Message => ({
  role: attributes.get('role') ?? INPUT_EVENT.exec(name)![1],
  content: attributes.get('content') ?? attributes.get('tool_calls'),
})

const choiceMessage = ({ attributes }: SpanEvent): Message => ({
  role: attributes.get('role') ?? 'assistant',
  content: attributes.get('message') ?? attributes.get('content') ?? attributes.get('tool_calls'),
})

/** The messages of the first family that has any, in the order of their places. */
function messagesOf(a: Attributes, families: readonly string[]): Message[] {
  for (const family of families) {
    const messages = new Map<number, Message>()
    for (const [name, value] of a) {
      if (!name.startsWith(`${family}.`)) continue
      const part = /^(\d{1,6})\.(?:message\.)?(role|content)$/.exec(name.slice(family.length + 1))
      if (!part) continue
      const place = Number(part[1])
      messages.set(place, { ...messages.get(place), [part[2]!]: value })
    }
    if (messages.size > 0)
      return [...messages].sort(([one], [other]) => one - other).map(([, message]) => message)
  }
  return []
}

/** One message is its content; several are told with their roles. */
function alone(messages: readonly Message[]): unknown {
  if (messages.length > 1) return messages
  return messages[0]?.content
}

const first = (a: Attributes, names: readonly string[]) =>
  names.map((name) => a.get(name)).find((value) => value !== undefined && value !== '')

const firstOf = (value: unknown) => (Array.isArray(value) ? (value as unknown[])[0] : value)

const count = (value: unknown) =>
  typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
    ? Number(value)
    : undefined
