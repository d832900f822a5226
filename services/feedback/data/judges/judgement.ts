/** What a judge answers: its JSON schema, and the answer that fits it or why it does not. */
import { Ajv } from 'ajv'
import { scanValue } from '../../../../lib/events/json/duplicate-keys.ts'
import type { JudgeAnswer } from '../../../../schemas/language-models/judges.ts'

/** Why an answer gives no label. */
export const INVALID_REASONS = [
  'not_a_completion',
  'refused',
  'cut_off',
  'too_large',
  'not_json',
  'wrong_shape',
  'not_a_class',
  'out_of_range',
] as const
/** A reason for which an answer gives no label. */
export type InvalidReason = (typeof INVALID_REASONS)[number]

/** An answer that fits, or why it does not. */
export type Judgement =
  | { kind: 'valid'; label: string | number; comment: string }
  | { kind: 'invalid'; reason: InvalidReason }

/** The answers to a pair: which text is the better one. */
const PREFERENCES = ['first', 'second', 'tie']

/** Tokens that an endpoint says it has used. */
export interface Usage {
  inputTokens: number
  outputTokens: number
}

/** What an endpoint answered: the text of the model and the tokens, where it tells them. */
export type Completion =
  | { kind: 'text'; text: string; usage: Usage | undefined }
  | { kind: 'invalid'; reason: InvalidReason; usage: Usage | undefined }

/** Most characters of the text in it. */
const MAX_TEXT = 32_768
/** Characters of a comment that are kept. */
const MAX_COMMENT = 1000

/** The JSON schema of the answers to a question. */
export const answerSchema = (answer: JudgeAnswer): object => ({
  type: 'object',
  properties: {
    comment: { type: 'string', description: 'Why, in a sentence or two.' },
    label: labelSchema(answer),
  },
  required: ['comment', 'label'],
  additionalProperties: false,
})

const labelSchema = ({ classes, pair, minimum, maximum, whole }: JudgeAnswer): object =>
  classes || pair
    ? { type: 'string', enum: classes ?? PREFERENCES }
    : { type: whole ? 'integer' : 'number', minimum, maximum }

/** Whether the answers are numbers of a range. */
export const isNumberAnswer = ({ classes, pair }: JudgeAnswer): boolean =>
  classes === undefined && pair === undefined

/** Reads what an endpoint of the shape of OpenAI's chat completions has answered. */
export function readCompletion(text: string): Completion {
  const answer = objectIn(text)
  const usage = usageOf(answer?.['usage'])
  const invalid = (reason: InvalidReason): Completion => ({ kind: 'invalid', reason, usage })
  const choices = answer?.['choices']
  const choice = asObject(Array.isArray(choices) ? choices[0] : undefined)
  const message = asObject(choice?.['message'])
  if (!choice || !message) return invalid('not_a_completion')
  if (typeof message['refusal'] === 'string' && message['refusal'] !== '') return invalid('refused')
  if (choice['finish_reason'] === 'length') return invalid('cut_off')
  if (choice['finish_reason'] === 'content_filter') return invalid('refused')
  const content = message['content']
  if (typeof content !== 'string') return invalid('not_a_completion')
  return content.length > MAX_TEXT ? invalid('too_large') : { kind: 'text', text: content, usage }
}

/** Holds the text of a model against the question; a fence of Markdown around it is taken off. */
export function readJudgement(text: string, answer: JudgeAnswer): Judgement {
  const invalid = (reason: InvalidReason): Judgement => ({ kind: 'invalid', reason })
  const json = unfenced(text)
  const found = parsed(json)
  if (found === undefined || isAmbiguous(json)) return invalid('not_json')
  const validate = validatorOf(answer)
  if (validate(found)) {
    const { label, comment } = found as { label: string | number; comment: string }
    return { kind: 'valid', label, comment: shown(comment) }
  }
  const isLabel = (validate.errors ?? []).every(({ instancePath }) => instancePath === '/label')
  const label = asObject(found)?.['label']
  const isNumber = isNumberAnswer(answer)
  if (isLabel && !isNumber && typeof label === 'string') return invalid('not_a_class')
  if (isLabel && isNumber && typeof label === 'number') return invalid('out_of_range')
  return invalid('wrong_shape')
}

/** Validators by question: model files have few. */
const validators = new WeakMap<JudgeAnswer, ReturnType<Ajv['compile']>>()

function validatorOf(answer: JudgeAnswer) {
  const known = validators.get(answer)
  if (known) return known
  const made = new Ajv({ allErrors: true }).compile(answerSchema(answer))
  validators.set(answer, made)
  return made
}

const FENCE = /^```(?:json)?[ \t]*\n([^]*)\n```$/
const unfenced = (text: string): string => FENCE.exec(text.trim())?.[1] ?? text.trim()

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Whether a key is given twice, of which a reader takes one and another the other. */
function isAmbiguous(json: string): boolean {
  const { repeated, unparsable } = scanValue(json, 0)
  return repeated !== undefined || unparsable !== undefined
}

const objectIn = (text: string) => asObject(parsed(text))

const asObject = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined

/** Undefined unless both are counts: what says nothing of its tokens is charged as the most it may cost. */
function usageOf(usage: unknown): Usage | undefined {
  const { prompt_tokens: input, completion_tokens: output } = asObject(usage) ?? {}
  return isCount(input) && isCount(output)
    ? { inputTokens: input, outputTokens: output }
    : undefined
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

/** What a store takes of a comment. */
const shown = (comment: string): string =>
  comment.toWellFormed().replaceAll(/\p{C}/gu, ' ').trim().slice(0, MAX_COMMENT).toWellFormed()
