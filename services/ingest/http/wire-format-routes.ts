/** Endpoints for events in other wire formats: CloudEvents, which KServe's logger sends, and OTLP/HTTP. */
import {
  binaryEvent,
  isStructured,
  structuredEvent,
  type CloudEvent,
} from '../../../lib/events/cloudevents.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { EventLog, OutgoingMessage } from '../../../lib/event-log/port.ts'
import {
  createValidator,
  predictionKey,
  type Event,
  type Validator,
} from '../../../lib/events/validator.ts'
import { takeBodies, type Http } from '../../../lib/http/server.ts'
import { BODY_BOUNDS, whyBeyond } from '../../../lib/events/json/bounds.ts'
import { elementsOf, skipSpace } from '../../../lib/events/json/split-array.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { attributesKey, AttributesV1 } from '../../../schemas/events/attributes.v1.ts'
import { InferenceV1 } from '../../../schemas/events/inference.v1.ts'
import { labelKey, LabelV1 } from '../../../schemas/events/label.v1.ts'
import { answersToBody, type RejectedItem } from '../../../schemas/http/errors.ts'
import {
  CLOUD_EVENTS_BODY,
  EventsAnswer,
  LOGS_BODY,
  LogsAnswer,
  TRACES_BODY,
  TracesAnswer,
} from '../../../schemas/http/ingest.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { eventsOfLogs, eventsOfTraces, type OtlpEvents } from '../wire-formats/otlp.ts'
import { halfOf, isInference } from '../loop/pair-inferences.ts'

/** Where events of a kind go, and how they are validated. */
interface Destination {
  topic: string
  validator: Validator
  keyOf: (event: Event) => string
}

interface Destinations {
  predictions: Destination
  labels: Destination
  attributes: Destination
}

/** What both wire formats are accepted with. */
interface Acceptor {
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  destinations: Destinations
  /** Destinations by the `type` of a CloudEvent. */
  byType: ReadonlyMap<string, Destination>
  /** Validates requests and responses that a model server logs. */
  halves: Validator
}

const BATCH = /^application\/cloudevents-batch\+json/i
const EMIT = { scope: 'emit' as const }

/** OTLP signals: the path, how its export becomes events, and its counter in a partial success. */
const OTLP = [
  {
    path: '/v1/traces',
    translate: eventsOfTraces,
    counter: 'rejectedSpans',
    describedBody: TRACES_BODY,
    answer: TracesAnswer,
  },
  {
    path: '/v1/logs',
    translate: eventsOfLogs,
    counter: 'rejectedLogRecords',
    describedBody: LOGS_BODY,
    answer: LogsAnswer,
  },
]

/**
 * Registers `POST /v1/cloudevents`, `/v1/traces` and `/v1/logs`. Bodies are read as bytes whatever
 * their content type; valid events are appended to their topic before the answer.
 */
export function wireFormatRoutes(
  http: Http,
  eventLog: Pick<EventLog, 'append'>,
  metrics: Metrics,
): void {
  const acceptor = createAcceptor(eventLog, metrics)
  void http.register(async (scope: Http) => {
    scope.removeAllContentTypeParsers()
    takeBodies(scope, '*')
    scope.post(
      '/v1/cloudevents',
      {
        config: { ...EMIT, describedBody: CLOUD_EVENTS_BODY },
        schema: {
          summary: 'CloudEvents 1.0, binary, structured or batch; KServe’s InferenceLogger',
          tags: ['events'],
          response: answersToBody({ 200: EventsAnswer }),
        },
      },
      async (request) => {
        const contentType = request.headers['content-type'] ?? ''
        const headers = request.headers as Record<string, string>
        const events = cloudEvents(contentType, headers, bodyOf(request))
        // KServe's worker takes anything but exactly 200 for a failure.
        return acceptCloudEvents(acceptor, events, contentType)
      },
    )
    for (const { path, translate, counter, describedBody, answer } of OTLP)
      scope.post(
        path,
        {
          config: { ...EMIT, describedBody },
          schema: {
            summary: 'OTLP/HTTP JSON with GenAI attributes',
            tags: ['events'],
            response: answersToBody({ 200: answer }),
          },
        },
        async (request) => {
          requireJson(request.headers['content-type'])
          const events = translate(parsed(bodyOf(request)))
          return partialSuccess(counter, await acceptOtlp(acceptor, events))
        },
      )
  })
}

