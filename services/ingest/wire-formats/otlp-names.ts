/**
 * What the attributes and events of a span say of a model call, by the names of each time: today's
 * GenAI conventions and those before them, OpenLLMetry's, OpenInference's and the Vercel AI SDK's.
 * The first name that is given tells.
 */
import { first, textsOf, type Attributes, type SpanEvent } from './otlp-texts.ts'

/**
 * What a span is: a call of a model, an agent or a tool, another part of a GenAI application, or
 * nothing of one.
 */
export type SpanKind = 'model' | 'agent' | 'tool' | 'other' | 'none'

/** `gen_ai.operation.name`. */
const OPERATIONS: ReadonlyMap<unknown, SpanKind> = new Map([
  ['chat', 'model'],
  ['text_completion', 'model'],
  ['generate_content', 'model'],
  ['embeddings', 'model'],
  ['invoke_agent', 'agent'],
  ['execute_tool', 'tool'],
])
/** OpenLLMetry's `llm.request.type`. */
const REQUEST_TYPES: ReadonlySet<unknown> = new Set(['chat', 'completion', 'embedding', 'rerank'])
/** OpenInference's `openinference.span.kind`. */
const OPENINFERENCE_KINDS: ReadonlyMap<unknown, SpanKind> = new Map([
  ['LLM', 'model'],
  ['EMBEDDING', 'model'],
  ['RERANKER', 'model'],
  ['AGENT', 'agent'],
  ['TOOL', 'tool'],
])
/** OpenLLMetry's `traceloop.span.kind`. */
const TRACELOOP_KINDS: ReadonlyMap<unknown, SpanKind> = new Map([
  ['agent', 'agent'],
  ['tool', 'tool'],
])
const AI_SDK_SPAN = /^ai\.\w+\.do(Generate|Stream|Embed)$/
const AI_SDK_TOOL = 'ai.toolCall'
/** Names that only instrumentations of GenAI give. */
const GENAI_NAME = /^(?:gen_ai|llm|ai|openinference|traceloop)\./

/** What begins the labels that users give to spans of the Vercel AI SDK. */
export const AI_SDK_LABEL = 'ai.telemetry.metadata.'
const TRACELOOP_LABEL = 'traceloop.association.properties.'

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
const CONVERSATION = [
  'gen_ai.conversation.id',
  'session.id',
  `${TRACELOOP_LABEL}session_id`,
  `${AI_SDK_LABEL}sessionId`,
]
const USER = ['user.id', 'enduser.id', `${TRACELOOP_LABEL}user_id`, `${AI_SDK_LABEL}userId`]
const COST = ['gen_ai.usage.cost', 'llm.cost.total']
/** In seconds: of the GenAI conventions, and what vLLM gives its spans. */
const FIRST_TOKEN_S = ['gen_ai.response.time_to_first_chunk', 'gen_ai.latency.time_to_first_token']
/** In milliseconds: of the Vercel AI SDK, today and before. */
const FIRST_TOKEN_MS = ['ai.response.msToFirstChunk', 'ai.stream.msToFirstChunk']
/** The span event by which OpenInference tells the first token. */
const FIRST_TOKEN_EVENT = 'First Token Stream Event'
const PROMPT_NAME = ['gen_ai.prompt.name', 'traceloop.prompt.key', 'llm.prompt_template.name']
const PROMPT_VERSION = [
  'gen_ai.prompt.version',
  'llm.prompt_template.version',
  'traceloop.prompt.version',
  'traceloop.prompt.version_name',
]
const AGENT = ['gen_ai.agent.name', 'agent.name']
const TOOL = ['gen_ai.tool.name', 'ai.toolCall.name', 'tool.name']
const ENTITY = 'traceloop.entity.name'
/** Labels that are fields of the event. */
const FIELD_LABELS = new Set([
  ...['prediction_id', 'model_id', 'userId', 'sessionId'].map((name) => AI_SDK_LABEL + name),
  ...['user_id', 'session_id'].map((name) => TRACELOOP_LABEL + name),
])
/** What a span is, by its name and attributes. */
export function spanKindOf(name: string, a: Attributes): SpanKind {
  if (AI_SDK_SPAN.test(name)) return 'model'
  if (name === AI_SDK_TOOL) return 'tool'
  const operation = a.get('gen_ai.operation.name')
  if (operation !== undefined) return OPERATIONS.get(operation) ?? 'other'
  const type = a.get('llm.request.type')
  if (type !== undefined) return REQUEST_TYPES.has(type) ? 'model' : 'other'
  const inference = a.get('openinference.span.kind')
  if (inference !== undefined) return OPENINFERENCE_KINDS.get(inference) ?? 'other'
  const traceloop = a.get('traceloop.span.kind')
  if (traceloop !== undefined) return TRACELOOP_KINDS.get(traceloop) ?? 'other'
  // Older conventions have no name for operations: the requested model identifies a call.
  if (a.has('gen_ai.request.model') || a.has('llm.request.model')) return 'model'
  for (const key of a.keys()) if (GENAI_NAME.test(key)) return 'other'
  return 'none'
}

