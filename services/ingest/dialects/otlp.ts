/**
 * OpenTelemetry's GenAI conventions, as OTLP/HTTP JSON: spans and operation details become predictions,
 * `gen_ai.evaluation.result` becomes a label. The Vercel AI SDK's own attributes are read besides.
 *
 * Conventions: https://github.com/open-telemetry/semantic-conventions-genai (status: development).
 */
import { isObject } from '../../../lib/event-fields.ts'
import type { RawEvent } from '../../../lib/event-verdict.ts'

export interface OtlpEvents {
  predictions: RawEvent[]
  labels: RawEvent[]
  /** Of records that are no GenAI events at all: they are nobody's fault. */
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
}

type Attributes = Record<string, unknown>

const MAX_TEXT = 65_536
const OPERATIONS = new Set(['chat', 'text_completion', 'generate_content', 'embeddings'])
const DETAILS = 'gen_ai.client.inference.operation.details'
const EVALUATION = 'gen_ai.evaluation.result'
const USER_LABEL = 'ai.telemetry.metadata.'

/** @param body of `/v1/traces`: `resourceSpans` */
export function eventsOfTraces(body: unknown): OtlpEvents {
  const events: OtlpEvents = { predictions: [], labels: [], ignored: 0 }
  for (const { resource, record } of recordsOf(body, 'resourceSpans', 'scopeSpans', 'spans')) {
    const attributes = attributesOf(record.attributes)
    const isModelCall =
      OPERATIONS.has(String(attributes['gen_ai.operation.name'])) ||
      /^ai\.\w+\.do(Generate|Stream|Embed)$/.test(record.name ?? '')
    if (isModelCall) events.predictions.push(predictionOf(record, attributes, resource))
    else events.ignored++
  }
  return events
}

/** @param body of `/v1/logs`: `resourceLogs` */
export function eventsOfLogs(body: unknown): OtlpEvents {
  const events: OtlpEvents = { predictions: [], labels: [], ignored: 0 }
  for (const { resource, record } of recordsOf(body, 'resourceLogs', 'scopeLogs', 'logRecords')) {
    const attributes = attributesOf(record.attributes)
    const name = record.eventName ?? attributes['event.name']
    if (name === EVALUATION) events.labels.push(labelOf(record, attributes, resource))
    else if (name === DETAILS) events.predictions.push(predictionOf(record, attributes, resource))
    else events.ignored++
  }
  return events
}

function predictionOf(record: OtlpRecord, a: Attributes, resource: Attributes): RawEvent {
  const ended = record.endTimeUnixNano ?? record.timeUnixNano ?? record.observedTimeUnixNano
  const latency =
    record.startTimeUnixNano === undefined || record.endTimeUnixNano === undefined
      ? undefined
      : millis(record.endTimeUnixNano) - millis(record.startTimeUnixNano)
  const model = a['gen_ai.response.model'] ?? a['gen_ai.request.model'] ?? a['ai.model.id']
  const failed =
    record.status?.code === 2 ||
    record.status?.code === 'STATUS_CODE_ERROR' ||
    a['error.type'] !== undefined
  return without({
    prediction_id: idOf(record, a),
    model_id: modelOf(a, resource),
    model_version: text(model ?? 'unversioned'),
    predicted_at: timeOf(ended),
    prediction: first(a['gen_ai.response.finish_reasons']),
    latency_ms: latency,
    input_tokens: count(a['gen_ai.usage.input_tokens'] ?? a['ai.usage.inputTokens']),
    output_tokens: count(a['gen_ai.usage.output_tokens'] ?? a['ai.usage.outputTokens']),
    status: failed ? 'error' : 'ok',
    input_text: cut(a['gen_ai.input.messages'] ?? a['ai.prompt.messages'] ?? a['ai.prompt']),
    output_text: cut(a['gen_ai.output.messages'] ?? a['ai.response.text']),
    trace_id: record.traceId || undefined,
    group_id: a['gen_ai.conversation.id'],
    attributes: without({
      provider: a['gen_ai.provider.name'] ?? a['gen_ai.system'],
      operation: a['gen_ai.operation.name'] ?? record.name,
      ...Object.fromEntries(
        Object.entries(a)
          .filter(
            ([key]) => key.startsWith(USER_LABEL) && !OWN_KEYS.has(key.slice(USER_LABEL.length)),
          )
          .map(([key, value]) => [key.slice(USER_LABEL.length), text(value)]),
      ),
    }),
  })
}

/** User labels that are fields of the event. */
const OWN_KEYS = new Set(['prediction_id', 'model_id'])

function labelOf(record: OtlpRecord, a: Attributes, resource: Attributes): RawEvent {
  const name = text(a['gen_ai.evaluation.name'] ?? 'label')
  const id = idOf(record, a)
  const at = record.timeUnixNano ?? record.observedTimeUnixNano
  return without({
    // The same record again, after a retry, is the same label.
    label_id: `otel:${name}:${String(at)}:${text(id ?? record.traceId)}`.slice(0, 200),
    model_id: modelOf(a, resource),
    prediction_id: id,
    trace_id: record.traceId || undefined,
    label: a['gen_ai.evaluation.score.label'] ?? a['gen_ai.evaluation.score.value'],
    labelled_at: timeOf(at),
    source: 'judge',
    name,
    comment: a['gen_ai.evaluation.explanation'],
  })
}

/** The response names the prediction; without it the span does. */
const idOf = (record: OtlpRecord, a: Attributes) =>
  a[`${USER_LABEL}prediction_id`] ??
  a['gen_ai.response.id'] ??
  a['ai.response.id'] ??
  (record.traceId && record.spanId ? `${record.traceId}-${record.spanId}` : undefined)

/** The application is the model that is watched; the language model behind it is its version. */
const modelOf = (a: Attributes, resource: Attributes) =>
  a[`${USER_LABEL}model_id`] ??
  resource['plumbline.model_id'] ??
  a['ai.telemetry.functionId'] ??
  resource['service.name']

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

function attributesOf(given: KeyValue[] | undefined): Attributes {
  const attributes: Attributes = {}
  for (const one of Array.isArray(given) ? given.filter(isObject) : []) {
    const { key, value } = one
    attributes[key] = valueOf(isObject(value) ? value : undefined)
  }
  return attributes
}

/** An OTLP `AnyValue`: 64-bit integers come as strings. */
function valueOf(value: Record<string, unknown> | undefined): unknown {
  if (!value) return undefined
  if ('intValue' in value) return Number(value['intValue'])
  if ('doubleValue' in value) return Number(value['doubleValue'])
  if ('arrayValue' in value) {
    const { values = [] } = (value['arrayValue'] ?? {}) as { values?: Record<string, unknown>[] }
    return Array.isArray(values) ? values.filter(isObject).map(valueOf) : undefined
  }
  return (
    value['stringValue'] ??
    value['boolValue'] ??
    (value['kvlistValue'] && JSON.stringify(value['kvlistValue']))
  )
}

const millis = (nanos: string | number) => Number(nanos) / 1e6
const timeOf = (nanos: string | number | undefined) => {
  const ms = nanos === undefined ? NaN : Math.floor(millis(nanos))
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : undefined
}
const text = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
const cut = (value: unknown) => (value === undefined ? undefined : text(value).slice(0, MAX_TEXT))
const first = (value: unknown) => (Array.isArray(value) ? (value as unknown[])[0] : value)
const count = (value: unknown) => (value === undefined ? undefined : Number(value))

function without(event: RawEvent): RawEvent {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined))
}
