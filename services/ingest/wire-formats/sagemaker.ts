/**
 * SageMaker's files: data capture (what went in and came out of an endpoint) and ground truth, as
 * JSON Lines. Format:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html
 */
import { isObject } from '../../../lib/events/fields.ts'
import { fittedId } from '../../../lib/events/fit-to-limits.ts'
import type { RawEvent } from '../../../lib/events/validator.ts'
import type { OutputKind } from '../../../lib/models/model-files.ts'
import { answerOf, ofKind } from './inference.ts'
import { jsonOf, readingsOf, Refused, type Row } from './sagemaker-payload.ts'

/** What captured lines do not say of themselves. */
export interface CaptureOptions {
  modelId: string
  modelVersion: string
  /** Names of the CSV columns; `f0`, `f1`, … where there are none. */
  columns: readonly string[]
  /** What one number alone of the output is. */
  output: OutputKind
}

/** The events of one captured line, not yet validated, or why it is refused. */
export type Imported =
  { kind: 'predictions' | 'labels'; events: RawEvent[] } | { kind: 'refused'; reason: string }

/**
 * The events of one line; a payload of several rows gives one each, `<id>/<row>`. Never throws for
 * what a line says.
 */
export function importedLine(text: string, options: CaptureOptions): Imported {
  try {
    return eventsOf(text, options)
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', reason: error.message }
    throw error
  }
}

function eventsOf(text: string, options: CaptureOptions): Imported {
  const line = jsonOf(text, 'the line')?.value
  if (line === undefined) throw new Refused('the line is not JSON')
  if (!isObject(line)) throw new Refused('the line is not a JSON object')
  const meta = isObject(line['eventMetadata']) ? line['eventMetadata'] : {}
  const id = meta['inferenceId'] ?? meta['eventId']
  if (id === undefined || id === null || id === '')
    throw new Refused('eventMetadata.eventId is required')
  if (typeof id !== 'string') throw new Refused('eventMetadata.eventId must be text')
  if (isGiven(line['groundTruthData'])) return labelsOf(id, line['groundTruthData'], options)
  const capture = line['captureData']
  if (!isObject(capture) || !isGiven(capture['endpointInput'])) throw new Refused(NEEDED)
  if (!isGiven(capture['endpointOutput'])) throw new Refused(NEEDED)
  if (typeof meta['inferenceTime'] !== 'string')
    throw new Refused('eventMetadata.inferenceTime is required')
  const { inputs, outputs } = pairedRows(capture)
  return {
    kind: 'predictions',
    events: inputs.map((input, row) => ({
      prediction_id: rowId(id, row, inputs.length),
      model_id: options.modelId,
      model_version: options.modelVersion,
      predicted_at: meta['inferenceTime'],
      features: named(input, options.columns),
      ...outputOf(outputs[row]!, options.output),
    })),
  }
}

const NEEDED = 'captureData needs endpointInput and endpointOutput'
const isGiven = (value: unknown) => value !== undefined && value !== null

/** Reads both sides in the first way by which as many rows went in as came out. */
function pairedRows(capture: RawEvent): { inputs: Row[]; outputs: Row[] } {
  const ins = readingsOf(capture['endpointInput'], 'endpointInput')
  const outs = readingsOf(capture['endpointOutput'], 'endpointOutput')
  for (const inputs of ins)
    for (const outputs of outs) if (inputs.length === outputs.length) return { inputs, outputs }
  throw new Refused(`${ins[0]!.length} rows went in and ${outs[0]!.length} came out`)
}

function labelsOf(id: string, payload: unknown, options: CaptureOptions): Imported {
  const [rows] = readingsOf(payload, 'groundTruthData')
  return {
    kind: 'labels',
    events: rows!.map((row, i) => ({
      label_id: fittedId(`ground-truth:${rowId(id, i, rows!.length)}`),
      model_id: options.modelId,
      prediction_id: rowId(id, i, rows!.length),
      label: Array.isArray(row) ? row[0] : Object.values(row)[0],
      source: 'ground_truth',
    })),
  }
}

const rowId = (id: string, row: number, rows: number) => fittedId(rows === 1 ? id : `${id}/${row}`)!

/**
 * Features by name: those of an object, lists in it spread as `<name>_0`, …; else the columns'
 * names by place.
 */
function named(given: Row, columns: readonly string[]): RawEvent {
  const row = unwrapped(given)
  if (Array.isArray(row)) {
    const cells: unknown[] = row.flat(Infinity)
    if (cells.length < columns.length)
      throw new Refused(`a row has ${cells.length} cells where ${columns.length} columns are named`)
    return Object.fromEntries(cells.map((value, i) => [columns[i] ?? `f${i}`, scalarOf(value)]))
  }
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) =>
      Array.isArray(value)
        ? value.flat(Infinity).map((part, i) => [`${name}_${i}`, scalarOf(part)] as const)
        : [[name, scalarOf(value)] as const],
    ),
  )
}

const WRAPPERS = new Set(['data', 'features', 'values'])

/**
 * `{"features": […]}` and `{"data": {"features": {"values": […]}}}`, as the built-in algorithms
 * take rows, are the list.
 */
function unwrapped(row: Row): Row {
  let inner: unknown = row
  while (isObject(inner)) {
    const [[name, value] = ['', undefined], ...others] = Object.entries(inner)
    if (others.length > 0 || !WRAPPERS.has(name)) return row
    inner = value
  }
  return Array.isArray(inner) ? (inner as unknown[]) : row
}

const scalarOf = (value: unknown) =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : value

const CLASS_NAMES = ['predicted_label', 'label', 'class']

/**
 * One value alone is what `output` says, unless its name says that it is a class; more are read as
 * any model server's.
 */
function outputOf(row: Row, output: OutputKind): RawEvent {
  const values = Array.isArray(row) ? row : Object.values(row)
  const isClass = isObject(row) && CLASS_NAMES.some((name) => isGiven(row[name]))
  const isOne = values.length === 1 && !isObject(values[0]) && !Array.isArray(values[0])
  const answer = answerOf(isOne ? values[0] : row)
  if (!isClass) return ofKind(answer, { kind: output, isBinary: false })
  const { prediction } = answer
  return { ...answer, prediction: typeof prediction === 'number' ? String(prediction) : prediction }
}
