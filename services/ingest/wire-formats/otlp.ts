/**
 * OpenTelemetry's GenAI conventions, as OTLP/HTTP JSON: spans and operation details become predictions,
 * `gen_ai.evaluation.result` becomes a label. What attributes mean, in the names of each time, is in `otlp-names.ts`; what is
 * longer than an event allows is cut (`lib/events/fit-to-limits.ts`).
 *
 * Conventions: https://github.com/open-telemetry/semantic-conventions-genai (status: development).
 */
import { isObject } from '../../../lib/events/fields.ts'
import { fitting } from '../../../lib/events/fit-to-limits.ts'
import type { RawEvent } from '../../../lib/events/validator.ts'
import { LabelV1 } from '../../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { isModelCall, modelCallOf, type Attributes, type SpanEvent } from './otlp-names.ts'

/** The events of one OTLP export, not yet validated. */
export interface OtlpEvents {
  predictions: RawEvent[]
  labels: RawEvent[]
  /** How many records are no GenAI events at all: they are nobody's fault. */
  ignored: number
}

interface KeyValue {
  key: string
  value?: Record<string, unknown>
}
interface OtlpRecord {
  attributes?: KeyValue[]
  traceId?: string
  spanId?: string
  name?: string
  eventName?: string
  timeUnixNano?: string | number
  observedTimeUnixNano?: string | number
  startTimeUnixNano?: string | number
  endTimeUnixNano?: string | number
  status?: { code?: number | string }
  events?: { name?: string; attributes?: KeyValue[] }[]
}

const fittedPrediction = fitting(PredictionV1)
const fittedLabel = fitting(LabelV1)
const DETAILS = 'gen_ai.client.inference.operation.details'
const EVALUATION = 'gen_ai.evaluation.result'
const USER_LABEL = 'ai.telemetry.metadata.'

/** @param body of `/v1/traces`: `resourceSpans` */
export function eventsOfTraces(body: unknown): OtlpEvents {
  const events: OtlpEvents = { predictions: [], labels: [], ignored: 0 }
  for (const { resource, record } of recordsOf(body, 'resourceSpans', 'scopeSpans', 'spans')) {
    const attributes = attributesOf(record.attributes)
    if (isModelCall(text(record.name), attributes))
      events.predictions.push(predictionOf(record, attributes, resource))
    else events.ignored++
  }
  return events
}

/** @param body of `/v1/logs`: `resourceLogs` */
export function eventsOfLogs(body: unknown): OtlpEvents {
  const events: OtlpEvents = { predictions: [], labels: [], ignored: 0 }
  for (const { resource, record } of recordsOf(body, 'resourceLogs', 'scopeLogs', 'logRecords')) {
    const attributes = attributesOf(record.attributes)
    const name = record.eventName ?? attributes.get('event.name')
    if (name === EVALUATION) events.labels.push(labelOf(record, attributes, resource))
    else if (name === DETAILS) events.predictions.push(predictionOf(record, attributes, resource))
    else events.ignored++
  }
  return events
}

function predictionOf(record: OtlpRecord, a: Attributes, resource: Attributes): RawEvent {
  const ended = record.endTimeUnixNano ?? record.timeUnixNano ?? record.observedTimeUnixNano
  const call = modelCallOf(a, spanEventsOf(record))
  const failed =
    record.status?.code === 2 ||
    record.status?.code === 'STATUS_CODE_ERROR' ||
    a.get('error.type') !== undefined
  return fittedPrediction({
    prediction_id: idOf(record, a),
    model_id: modelOf(a, resource),
    model_version: given(call.model) ?? 'unversioned',
    predicted_at: timeOf(ended),
    prediction: call.finishReason,
    latency_ms: latencyOf(record),
    input_tokens: call.inputTokens,
    output_tokens: call.outputTokens,
    status: failed ? 'error' : 'ok',
    input_text: call.input,
    output_text: call.output,
    trace_id: given(record.traceId),
    group_id: given(call.conversation),
    attributes: {
      provider: call.provider,
      operation: call.operation ?? record.name,
      ...Object.fromEntries(userLabels(a)),
    },
  })
}

const userLabels = (a: Attributes) =>
  [...a]
    .filter(([key]) => key.startsWith(USER_LABEL) && !OWN_KEYS.has(key.slice(USER_LABEL.length)))
    .map(([key, value]) => [key.slice(USER_LABEL.length), value] as const)

