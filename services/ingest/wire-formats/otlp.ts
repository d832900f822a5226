/**
 * OpenTelemetry's GenAI conventions, as the objects of OTLP/HTTP JSON: spans and operation details
 * become predictions,
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
import { AI_SDK_LABEL, modelCallOf, number, spanKindOf, type SpanKind } from './otlp-names.ts'
import type { Attributes, SpanEvent } from './otlp-texts.ts'

/**
 * Why a record is no event, which is nobody's fault: it has nothing of GenAI, or is another part of
 * a GenAI application, such as a chain, a workflow or a retrieval.
 */
export type Ignored = 'no_genai_operation' | 'no_model_call'

/** What a span or a log record becomes. */
export type OtlpOutcome =
  { kind: 'predictions' | 'labels'; event: RawEvent } | { kind: 'ignored'; reason: Ignored }

interface KeyValue {
  key: string
  value?: Record<string, unknown>
}
interface OtlpRecord {
  attributes?: KeyValue[] | Attributes
  traceId?: string
  spanId?: string
  name?: string
  eventName?: string
  timeUnixNano?: string | number
  observedTimeUnixNano?: string | number
  startTimeUnixNano?: string | number
  endTimeUnixNano?: string | number
  status?: { code?: number | string }
  events?: { name?: string; timeUnixNano?: string | number; attributes?: KeyValue[] }[]
}

const fittedPrediction = fitting(PredictionV1)
const fittedLabel = fitting(LabelV1)
const DETAILS = 'gen_ai.client.inference.operation.details'
const EVALUATION = 'gen_ai.evaluation.result'

/**
 * What each span of a body becomes, in their order.
 *
 * @param body of `/v1/traces`: `resourceSpans`
 */
export function* outcomesOfTraces(body: unknown): Generator<OtlpOutcome, void> {
  for (const { resource, record } of recordsOf(body, 'resourceSpans', 'scopeSpans', 'spans')) {
    const attributes = attributesOf(record.attributes)
    const kind = spanKindOf(text(record.name), attributes)
    if (kind === 'none' || kind === 'other') yield ignored(kind)
    else yield { kind: 'predictions', event: predictionOf(kind, record, attributes, resource) }
  }
}

/**
 * What each log record of a body becomes, in their order.
 *
 * @param body of `/v1/logs`: `resourceLogs`
 */
export function* outcomesOfLogs(body: unknown): Generator<OtlpOutcome, void> {
  for (const { resource, record } of recordsOf(body, 'resourceLogs', 'scopeLogs', 'logRecords')) {
    const attributes = attributesOf(record.attributes)
    const name = given(record.eventName) ?? attributes.get('event.name')
    if (name === EVALUATION) yield { kind: 'labels', event: labelOf(record, attributes, resource) }
    else if (name === DETAILS) {
      const kind = spanKindOf('', attributes)
      yield { kind: 'predictions', event: predictionOf(kind, record, attributes, resource) }
    } else yield ignored(text(name).startsWith('gen_ai.') ? 'other' : 'none')
  }
}

const ignored = (kind: 'none' | 'other'): OtlpOutcome => ({
  kind: 'ignored',
  reason: kind === 'none' ? 'no_genai_operation' : 'no_model_call',
})

function predictionOf(
  kind: SpanKind,
  record: OtlpRecord,
  a: Attributes,
  resource: Attributes,
): RawEvent {
  const call = modelCallOf(kind, a, spanEventsOf(record))
  const failed =
    record.status?.code === 2 ||
    record.status?.code === 'STATUS_CODE_ERROR' ||
    a.get('error.type') !== undefined
  return fittedPrediction({
    prediction_id: idOf(record, a),
    model_id: modelOf(a, resource),
    model_version: given(call.version) ?? 'unversioned',
    predicted_at: timeOf(timeGiven(record.endTimeUnixNano) ?? loggedAt(record)),
    prediction: call.finishReason,
    latency_ms: latencyOf(record),
    time_to_first_token_ms: call.timeToFirstTokenMs ?? sinceStart(record, call.firstTokenAt),
    input_tokens: call.inputTokens,
    output_tokens: call.outputTokens,
    cost_usd: call.costUsd,
    ...explorationOf(a),
    status: failed ? 'error' : 'ok',
    input_text: call.input,
    output_text: call.output,
    trace_id: given(hexadecimal(record.traceId)),
    group_id: call.conversation,
    subject_id: call.user,
    attributes: {
      provider: call.provider,
      operation: call.operation ?? record.name,
      agent: call.agent,
      tool: call.tool,
      prompt_name: call.promptName,
      prompt_version: call.promptVersion,
      ...call.labels,
    },
  })
}

/** What a span says of how its answer was chosen; what is neither a share nor a flag is left out. */
function explorationOf(a: Attributes): RawEvent {
  const propensity = number(a.get('plumbline.propensity'))
  const exploration = a.get('plumbline.exploration')
  return {
    ...(propensity !== undefined && propensity > 0 && propensity <= 1 && { propensity }),
    ...(typeof exploration === 'boolean' && { exploration }),
  }
}