const bodyOf = ({ body }: { body: unknown }) => (body instanceof Buffer ? body : Buffer.alloc(0))

function createAcceptor(eventLog: Pick<EventLog, 'append'>, metrics: Metrics): Acceptor {
  const predictions: Destination = {
    topic: TOPICS.predictions.topic,
    validator: createValidator(PredictionV1),
    keyOf: predictionKey,
  }
  const labels: Destination = {
    topic: TOPICS.labels.topic,
    validator: createValidator(LabelV1),
    keyOf: labelKey,
  }
  const attributes: Destination = {
    topic: TOPICS.attributes.topic,
    validator: createValidator(AttributesV1),
    keyOf: attributesKey,
  }
  return {
    eventLog,
    metrics,
    destinations: { predictions, labels, attributes },
    byType: new Map([
      ['plumbline.prediction.v1', predictions],
      ['plumbline.label.v1', labels],
      ['plumbline.attributes.v1', attributes],
    ]),
    halves: createValidator(InferenceV1),
  }
}

/** Counts events by their outcome; none is no count. */
function countEvents(
  { endpointEvents }: Metrics,
  labels: { topic: string; outcome: string; reason: string },
  events = 1,
): void {
  if (events > 0) endpointEvents.inc({ service: 'ingest', ...labels }, events)
}

/** What became of one CloudEvent: a message for a topic, or why it is refused. */
type Routed =
  | { topic: string; message: OutgoingMessage }
  | { id: string | null; code: string; message: string; topic?: never }

function routed(acceptor: Acceptor, event: CloudEvent | 'invalid', contentType: string): Routed {
  const { byType, destinations, halves } = acceptor
  if (event === 'invalid') {
    const { code, message } =
      destinations.predictions.validator.refuse('invalid_envelope').rejection
    return { id: null, code, message }
  }
  const { id } = event
  if (isInference(event)) {
    // Validated as it will be when it is read back: what is accepted is stored.
    const validation = halves.value(halfOf(event, Date.now()))
    if (validation.ok)
      return { topic: TOPICS.inferenceLogs.topic, message: forwarded(event, contentType) }
    const { code, message } = validation.rejection
    return { id, code, message }
  }
  const destination = byType.get(event.type)
  if (!destination) {
    const known = [...byType.keys()].join(', ')
    const message = `type must be one of ${known}, or end in inference.request or inference.response`
    return { id, code: 'unknown_type', message }
  }
  const validation = destination.validator.bytes(event.data)
  if (!validation.ok) {
    const { code, message } = validation.rejection
    return { id, code, message }
  }
  const key = destination.keyOf(validation.event)
  return { topic: destination.topic, message: { key, value: event.data } }
}

/**
 * Appends the valid ones of some CloudEvents, and answers which were refused.
 *
 * @throws Problem 400 `nothing_valid` where none is valid
 */
async function acceptCloudEvents(
  acceptor: Acceptor,
  events: readonly (CloudEvent | 'invalid')[],
  contentType: string,
): Promise<EventsAnswer> {
  const rejected: RejectedItem[] = []
  const outgoing = new Map<string, OutgoingMessage[]>()
  events.forEach((event, index) => {
    const result = routed(acceptor, event, contentType)
    if (result.topic === undefined) {
      const { id, code, message } = result
      rejected.push({ index, id, code, message })
      return
    }
    const messages = outgoing.get(result.topic)
    if (messages) messages.push(result.message)
    else outgoing.set(result.topic, [result.message])
  })
  for (const { code } of rejected)
    countEvents(acceptor.metrics, { topic: 'cloudevents', outcome: 'rejected', reason: code })
  const accepted = events.length - rejected.length
  if (accepted === 0 && rejected.length > 0)
    throw new Problem(
      400,
      'nothing_valid',
      `none of ${rejected.length} events is valid: ${rejected[0]!.message}`,
      {},
      { accepted, rejected },
    )
  for (const [topic, messages] of outgoing) await append(acceptor, topic, messages)
  return { accepted, rejected }
}