/** What is read of a model call; each part undefined where nothing says it. */
export interface ModelCall {
  /**
   * What answered: the model; of an agent or a tool `invoke_agent` or `execute_tool` and its name.
   */
  version: unknown
  provider: unknown
  operation: unknown
  conversation: unknown
  user: unknown
  promptName: unknown
  promptVersion: unknown
  agent: unknown
  tool: unknown
  /** Labels of the user's own, by their names. */
  labels: Readonly<Record<string, unknown>>
  costUsd: number | undefined
  finishReason: unknown
  inputTokens: number | undefined
  outputTokens: number | undefined
  timeToFirstTokenMs: number | undefined
  /** When the first token came, as a span event tells it: nanoseconds since 1970. */
  firstTokenAt: string | number | undefined
  /** A text, or messages. */
  input: unknown
  output: unknown
}

/**
 * Reads a call from a span or log record, whichever convention its attributes follow.
 *
 * @param kind what {@link spanKindOf} tells of the span
 * @param events of the span, which older conventions keep texts in
 */
export function modelCallOf(
  kind: SpanKind,
  a: Attributes,
  events: readonly SpanEvent[],
): ModelCall {
  const agent = first(a, AGENT) ?? (kind === 'agent' ? a.get(ENTITY) : undefined)
  const tool = first(a, TOOL) ?? (kind === 'tool' ? a.get(ENTITY) : undefined)
  return {
    version: versionOf(kind, a, kind === 'agent' ? agent : tool),
    provider: first(a, ['gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system']),
    operation:
      OPERATION_OF[kind] ??
      first(a, ['gen_ai.operation.name', 'llm.request.type', 'openinference.span.kind']),
    conversation: first(a, CONVERSATION),
    user: first(a, USER),
    promptName: first(a, PROMPT_NAME),
    promptVersion: first(a, PROMPT_VERSION),
    agent,
    tool,
    labels: labelsOf(a),
    costUsd: number(first(a, COST)),
    inputTokens: number(first(a, INPUT_TOKENS)),
    outputTokens: number(first(a, OUTPUT_TOKENS)),
    timeToFirstTokenMs: firstTokenMs(a),
    firstTokenAt: events.find(({ name }) => name === FIRST_TOKEN_EVENT)?.at,
    ...textsOf(a, events),
  }
}

const OPERATION_OF: Partial<Record<SpanKind, string>> = {
  agent: 'invoke_agent',
  tool: 'execute_tool',
}

/**
 * An agent's call holds the model's and the tools' calls within it: as versions of their own they
 * are evaluated apart. They are named as the conventions name their spans.
 */
function versionOf(kind: SpanKind, a: Attributes, name: unknown): unknown {
  const operation = OPERATION_OF[kind]
  if (operation === undefined) return first(a, MODEL)
  if (typeof name !== 'string') return operation
  const version = kind === 'agent' ? a.get('gen_ai.agent.version') : undefined
  return typeof version === 'string' && version !== ''
    ? `${operation} ${name}@${version}`
    : `${operation} ${name}`
}

function firstTokenMs(a: Attributes): number | undefined {
  const seconds = number(first(a, FIRST_TOKEN_S))
  return seconds === undefined ? number(first(a, FIRST_TOKEN_MS)) : 1000 * seconds
}

function labelsOf(a: Attributes): Record<string, unknown> {
  const labels: [string, unknown][] = []
  for (const key of a.keys()) {
    const start = key.startsWith(AI_SDK_LABEL)
      ? AI_SDK_LABEL
      : key.startsWith(TRACELOOP_LABEL)
        ? TRACELOOP_LABEL
        : undefined
    if (start !== undefined && !FIELD_LABELS.has(key))
      labels.push([key.slice(start.length), a.get(key)])
  }
  return Object.fromEntries(labels)
}

/** A number, or the number that a text is; undefined for all else. */
export const number = (value: unknown) =>
  typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
    ? Number(value)
    : undefined
