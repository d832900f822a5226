/** Who a judge is: the names by which its questions and labels are known. */
import { createHash } from 'node:crypto'
import { ID_SEPARATOR } from '../../../../schemas/fields.ts'
import type { JudgeEndpoint, ModelJudge } from '../../../../schemas/language-models/judges.ts'

/** The labeler of a judge's labels: `name@version`. */
export const labelerOf = ({ name, version }: Pick<ModelJudge, 'name' | 'version'>): string =>
  `${name}@${version}`

/** Name of a judge's labels. */
export const labelNameOf = ({ name, label }: Pick<ModelJudge, 'name' | 'label'>): string =>
  label ?? name

/** The question of one judge about one prediction, 32 hex digits; another version has another. */
export const questionId = (
  modelId: string,
  judge: Pick<ModelJudge, 'name' | 'version'>,
  predictionId: string,
): string =>
  shaOf([modelId, judge.name, judge.version, predictionId].join(ID_SEPARATOR)).slice(0, 32)

/** The `label_id` of the answer to a question: sent twice, it counts once. */
export const labelIdOf = (question: string): string => `judge:${question}`

/**
 * A hash of all that a judge's answers depend on, 64 hex digits: one version of a judge has one, so
 * that its labels can be compared.
 *
 * @param promptText the prompt file as it stands
 */
export function recipeOf(judge: ModelJudge, promptText: string): string {
  const { answer, command, endpoint, max_tokens } = judge
  const { key: _key, provider: _provider, ...asked } = endpoint ?? ({} as Partial<JudgeEndpoint>)
  return shaOf(
    JSON.stringify([promptText, answer, labelNameOf(judge), asked, command ?? [], max_tokens]),
  )
}

/** SHA-256 of a text as 64 hex digits. */
export const shaOf = (text: string): string => createHash('sha256').update(text).digest('hex')
