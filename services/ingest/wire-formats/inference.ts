/**
 * A request to a model server and its answer, as prediction events: one per row of the batch.
 *
 * Bodies: V1 of KServe and TensorFlow Serving (`instances` and `predictions`, or columns in
 * `inputs` and `outputs`), and V2, the Open Inference Protocol (named tensors).
 * `docs/wire-formats.md` lists what becomes what.
 */
import { largest } from '../../../lib/stats/samples/extremes.ts'
import type { RawEvent } from '../../../lib/events/validator.ts'
import { whyBeyond } from '../../../lib/events/json/bounds.ts'
import type { Model, OutputKind } from '../../../lib/models/model-files.ts'

/** A request of a model server with its response; bodies are JSON text. */
export interface Exchange {
  exchangeId: string
  modelId: string
  /** '' where nobody names it. */
  modelVersion: string
  /** RFC 3339. */
  answeredAt: string
  request: string
  response: string
  /** What one number alone of the response is, by the model file. */
  output?: Output | undefined
}

/** What the model file says of outputs. */
export interface Output {
  kind: OutputKind | undefined
  isBinary: boolean
}

/** What a model file says of outputs; a model without a task is read as a binary one. */
export const outputOf = ({ outputKind, task }: Pick<Model, 'outputKind' | 'task'>): Output => ({
  kind: outputKind,
  isBinary: task === undefined || task === 'binary',
})

/** Why an exchange has no predictions. */
export class Unreadable extends Error {}

type Scalar = number | string | boolean | null

const UNVERSIONED = 'unversioned'
/** A batch of more rows than this is refused. */
export const MAX_ROWS = 10_000
/** What a body may hold: its size is bounded before (`inference.v1`). */
const BOUNDS = { maxDepth: 32, maxMembers: 200_000 }

/** @throws {Unreadable} naming the field and the rule */
export function predictionsOf(exchange: Exchange): RawEvent[] {
  const request = bodyOf(exchange.request, 'request')
  const response = bodyOf(exchange.response, 'response')
  const inputs = inputRows(request)
  const outputs = outputRows(response)
  if (inputs.length !== outputs.length)
    throw new Unreadable(
      `the request has ${inputs.length} rows and the response ${outputs.length}: they must be as many`,
    )
  if (inputs.length > MAX_ROWS)
    throw new Unreadable(`the exchange has ${inputs.length} rows: at most ${MAX_ROWS} are read`)
  const version = response['model_version'] ?? (exchange.modelVersion || UNVERSIONED)
  return inputs.map((features, row) => ({
    prediction_id: inputs.length === 1 ? exchange.exchangeId : `${exchange.exchangeId}/${row}`,
    model_id: exchange.modelId,
    model_version: String(scalarOf(version)),
    predicted_at: exchange.answeredAt,
    ...ofKind(outputs[row]!, exchange.output),
    features,
    request_id: exchange.exchangeId,
  }))
}

/**
 * A number alone as what the model file says it is. Where it says nothing, a fraction between 0 and
 * 1 is the probability of a binary model: no class is called so.
 */
export function ofKind(answer: RawEvent, output: Output | undefined): RawEvent {
  const { prediction, ...rest } = answer
  if (typeof prediction !== 'number' || 'score' in rest || 'scores' in rest) return answer
  const isFraction = prediction > 0 && prediction < 1
  const kind = output?.kind ?? (output?.isBinary && isFraction ? 'probability' : undefined)
  if (kind === 'probability') return { ...rest, score: prediction }
  return kind === 'class' ? { ...rest, prediction: String(prediction) } : answer
}

function bodyOf(text: string, part: string): RawEvent {
  const why = whyBeyond(Buffer.from(text), BOUNDS)
  if (why) throw new Unreadable(`the ${part} body: ${why}`)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new Unreadable(`the ${part} body is not JSON`, { cause })
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Unreadable(`the ${part} body is not a JSON object`)
  return body as RawEvent
}

function inputRows(body: RawEvent): RawEvent[] {
  if (Array.isArray(body['instances'])) return body['instances'].map(featuresOf)
  if (Array.isArray(body['inputs'])) return rowsOf(tensorsOf(body['inputs'], 'inputs'))
  if (isObject(body['inputs'])) return columnRows(body['inputs'])
  throw new Unreadable('the request has neither instances nor inputs')
}

function outputRows(body: RawEvent): RawEvent[] {
  if (Array.isArray(body['predictions'])) return body['predictions'].map(answerOf)
  if (Array.isArray(body['outputs'])) {
    const tensors = tensorsOf(body['outputs'], 'outputs')
    return Array.from({ length: tensors[0]?.rows.length ?? 0 }, (_, row) =>
      tensorAnswer(tensors, row),
    )
  }
  if (isObject(body['outputs'])) return columnRows(body['outputs']).map(answerOf)
  throw new Unreadable('the response has neither predictions nor outputs')
}

/** Names as they are given; a row without names counts its columns: `f0`, `f1`, ... */
function featuresOf(instance: unknown): RawEvent {
  if (Array.isArray(instance))
    return Object.fromEntries(instance.flat(Infinity).map((value, i) => [`f${i}`, scalarOf(value)]))
  if (!isObject(instance)) return { f0: scalarOf(instance) }
  return Object.fromEntries(
    Object.entries(instance).flatMap(([name, value]): [string, Scalar][] =>
      Array.isArray(value)
        ? value.flat(Infinity).map((element, i) => [`${name}_${i}`, scalarOf(element)])
        : [[name, scalarOf(value)]],
    ),
  )
}

