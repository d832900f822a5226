/** The request to an endpoint of the shape of OpenAI's chat completions. */
import type { ModelJudge } from '../../../../schemas/language-models/judges.ts'
import { answerSchema } from './judgement.ts'
import type { ChatMessage } from './prompt.ts'

/**
 * The body that asks a judge, as JSON: equal prompts give equal bytes. A command is given the same on
 * its standard input.
 */
export function requestBody(judge: ModelJudge, messages: readonly ChatMessage[]): string {
  const { endpoint, answer, max_tokens } = judge
  const { model, parameters, response_format, output_limit = 'max_tokens' } = endpoint ?? {}
  return JSON.stringify({
    temperature: 0,
    ...parameters,
    ...(model !== undefined && { model }),
    messages,
    [output_limit]: max_tokens,
    stream: false,
    ...formatOf(response_format ?? 'json_schema', answer),
  })
}

function formatOf(
  format: 'json_schema' | 'json_object' | 'none',
  answer: ModelJudge['answer'],
): object {
  if (format === 'none') return {}
  if (format === 'json_object') return { response_format: { type: format } }
  const json_schema = { name: 'judgement', strict: true, schema: answerSchema(answer) }
  return { response_format: { type: format, json_schema } }
}
