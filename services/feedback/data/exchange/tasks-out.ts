/** Rows as tasks of Label Studio and as records of Argilla, for people who are asked for labels. */
import type { DatasetColumn } from '../../../../schemas/http/labels/datasets.ts'
import { isOwnName, placeOf } from '../datasets/columns.ts'
import type { Cell } from '../datasets/csv.ts'

/** Which model and label the rows are of. */
export interface TaskOf {
  model_id: string
  label: string
}

/** How the label came about: told beside the task, and no answer to it. */
const OF_LABEL = new Set([
  'label',
  'label_source',
  'labeler',
  'labelled_at',
  'votes',
  'voters',
  'confidence',
  'weight',
])

interface Parts {
  /** Values by name; features and attributes in objects of their own. */
  data: Record<string, Cell | Record<string, Cell>>
  /** How the label that is there came about. */
  known: Record<string, Cell>
}

function partsOf(cells: readonly Cell[], columns: readonly DatasetColumn[]): Parts {
  const parts: Parts = { data: {}, known: {} }
  const maps: Record<'features' | 'attributes', [string, Cell][]> = { features: [], attributes: [] }
  columns.forEach(({ name }, i) => {
    const value = cells[i]!
    const { map, key } = placeOf(name)
    if (map) maps[map].push([key, value])
    else if (OF_LABEL.has(name)) parts.known[name] = value
    else parts.data[name] = value
  })
  // Assigning key by key would not do: `__proto__` is a name like any other.
  for (const [map, entries] of Object.entries(maps))
    if (entries.length > 0) parts.data[map] = Object.fromEntries(entries)
  return parts
}

/** What the model answered, as text or number; undefined where that is not given. */
function answerOf({ prediction, prediction_number }: Parts['data']): string | number | undefined {
  if (typeof prediction === 'string') return prediction
  return typeof prediction_number === 'number' ? prediction_number : undefined
}

/** A task to import: what is shown in `data`, the model's answer as a prediction. */
export function labelStudioTask(
  cells: readonly Cell[],
  columns: readonly DatasetColumn[],
  { model_id, label }: TaskOf,
): object {
  const { data, known } = partsOf(cells, columns)
  const answer = answerOf(data)
  const { score, model_version } = data
  return {
    data: { model_id, ...data },
    ...(Object.keys(known).length > 0 && { meta: known }),
    ...(answer !== undefined && {
      predictions: [
        {
          model_version: `${model_id}:${typeof model_version === 'string' ? model_version : ''}`,
          ...(typeof score === 'number' && { score }),
          result: [
            typeof answer === 'string'
              ? resultOf(label, 'choices', { choices: [answer] })
              : resultOf(label, 'number', { number: answer }),
          ],
        },
      ],
    }),
  }
}

const resultOf = (label: string, type: string, value: object) => ({
  from_name: label,
  to_name: 'text',
  type,
  value,
})

/** A record to log: texts are its fields, else its features as JSON; the model's answer is suggested. */
export function argillaRecord(
  cells: readonly Cell[],
  columns: readonly DatasetColumn[],
  { model_id, label }: TaskOf,
): object {
  const { data, known } = partsOf(cells, columns)
  const { input_text, output_text, features, attributes, prediction_id, score, ...rest } = data
  const answer = answerOf(data)
  const texts = Object.fromEntries(
    Object.entries({ input_text, output_text }).filter(([, text]) => text !== '' && text != null),
  )
  return {
    id: prediction_id,
    fields: Object.keys(texts).length > 0 ? texts : { features: JSON.stringify(features ?? {}) },
    metadata: {
      model_id,
      ...present(rest),
      ...ofAttributes(present((attributes ?? {}) as Record<string, Cell>)),
      ...present(known),
    },
    suggestions:
      answer === undefined
        ? {}
        : { [label]: { value: answer, score: score ?? null, agent: model_id } },
    responses: {},
    vectors: {},
  }
}

/** An attribute that is called as what comes back with an answer, such as `model_id`, is none of it. */
const ofAttributes = (values: Record<string, Cell>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      isOwnName(name) ? `attributes.${name}` : name,
      value,
    ]),
  )

/** Metadata has no missing values. */
const present = <T>(values: Record<string, T>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