const NAMES: Record<string, string> = {
  prediction: 'prediction',
  predicted_label: 'prediction',
  label: 'prediction',
  class: 'prediction',
  score: 'score',
  probability: 'score',
}

/**
 * What one row of an answer says: a scalar is the prediction, a list the scores of classes 0, 1,
 * ..., an object is read by the names in it, where a named label goes before the greatest score.
 */
export function answerOf(answer: unknown): RawEvent {
  if (Array.isArray(answer)) return classScores(answer.flat(Infinity))
  if (!isObject(answer)) return { prediction: scalarOf(answer) }
  const event: RawEvent = {}
  const named: RawEvent = {}
  for (const [name, value] of Object.entries(answer)) {
    if (name === 'scores' && isObject(value)) event['scores'] = value
    else if (Array.isArray(value)) Object.assign(event, classScores(value.flat(Infinity)))
    else if (NAMES[name]) named[NAMES[name]] = scalarOf(value)
  }
  Object.assign(event, named)
  const [only] = Object.values(answer)
  return Object.keys(event).length > 0 ? event : { prediction: scalarOf(only) }
}

/**
 * One number alone is the prediction; two or more are probabilities, and the greatest names the
 * class.
 */
function classScores(values: readonly unknown[]): RawEvent {
  const numbers = values.filter((x) => typeof x === 'number')
  if (numbers.length < 2 || numbers.length < values.length)
    return { prediction: scalarOf(values[0]) }
  return {
    prediction: String(numbers.indexOf(largest(numbers))),
    scores: Object.fromEntries(numbers.map((x, i) => [String(i), x])),
    ...(numbers.length === 2 && { score: numbers[1] }),
  }
}

const MAX_DIMENSIONS = 16

interface Tensor {
  name: string
  /** The elements of each row. */
  rows: Scalar[][]
}

/** V2 tensors, their data flat or nested, row by row. */
function tensorsOf(given: readonly unknown[], field: string): Tensor[] {
  return given.map((tensor) => {
    if (!isObject(tensor) || typeof tensor['name'] !== 'string' || !Array.isArray(tensor['data']))
      throw new Unreadable(`${field} must be tensors of name, shape and data`)
    const flat = (tensor['data'] as unknown[]).flat(Infinity).map(scalarOf)
    const shape = Array.isArray(tensor['shape']) ? tensor['shape'].map(Number) : [flat.length]
    // Tensors without elements have no rows, whatever their shape says.
    const count = flat.length === 0 ? 0 : (shape[0] ?? 0)
    const width = count === 0 ? 0 : flat.length / count
    const isShape =
      shape.length <= MAX_DIMENSIONS && shape.every((n) => Number.isInteger(n) && n >= 0)
    if (!isShape || !Number.isInteger(width) || shape.reduce((a, b) => a * b, 1) !== flat.length)
      throw new Unreadable(
        `${field}.${tensor['name']} has ${flat.length} elements, which its shape [${shape.slice(0, MAX_DIMENSIONS).join(', ')}] does not hold`,
      )
    return {
      name: tensor['name'],
      rows: Array.from({ length: count }, (_, row) => flat.slice(row * width, (row + 1) * width)),
    }
  })
}

function rowsOf(tensors: readonly Tensor[]): RawEvent[] {
  const count = tensors[0]?.rows.length ?? 0
  if (tensors.some((tensor) => tensor.rows.length !== count))
    throw new Unreadable('inputs must all have the same number of rows')
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(
      tensors.flatMap(({ name, rows }): [string, Scalar][] =>
        rows[row]!.length === 1
          ? [[name, rows[row]![0]!]]
          : rows[row]!.map((value, i) => [`${name}_${i}`, value]),
      ),
    ),
  )
}

/**
 * Reads tensors by names that say what they are; the first one is the prediction where none does.
 */
function tensorAnswer(tensors: readonly Tensor[], row: number): RawEvent {
  const event: RawEvent = {}
  for (const { name, rows } of tensors) {
    const values = rows[row] ?? []
    if (/prob|score/i.test(name))
      Object.assign(
        event,
        values.length > 1 ? { ...classScores(values), ...event } : { score: Number(values[0]) },
      )
    else if (/predict|label|class/i.test(name) && values.length === 1)
      event['prediction'] = values[0]
  }
  return Object.keys(event).length > 0 ? event : classScores(tensors[0]?.rows[row] ?? [])
}

function columnRows(columns: RawEvent): RawEvent[] {
  const entries = Object.entries(columns)
  const count = Array.isArray(entries[0]?.[1]) ? entries[0][1].length : 1
  return Array.from({ length: count }, (_, row) =>
    featuresOf(
      Object.fromEntries(
        entries.map(([name, values]) => [
          name,
          Array.isArray(values) ? (values as unknown[])[row] : values,
        ]),
      ),
    ),
  )
}

const isObject = (value: unknown): value is RawEvent =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const scalarOf = (value: unknown): Scalar =>
  value === null || ['number', 'string', 'boolean'].includes(typeof value)
    ? (value as Scalar)
    : JSON.stringify(value)
