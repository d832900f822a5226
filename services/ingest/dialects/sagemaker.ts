/**
 * SageMaker's files: data capture (what went in and came out of an endpoint) and ground truth, as JSON Lines.
 * Format: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html
 */
import { largest } from '../../../lib/stats/extremes.ts'
import type { RawEvent } from '../../../lib/event-verdict.ts'

export interface CaptureOptions {
  modelId: string
  modelVersion: string
  /** Names of the CSV columns; `f0`, `f1`, … where there are none. */
  columns: readonly string[]
  /** Whether a single number of the output is the score or the prediction. */
  output: 'score' | 'prediction'
}

interface Payload {
  data?: string
  encoding?: string
}
interface Line {
  captureData?: { endpointInput?: Payload; endpointOutput?: Payload }
  groundTruthData?: Payload
  eventMetadata?: { eventId?: string; inferenceId?: string; inferenceTime?: string }
}

export type Imported =
  { kind: 'predictions' | 'labels'; events: RawEvent[] } | { kind: 'refused'; reason: string }

/** The events of one line; a CSV of several rows gives one each, `<id>/<row>`. */
export function importedLine(text: string, options: CaptureOptions): Imported {
  let line: Line
  try {
    line = JSON.parse(text) as Line
  } catch {
    return { kind: 'refused', reason: 'the line is not JSON' }
  }
  const meta = line.eventMetadata
  const id = meta?.inferenceId ?? meta?.eventId
  if (!id) return { kind: 'refused', reason: 'eventMetadata.eventId is required' }
  if (line.groundTruthData) return labelsOf(id, line.groundTruthData, options)
  if (!line.captureData?.endpointInput || !line.captureData.endpointOutput)
    return { kind: 'refused', reason: 'captureData needs endpointInput and endpointOutput' }
  if (!meta?.inferenceTime)
    return { kind: 'refused', reason: 'eventMetadata.inferenceTime is required' }
  const inputs = rowsOf(line.captureData.endpointInput)
  const outputs = rowsOf(line.captureData.endpointOutput)
  if (!inputs || !outputs) return { kind: 'refused', reason: 'data must be CSV or JSON' }
  if (inputs.length !== outputs.length)
    return {
      kind: 'refused',
      reason: `${inputs.length} rows went in and ${outputs.length} came out`,
    }
  return {
    kind: 'predictions',
    events: inputs.map((input, row) => ({
      prediction_id: rowId(id, row, inputs.length),
      model_id: options.modelId,
      model_version: options.modelVersion,
      predicted_at: meta.inferenceTime,
      features: named(input, options.columns),
      ...answerOf(outputs[row]!, options.output),
    })),
  }
}

function labelsOf(id: string, payload: Payload, options: CaptureOptions): Imported {
  const rows = rowsOf(payload)
  if (!rows) return { kind: 'refused', reason: 'groundTruthData.data must be CSV or JSON' }
  return {
    kind: 'labels',
    events: rows.map((row, i) => ({
      label_id: `ground-truth:${rowId(id, i, rows.length)}`.slice(0, 200),
      model_id: options.modelId,
      prediction_id: rowId(id, i, rows.length),
      label: Array.isArray(row) ? row[0] : Object.values(row)[0],
      source: 'ground_truth',
    })),
  }
}

const rowId = (id: string, row: number, rows: number) => (rows === 1 ? id : `${id}/${row}`)

type Row = unknown[] | RawEvent

/** @returns undefined for what is neither CSV nor JSON, in clear or in base64 */
function rowsOf({ data = '', encoding = 'CSV' }: Payload): Row[] | undefined {
  const text = encoding === 'BASE64' ? Buffer.from(data, 'base64').toString() : data
  if (encoding === 'JSON' || /^\s*[[{]/.test(text)) {
    try {
      return jsonRows(JSON.parse(text))
    } catch {
      return undefined
    }
  }
  return text
    .trim()
    .split(/\r?\n/)
    .map((row) => csvCells(row).map(valueOf))
}

function jsonRows(value: unknown): Row[] {
  const inner =
    (value as RawEvent | null)?.['instances'] ??
    (value as RawEvent | null)?.['predictions'] ??
    value
  if (!Array.isArray(inner))
    return [typeof inner === 'object' && inner !== null ? (inner as RawEvent) : [inner]]
  const isRows = inner.every((row) => typeof row === 'object' && row !== null)
  return isRows ? (inner as Row[]) : [inner as unknown[]]
}

/** RFC 4180: cells may stand in quotes. */
function csvCells(row: string): string[] {
  const cells: string[] = []
  for (const match of row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
  return cells
}

function valueOf(cell: string): number | string | null {
  const trimmed = cell.trim()
  if (trimmed === '') return null
  const number = Number(trimmed)
  return Number.isFinite(number) ? number : trimmed
}

const named = (row: Row, columns: readonly string[]) =>
  Array.isArray(row)
    ? Object.fromEntries(row.map((value, i) => [columns[i] ?? `f${i}`, value]))
    : row

function answerOf(row: Row, output: CaptureOptions['output']): RawEvent {
  const values = Array.isArray(row) ? row : Object.values(row)
  if (values.length > 1 && values.every((value) => typeof value === 'number'))
    return {
      prediction: String(values.indexOf(largest(values))),
      scores: Object.fromEntries(values.map((value, i) => [String(i), value])),
    }
  return {
    [output === 'score' && typeof values[0] === 'number' ? 'score' : 'prediction']: values[0],
  }
}
