/** What labels that come in another product's shape become. */

/** A label of ours, or why what came is none, as a sentence. */
export type ForeignLabel = { event: Record<string, unknown> } | { refused: string }

/** Who gave a label, to what, under which name, and when. */
export interface Given {
  /** Name of the product, with which ids and labelers begin. */
  product: 'label-studio' | 'argilla'
  /** What was labelled: fields of the task or record that say which prediction it is. */
  of: Readonly<Record<string, unknown>>
  /** The question that was answered; the ground truth is `label`. */
  question: string
  value: string | number | readonly string[]
  labeler: unknown
  /** RFC 3339. */
  labelledAt: unknown
  /** What makes one answer another than the next. */
  answerId: string
}

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value is an object of JSON. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The label of ours, whose fields the validator of labels checks as those of any other; the model
 * may be called `model`.
 */
export function labelOf(given: Given): ForeignLabel {
  const { product, of, question, value, labeler, labelledAt, answerId } = given
  const probability = of['inclusion_probability']
  return {
    event: {
      label_id: cut(`${product}/${answerId}/${question}`),
      model_id: cut(of['model_id'] ?? of['model']),
      prediction_id: cut(of['prediction_id']),
      label: value,
      labelled_at: cut(labelledAt),
      source: 'human_review',
      ...(question !== 'label' && { name: cut(question) }),
      ...(nameOf(labeler) !== undefined && { labeler: cut(`${product}/${nameOf(labeler)}`) }),
      ...(typeof probability === 'number' && { inclusion_probability: probability }),
    },
  }
}

/**
 * A text that is too long for an id stays too long, and is refused; it is not held once for each
 * answer of its task.
 */
const cut = (value: unknown) =>
  typeof value === 'string' ? value.slice(0, 300) : isObject(value) ? {} : value

/** A person by number or id; never by address. */
function nameOf(labeler: unknown): string | undefined {
  const id = isObject(labeler) ? labeler['id'] : labeler
  return typeof id === 'number' || (typeof id === 'string' && id !== '') ? String(id) : undefined
}
