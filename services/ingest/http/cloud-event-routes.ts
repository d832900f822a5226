/** The endpoint for CloudEvents, which KServe's logger speaks. */
import {
  binaryEvent,
  isStructured,
  structuredEvent,
  type CloudEvent,
} from '../../../lib/events/cloudevents.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { EventLog, OutgoingMessage } from '../../../lib/event-log/port.ts'
import { createValidator } from '../../../lib/events/validator.ts'
import { takeBodies, type Http } from '../../../lib/http/server.ts'
import { elementsOf, skipSpace } from '../../../lib/events/json/split-array.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { attributesKey, AttributesV1 } from '../../../schemas/events/attributes.v1.ts'
import { InferenceV1 } from '../../../schemas/events/inference.v1.ts'
import { answersToBody, type RejectedItem } from '../../../schemas/http/errors.ts'
import { CLOUD_EVENTS_BODY, EventsAnswer } from '../../../schemas/http/ingest.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { halfOf, isInference } from '../loop/pair-inferences.ts'
import { labelDestination, predictionDestination, type Destination } from './destinations.ts'
import { jsonBody } from './json-body.ts'

const BATCH = /^application\/cloudevents-batch\+json/i

export function cloudEventRoutes(
  http: Http,
  eventLog: Pick<EventLog, 'append'>,
  metrics: Metrics,
): void {
  const predictions = predictionDestination()
  const labels = labelDestination()
  const attributes: Destination = {
    topic: TOPICS.attributes.topic,
    validator: createValidator(AttributesV1),
    keyOf: attributesKey,
  }
  const halves = createValidator(InferenceV1)
  const byType = new Map([
    ['plumbline.prediction.v1', predictions],
    ['plumbline.label.v1', labels],
    ['plumbline.attributes.v1', attributes],
  ])
  const counted = (topic: string, outcome: string, reason: string, events = 1) => {
    if (events > 0)
      metrics.endpointEvents.inc({ service: 'ingest', topic, outcome, reason }, events)
  }

  void http.register(async (scope: Http) => {
    scope.removeAllContentTypeParsers()
    takeBodies(scope, '*')
    const emit = { scope: 'emit' as const }

    scope.post(
      '/v1/cloudevents',
      {
        config: { ...emit, describedBody: CLOUD_EVENTS_BODY },
        schema: {
          summary: 'CloudEvents 1.0, binary, structured or batch; KServe’s InferenceLogger',
          tags: ['events'],
          response: answersToBody({ 200: EventsAnswer }),
        },
      },
      async (request) => {
        const contentType = request.headers['content-type'] ?? ''
        const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
        // KServe's worker takes anything but exactly 200 for a failure.
        return acceptCloudEvents(
          cloudEvents(contentType, request.headers as Record<string, string>, body),
          contentType,
        )
      },
    )
  })

  async function acceptCloudEvents(
    events: readonly (CloudEvent | 'invalid')[],
    contentType: string,
  ): Promise<EventsAnswer> {
    const rejected: RejectedItem[] = []
    const outgoing = new Map<string, OutgoingMessage[]>()
    const put = (topic: string, message: OutgoingMessage) => {
      const messages = outgoing.get(topic)
      if (messages) messages.push(message)
      else outgoing.set(topic, [message])
    }
    events.forEach((event, index) => {
      if (event === 'invalid') {
        const { code, message } = predictions.validator.refuse('invalid_envelope').rejection
        rejected.push({ index, id: null, code, message })
      } else if (isInference(event)) {
        // Validated as it will be when it is read back: what is accepted is stored.
        const verdict = halves.value(halfOf(event, Date.now()))
        if (verdict.ok) put(TOPICS.inferenceLogs.topic, forwarded(event, contentType))
        else {
          const { code, message } = verdict.rejection
          rejected.push({ index, id: event.id, code, message })
        }
      } else {
        const destination = byType.get(event.type)
        if (!destination) {
          const known = [...byType.keys()].join(', ')
          rejected.push({
            index,
            id: event.id,
            code: 'unknown_type',
            message: `type must be one of ${known}, or end in inference.request or inference.response`,
          })
          return
        }
        const verdict = destination.validator.bytes(event.data)
        if (!verdict.ok) {
          const { code, message } = verdict.rejection
          rejected.push({ index, id: event.id, code, message })
        } else put(destination.topic, { key: destination.keyOf(verdict.event), value: event.data })
      }
    })
    for (const { code } of rejected) counted('cloudevents', 'rejected', code)
    const accepted = events.length - rejected.length
    if (accepted === 0 && rejected.length > 0)
      throw new Problem(
        400,
        'nothing_valid',
        `none of ${rejected.length} events is valid: ${rejected[0]!.message}`,
        {},
        { accepted, rejected },
      )
    for (const [topic, messages] of outgoing) {
      await eventLog.append(topic, messages)
      counted(topic, 'accepted', '', messages.length)
    }
    return { accepted, rejected }
  }
}

/** An event as it came, in binary mode, as CloudEvents lie on Kafka. */
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
    if (!Array.isArray(jsonBody(body)))
      throw new Problem(400, 'invalid_json', 'a batch is a JSON array of events')
    return elementsOf(body, skipSpace(body, 0))!.map((event) => structuredEvent(event.toString()))
  }
  if (isStructured(contentType)) return [structuredEvent(body.toString())]
  return [binaryEvent(headers, 'ce-', body) ?? 'invalid']
}
