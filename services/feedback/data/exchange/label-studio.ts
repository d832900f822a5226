/**
 * Annotations of Label Studio (1.23) as labels: its exports JSON and JSON_MIN, and its webhooks
 * `ANNOTATION_CREATED` and `ANNOTATION_UPDATED`.
 */
import { isObject, labelOf, type ForeignLabel, type JsonObject } from './foreign-labels.ts'

/**
 * The labels of a body: a webhook, a task, or an array of tasks. A skipped task (`was_cancelled`)
 * says nothing about the truth and gives none.
 */
export function labelStudioLabels(body: unknown): ForeignLabel[] {
  if (isObject(body) && typeof body['action'] === 'string') return ofWebhook(body)
  return (Array.isArray(body) ? body : [body]).flatMap(ofTask)
}

function ofWebhook({ action, task, annotation }: JsonObject): ForeignLabel[] {
  if (action !== 'ANNOTATION_CREATED' && action !== 'ANNOTATION_UPDATED')
    return [
      {
        refused: `action ${String(action).slice(0, 100)} gives no label; it must be ANNOTATION_CREATED or ANNOTATION_UPDATED. A deletion names no prediction: retract the label`,
      },
    ]
  const data = isObject(task) ? task['data'] : undefined
  if (!isObject(data) || !isObject(annotation))
    return [{ refused: 'a webhook must have annotation and task.data (send the payload with it)' }]
  return ofAnnotation(annotation, data)
}

function ofTask(task: unknown): ForeignLabel[] {
  if (!isObject(task)) return [{ refused: 'a task must be an object' }]
  const { data, annotations } = task
  if (Array.isArray(annotations) && isObject(data))
    return annotations.flatMap((one: unknown) =>
      isObject(one) ? ofAnnotation(one, data) : [{ refused: 'an annotation must be an object' }],
    )
  return ofFlatTask(task)
}

/** A task of JSON_MIN: its data and the answer in one object. */
function ofFlatTask(task: JsonObject): ForeignLabel[] {
  const value = flatValue(task['label'])
  if (value === undefined)
    return [{ refused: 'a task must have data and annotations, or (JSON_MIN) label' }]
  return [
    labelOf({
      product: 'label-studio',
      of: task,
      question: 'label',
      value,
      labeler: task['annotator'],
      labelledAt: task['updated_at'] ?? task['created_at'],
      answerId: answerIdOf(task['annotation_id'], task),
    }),
  ]
}

function flatValue(label: unknown): string | number | readonly string[] | undefined {
  const given = isObject(label) ? label['choices'] : label
  return typeof given === 'string' || typeof given === 'number' ? given : textsOf(given)
}

/** An annotation that is changed later is another answer. */
const answerIdOf = (id: unknown, { updated_at, created_at }: JsonObject) =>
  `${String(id)}@${String(updated_at ?? created_at)}`

function ofAnnotation(annotation: JsonObject, data: JsonObject): ForeignLabel[] {
  if (annotation['was_cancelled'] === true) return []
  const { result } = annotation
  if (!Array.isArray(result) || result.length === 0)
    return [{ refused: 'an annotation must have a result' }]
  return result.map((one: unknown) => {
    const value = isObject(one) && isObject(one['value']) ? valueOf(one['value']) : undefined
    if (!isObject(one) || value === undefined)
      return {
        refused: `a result of type ${String(isObject(one) ? one['type'] : one).slice(0, 100)} is no label; it must be choices, number, rating or text`,
      }
    return labelOf({
      product: 'label-studio',
      of: data,
      question: String(one['from_name']),
      value,
      labeler: annotation['completed_by'],
      labelledAt: annotation['updated_at'] ?? annotation['created_at'],
      answerId: answerIdOf(annotation['unique_id'] ?? annotation['id'], annotation),
    })
  })
}

function valueOf({ choices, number, rating, text }: JsonObject) {
  for (const given of [number, rating]) if (typeof given === 'number') return given
  if (typeof text === 'string') return text
  const texts = textsOf(choices)
  if (texts !== undefined) return texts
  const written = textsOf(text)
  return typeof written === 'string' ? written : written?.join('\n')
}

/** One text of an array of one; undefined where there is none, or it holds another thing. */
function textsOf(given: unknown): string | readonly string[] | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined
  const texts = given.filter((one): one is string => typeof one === 'string')
  if (texts.length < given.length) return undefined
  return texts.length === 1 ? texts[0] : texts
}