/** User labels that are fields of the event. */
const OWN_KEYS = new Set(['prediction_id', 'model_id'])

function labelOf(record: OtlpRecord, a: Attributes, resource: Attributes): RawEvent {
  const name = text(given(a.get('gen_ai.evaluation.name')) ?? 'label')
  const id = idOf(record, a)
  const at = record.timeUnixNano ?? record.observedTimeUnixNano
  return fittedLabel({
    // The same record again, after a retry, is the same label.
    label_id: `otel:${name}:${text(at)}:${text(id ?? record.traceId)}`,
    model_id: modelOf(a, resource),
    prediction_id: id,
    trace_id: given(record.traceId),
    label: a.get('gen_ai.evaluation.score.label') ?? a.get('gen_ai.evaluation.score.value'),
    labelled_at: timeOf(at),
    source: 'judge',
    name,
    comment: a.get('gen_ai.evaluation.explanation'),
  })
}

/** The response names the prediction; without it the span does. */
const idOf = (record: OtlpRecord, a: Attributes) =>
  given(a.get(`${USER_LABEL}prediction_id`)) ??
  given(a.get('gen_ai.response.id')) ??
  given(a.get('ai.response.id')) ??
  (record.traceId && record.spanId ? `${text(record.traceId)}-${text(record.spanId)}` : undefined)

/** The application is the model that is watched; the language model behind it is its version. */
const modelOf = (a: Attributes, resource: Attributes) =>
  given(a.get(`${USER_LABEL}model_id`)) ??
  given(resource.get('plumbline.model_id')) ??
  given(a.get('ai.telemetry.functionId')) ??
  given(resource.get('service.name'))

/** An empty text names nothing. */
const given = (value: unknown) => (value === '' ? undefined : value)

const spanEventsOf = ({ events }: OtlpRecord): SpanEvent[] =>
  (Array.isArray(events) ? events.filter(isObject) : []).map((event) => ({
    name: text(event['name']),
    attributes: attributesOf(event['attributes'] as KeyValue[] | undefined),
  }))

function* recordsOf(body: unknown, outer: string, inner: string, leaf: string) {
  const list = (value: unknown, key: string) => {
    const found = (value as Record<string, unknown> | null)?.[key]
    return Array.isArray(found) ? found.filter(isObject) : []
  }
  for (const group of list(body, outer)) {
    const resource = attributesOf((group['resource'] as OtlpRecord | undefined)?.attributes)
    for (const scope of list(group, inner))
      for (const record of list(scope, leaf)) yield { resource, record: record as OtlpRecord }
  }
}

function attributesOf(list: KeyValue[] | undefined): Attributes {
  const attributes = new Map<string, unknown>()
  for (const { key, value } of Array.isArray(list) ? list.filter(isObject) : [])
    attributes.set(text(key), valueOf(isObject(value) ? value : undefined))
  return attributes
}

/** An OTLP `AnyValue`: 64-bit integers come as strings; a list of pairs is an object. */
function valueOf(value: Record<string, unknown> | undefined): unknown {
  if (!value) return undefined
  if ('intValue' in value) return numberOf(value['intValue'])
  if ('doubleValue' in value) return numberOf(value['doubleValue'])
  const values = (of: string) => (value[of] as { values?: unknown } | null | undefined)?.values
  if ('arrayValue' in value) {
    const list = values('arrayValue')
    return Array.isArray(list) ? list.filter(isObject).map(valueOf) : undefined
  }
  if ('kvlistValue' in value)
    return Object.fromEntries(attributesOf(values('kvlistValue') as KeyValue[] | undefined))
  return value['stringValue'] ?? value['boolValue']
}

/** What comes as anything but a number or its text is none. */
const numberOf = (value: unknown) =>
  typeof value === 'number' || typeof value === 'string' ? Number(value) : undefined
/** Below 0 where a clock ran back. */
function latencyOf({ startTimeUnixNano: start, endTimeUnixNano: end }: OtlpRecord) {
  return start === undefined || end === undefined ? undefined : millis(end) - millis(start)
}
const millis = (nanos: string | number) => (numberOf(nanos) ?? NaN) / 1e6
const timeOf = (nanos: string | number | undefined) => {
  const ms = nanos === undefined ? NaN : Math.floor(millis(nanos))
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : undefined
}
const text = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