async function append(
  { eventLog, metrics }: Acceptor,
  topic: string,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  await eventLog.append(topic, messages)
  countEvents(metrics, { topic, outcome: 'accepted', reason: '' }, messages.length)
}

/** Appends the valid events of an OTLP export; `reasons` says why each of the others is refused. */
async function acceptOtlp(
  acceptor: Acceptor,
  events: OtlpEvents,
): Promise<{ reasons: readonly string[] }> {
  const { metrics, destinations } = acceptor
  const reasons: string[] = []
  countEvents(
    metrics,
    { topic: 'otlp', outcome: 'ignored', reason: 'no_genai_operation' },
    events.ignored,
  )
  for (const [{ topic, validator, keyOf }, found] of [
    [destinations.predictions, events.predictions],
    [destinations.labels, events.labels],
  ] as const) {
    const messages: OutgoingMessage[] = []
    for (const event of found) {
      // The value that is validated is the text that is stored.
      const text = JSON.stringify(event)
      const validation = validator.text(text)
      if (validation.ok) messages.push({ key: keyOf(validation.event), value: text })
      else {
        const { code, message } = validation.rejection
        reasons.push(message)
        countEvents(metrics, { topic, outcome: 'rejected', reason: code })
      }
    }
    await append(acceptor, topic, messages)
  }
  return { reasons }
}

/** The answer to an OTLP export: empty when all was taken, and at most five reasons otherwise. */
const partialSuccess = (counter: string, { reasons }: { reasons: readonly string[] }) =>
  reasons.length === 0
    ? {}
    : {
        partialSuccess: {
          [counter]: String(reasons.length),
          errorMessage: reasons.slice(0, 5).join('; '),
        },
      }

function requireJson(contentType: string | undefined): void {
  if (!contentType?.includes('json'))
    throw new Problem(
      415,
      'unsupported_media_type',
      'OTLP is read as JSON: set OTEL_EXPORTER_OTLP_PROTOCOL=http/json',
    )
}

/** The message of an event that is forwarded as it came: binary mode, as CloudEvents are kept on Kafka. */
const forwarded = (event: CloudEvent, contentType: string): OutgoingMessage => ({
  key: event.id,
  value: event.data,
  headers: {
    ...Object.fromEntries(
      Object.entries(event.attributes).map(([name, value]) => [`ce_${name}`, value]),
    ),
    'content-type':
      isStructured(contentType) || BATCH.test(contentType) ? 'application/json' : contentType,
  },
})

function cloudEvents(
  contentType: string,
  headers: Record<string, string>,
  body: Buffer,
): (CloudEvent | 'invalid')[] {
  if (BATCH.test(contentType)) {
    if (!Array.isArray(parsed(body)))
      throw new Problem(400, 'invalid_json', 'a batch is a JSON array of events')
    return elementsOf(body, skipSpace(body, 0))!.map((event) => structuredEvent(event.toString()))
  }
  if (isStructured(contentType)) return [structuredEvent(body.toString())]
  return [binaryEvent(headers, 'ce-', body) ?? 'invalid']
}

function parsed(body: Buffer): unknown {
  const why = whyBeyond(body, BODY_BOUNDS)
  if (why) throw new Problem(400, 'invalid_json', why)
  try {
    return JSON.parse(body.toString())
  } catch (error) {
    throw new Problem(400, 'invalid_json', `the body is not JSON: ${(error as Error).message}`)
  }
}