function labelOf(record: OtlpRecord, a: Attributes, resource: Attributes): RawEvent {
  const name = text(given(a.get('gen_ai.evaluation.name')) ?? 'label')
  const id = idOf(record, a)
  const at = loggedAt(record)
  return fittedLabel({
    // A record that comes again, after a retry, is one label.
    label_id: `otel:${name}:${text(at)}:${text(id ?? hexadecimal(record.traceId))}`,
    model_id: modelOf(a, resource),
    prediction_id: id,
    trace_id: given(hexadecimal(record.traceId)),
    label: a.get('gen_ai.evaluation.score.label') ?? a.get('gen_ai.evaluation.score.value'),
    labelled_at: timeOf(at),
    source: 'judge',
    name,
    comment: a.get('gen_ai.evaluation.explanation'),
  })
}

/** The response names the prediction; without it the span does. */
const idOf = (record: OtlpRecord, a: Attributes) =>
  given(a.get(`${AI_SDK_LABEL}prediction_id`)) ??
  given(a.get('gen_ai.response.id')) ??
  given(a.get('ai.response.id')) ??
  (record.traceId && record.spanId
    ? `${text(hexadecimal(record.traceId))}-${text(hexadecimal(record.spanId))}`
    : undefined)

/** The application is the model that is watched; the language model behind it is its version. */
const modelOf = (a: Attributes, resource: Attributes) =>
  given(a.get(`${AI_SDK_LABEL}model_id`)) ??
  given(resource.get('plumbline.model_id')) ??
  given(a.get('ai.telemetry.functionId')) ??
  given(resource.get('service.name'))

/**
 * JSON may have ids in either case, which are the same ids; of protocol buffers they come in lower
 * case.
 */
const hexadecimal = (id: unknown) =>
  typeof id === 'string' && UPPER_HEXADECIMAL.test(id) ? id.toLowerCase() : id
const UPPER_HEXADECIMAL = /^(?=.*[A-F])[\dA-Fa-f]+$/

/** An empty text names nothing. */
const given = (value: unknown) => (value === '' ? undefined : value)

const spanEventsOf = ({ events }: OtlpRecord): SpanEvent[] =>
  (Array.isArray(events) ? events.filter(isObject) : []).map((event) => ({
    name: text(event['name']),
    at: event['timeUnixNano'] as SpanEvent['at'],
    attributes: attributesOf(event['attributes'] as KeyValue[] | undefined),
  }))

function* recordsOf(body: unknown, outer: string, inner: string, leaf: string) {
  const list = (value: unknown, key: string) => {
    const found = (value as Record<string, unknown> | null)?.[key]
    if (Array.isArray(found)) return found.filter(isObject)
    // Records of protocol buffers are decoded one after the other.
    return isObject(found) && Symbol.iterator in found ? (found as Iterable<RawEvent>) : []
  }
  for (const group of list(body, outer)) {
    const resource = attributesOf((group['resource'] as OtlpRecord | undefined)?.attributes)
    for (const scope of list(group, inner))
      for (const record of list(scope, leaf)) yield { resource, record: record as OtlpRecord }
  }
}

/** Reads attributes: protocol buffers bring them as the object that they are here. */
function attributesOf(list: KeyValue[] | Attributes | undefined): Attributes {
  if (list instanceof Map) return list as Attributes
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
    return Array.isArray(list) ? list.filter(isObject).map(valueOf) : []
  }
  if ('kvlistValue' in value)
    return Object.fromEntries(attributesOf(values('kvlistValue') as KeyValue[] | undefined))
  return value['stringValue'] ?? value['boolValue']
}

/** What comes as anything but a number or its text is none. */
const numberOf = (value: unknown) =>
  typeof value === 'number' || typeof value === 'string' ? Number(value) : undefined
const latencyOf = (record: OtlpRecord) => sinceStart(record, record.endTimeUnixNano)
/** Milliseconds from the start of a span to a time; below 0 where a clock ran back. */
function sinceStart({ startTimeUnixNano }: OtlpRecord, until: string | number | undefined) {
  const [start, end] = [timeGiven(startTimeUnixNano), timeGiven(until)]
  return start === undefined || end === undefined ? undefined : millis(end) - millis(start)
}
const millis = (nanos: string | number) => (numberOf(nanos) ?? NaN) / 1e6
/** 0 says that the time is not known. */
const timeGiven = (nanos: string | number | undefined) =>
  nanos === 0 || nanos === '0' ? undefined : nanos
const loggedAt = (record: OtlpRecord) =>
  timeGiven(record.timeUnixNano) ?? timeGiven(record.observedTimeUnixNano)
const timeOf = (nanos: string | number | undefined) => {
  const ms = nanos === undefined ? NaN : Math.floor(millis(nanos))
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : undefined
}
const text = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
