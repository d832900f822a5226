/** What a model call read and wrote, as texts or messages, by the names of each convention. */

/** Attributes of a span or log record by name, their values decoded. */
export type Attributes = ReadonlyMap<string, unknown>

/** An event of a span. */
export interface SpanEvent {
  name: string
  /** When it happened, in nanoseconds since 1970. */
  at: string | number | undefined
  attributes: Attributes
}

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
  'gen_ai.tool.call.arguments',
  'ai.toolCall.args',
  'input.value',
  'traceloop.entity.input',
]
const OUTPUT_TEXT = [
  'gen_ai.output.messages',
  'ai.response.text',
  'gen_ai.completion',
  'gen_ai.tool.call.result',
  'ai.toolCall.result',
  'output.value',
  'traceloop.entity.output',
]
/**
 * Messages one attribute a part: `<family>.<place>.content` or `<family>.<place>.message.content`.
 */
const INPUT_FAMILIES = ['gen_ai.prompt', 'llm.prompts', 'llm.input_messages']
const OUTPUT_FAMILIES = ['gen_ai.completion', 'llm.completions', 'llm.output_messages']
const INPUT_EVENT = /^gen_ai\.(system|user|assistant|tool)\.message$/
const CHOICE = 'gen_ai.choice'

/** What a call read, what it wrote and why it ended; each undefined where nothing says it. */
export function textsOf(a: Attributes, events: readonly SpanEvent[]) {
  const inputs = events.filter(({ name }) => INPUT_EVENT.test(name)).map(inputMessage)
  const choices = events.filter(({ name }) => name === CHOICE)
  const eventText = (name: string) =>
    events.map((event) => event.attributes.get(name)).find((value) => value !== undefined)
  return {
    finishReason: firstOf(first(a, FINISH_REASON)) ?? choices[0]?.attributes.get('finish_reason'),
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

/** The first of these attributes that is given, and is not the empty text. */
export function first(a: Attributes, names: readonly string[]): unknown {
  for (const name of names) {
    const value = a.get(name)
    if (value !== undefined && value !== '') return value
  }
  return undefined
}

const firstOf = (value: unknown) => (Array.isArray(value) ? (value as unknown[])[0] : value)
