/** Responses of Argilla (2.8) as labels: records as `dataset.records.to_json` writes them. */
import { createHash } from 'node:crypto'
import { isObject, labelOf, type ForeignLabel, type JsonObject } from './foreign-labels.ts'

/**
 * The labels of a record, or of an array of them. Records have no time: their labels are of `now`,
 * and the same answer of the same person is one label however often it comes.
 *
 * @param now epoch milliseconds
 */
export function argillaLabels(body: unknown, now: number): ForeignLabel[] {
  return (Array.isArray(body) ? body : [body]).flatMap((record: unknown) =>
    isObject(record) ? ofRecord(record, now) : [{ refused: 'a record must be an object' }],
  )
}

function ofRecord({ id, metadata, responses }: JsonObject, now: number): ForeignLabel[] {
  if (!isObject(responses)) return [{ refused: 'a record must have responses' }]
  const of = { prediction_id: id, ...(isObject(metadata) && metadata) }
  return Object.entries(responses).flatMap(([question, given]) =>
    (Array.isArray(given) ? given : [given]).map((response: unknown) =>
      isObject(response)
        ? ofResponse(response, { of, question, now })
        : { refused: 'a response must be an object' },
    ),
  )
}

function ofResponse(
  { value, user_id }: JsonObject,
  { of, question, now }: { of: JsonObject; question: string; now: number },
): ForeignLabel {
  const isTexts =
    Array.isArray(value) && value.every((one): one is string => typeof one === 'string')
  if (typeof value !== 'string' && typeof value !== 'number' && !isTexts)
    return {
      refused: `the value of ${question.slice(0, 100)} is no label; it must be a text, a number or a list of texts`,
    }
  const said = createHash('sha256').update(JSON.stringify([of['prediction_id'], value]))
  return labelOf({
    product: 'argilla',
    of,
    question,
    value,
    labeler: user_id,
    labelledAt: new Date(now).toISOString(),
    answerId: `${String(user_id)}/${said.digest('hex').slice(0, 32)}`,
  })
}
