/** The endpoint for CloudEvents, which KServe's logger sends. */
import {
  binaryEvent,
  isStructured,
  structuredEvent,
  type CloudEvent,
} from '../../../lib/events/cloudevents.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { EventLog, OutgoingMessage } from '../../../lib/event-log/port.ts'
import { storable } from '../../../lib/events/stored-value.ts'
import { createValidator, type Event, type Validator } from '../../../lib/events/validator.ts'
import { BODY_BOUNDS } from '../../../lib/events/json/bounds.ts'
import { jsonOf, takeBodies, type Http } from '../../../lib/http/server.ts'
import { refuseForeign, statusOfNone, type Reach } from '../../../lib/http/model-access.ts'
import { elementsOf, skipSpace } from '../../../lib/events/json/split-array.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { attributesKey, AttributesV1 } from '../../../schemas/events/attributes.v1.ts'
import { InferenceV1 } from '../../../schemas/events/inference.v1.ts'
import { answersToBody, type RejectedItem } from '../../../schemas/http/errors.ts'
import { CLOUD_EVENTS_BODY, EventsAnswer } from '../../../schemas/http/ingest.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { halfOf, isInference } from '../loop/pair-inferences.ts'
import type { IngestRoutesOptions } from './event-routes.ts'
import { labelDestination, predictionDestination, type Destination } from './destinations.ts'

/** What CloudEvents are accepted with. */
interface Acceptor {
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  predictions: Destination
  /** Destinations by the `type` of a CloudEvent. */
  byType: ReadonlyMap<string, Destination>
  /** Validates requests and responses that a model server logs. */
  halves: Validator
}

/** What events are accepted with, of a caller and their models. */
interface Sender extends Acceptor {
  reach: Reach
}

const BATCH = /^application\/cloudevents-batch\+json/i
/**
 * Registers `POST /v1/cloudevents`. Bodies are read as bytes whatever their content type; valid
 * events are appended to their topic before the answer.
 */
export function cloudEventRoutes(http: Http, options: IngestRoutesOptions): void {
  const acceptor = createAcceptor(options)
  void http.register(async (scope: Http) => {
    scope.removeAllContentTypeParsers()
    takeBodies(scope, '*')
    scope.post(
      '/v1/cloudevents',
      {
        config: { scope: 'emit', isByModel: true, describedBody: CLOUD_EVENTS_BODY },
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
        request.spend('events', events.length)
        // KServe's worker takes anything but exactly 200 for a failure.
        const sender = { ...acceptor, reach: request.reach('emit') }
        return acceptCloudEvents(sender, events, contentType)
      },
    )
  })
}

const bodyOf = ({ body }: { body: unknown }) => (body instanceof Buffer ? body : Buffer.alloc(0))

function createAcceptor({ eventLog, metrics, privacy, refusalOf }: IngestRoutesOptions): Acceptor {
  const predictions = predictionDestination(privacy, refusalOf)
  const labels = labelDestination(privacy)
  const attributes: Destination = {
    topic: TOPICS.attributes.topic,
    validator: createValidator(AttributesV1, privacy),
    keyOf: attributesKey,
  }
  return {
    eventLog,
    metrics,
    predictions,
    byType: new Map([
      ['plumbline.prediction.v1', predictions],
      ['plumbline.label.v1', labels],
      ['plumbline.attributes.v1', attributes],
    ]),
    halves: createValidator(InferenceV1, privacy),
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
  (Sent & { refused?: never }) | (Omit<RejectedItem, 'index'> & { topic?: never; refused?: Sent })

/** A message and its topic. */
interface Sent {
  topic: string
  message: OutgoingMessage
}

function routed(acceptor: Sender, event: CloudEvent | 'invalid', contentType: string): Routed {
  const { byType, predictions, halves, reach } = acceptor
  if (event === 'invalid') {
    const { code, message } = predictions.validator.refuse('invalid_envelope').rejection
    return { id: null, code, message }
  }
  const { id } = event
  if (isInference(event)) {
    // Validated as it will be when it is read back: what is accepted is stored.
    const validation = refuseForeign(reach, halves.value(halfOf(event, Date.now())))
    if (validation.ok) {
      const kept = validation.isRedacted ? keptHalf(event, validation.event) : event
      return { topic: TOPICS.inferenceLogs.topic, message: forwarded(kept, contentType) }
    }
    const { code, message } = validation.rejection
    return { id, code, message }
  }
  const destination = byType.get(event.type)
  if (!destination) {
    const known = [...byType.keys()].join(', ')
    const message = `type must be one of ${known}, or end in inference.request or inference.response`
    return { id, code: 'unknown_type', message }
  }
  const { validator } = destination
  const given = storable(validator, validator.bytes(event.data), () => event.data)
  const validation = refuseForeign(reach, given)
  if (!validation.ok) {
    const { code, message, also } = validation.rejection
    return { id, code, message, ...(also && { also: [...also] }) }
  }
  const key = destination.keyOf(validation.event)
  const sent = { topic: destination.topic, message: { key, value: validation.value } }
  const refusal = destination.refusalOf?.(validation.event)
  if (!refusal) return sent
  return { id, code: 'expectation_violated', message: refusal.message, refused: sent }
}

/**
 * Appends the valid ones of some CloudEvents, and answers which were refused.
 *
 * @throws Problem 400 `nothing_valid` where none is valid, 403 where all are of foreign models
 */
async function acceptCloudEvents(
  acceptor: Sender,
  events: readonly (CloudEvent | 'invalid')[],
  contentType: string,
): Promise<EventsAnswer> {
  const rejected: RejectedItem[] = []
  const outgoing = new Map<string, OutgoingMessage[]>()
  const refused: Sent[] = []
  events.forEach((event, index) => {
    const result = routed(acceptor, event, contentType)
    if (result.topic === undefined) {
      const { id, code, message, also } = result
      rejected.push({ index, id, code, message, ...(also && { also }) })
      if (result.refused) refused.push(result.refused)
      return
    }
    const messages = outgoing.get(result.topic)
    if (messages) messages.push(result.message)
    else outgoing.set(result.topic, [result.message])
  })
  for (const { code } of rejected)
    countEvents(acceptor.metrics, { topic: 'cloudevents', outcome: 'rejected', reason: code })
  for (const { topic, message } of refused) await acceptor.eventLog.append(topic, [message])
  const accepted = events.length - rejected.length
  if (accepted === 0 && rejected.length > 0)
    throw new Problem(
      statusOfNone(rejected),
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

/** Attributes that say which exchange a half is of. */
const KEPT_ATTRIBUTES = new Set(
  'specversion id type time requestid modelid inferenceservicename endpoint namespace'.split(' '),
)

/** A half of an exchange as the rules of its model leave it. */
const keptHalf = (event: CloudEvent, half: Event): CloudEvent => ({
  ...event,
  data: Buffer.from(half.get('body') as string),
  attributes: {
    ...Object.fromEntries(
      Object.entries(event.attributes).filter(([name]) => KEPT_ATTRIBUTES.has(name)),
    ),
    source: 'plumbline',
  },
})

/**
 * The message of an event that is forwarded as it came: binary mode, as CloudEvents are kept on
 * Kafka.
 */
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
    if (!Array.isArray(jsonOf(body, BODY_BOUNDS)))
      throw new Problem(400, 'invalid_json', 'a batch is a JSON array of events')
    return elementsOf(body, skipSpace(body, 0))!.map((event) => structuredEvent(event.toString()))
  }
  if (isStructured(contentType)) return [structuredEvent(body.toString())]
  return [binaryEvent(headers, 'ce-', body) ?? 'invalid']
}
