/** Doors for events in other dialects: CloudEvents, which KServe's logger speaks, and OTLP/HTTP. */
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

interface Destination {
  topic: string
  validator: Validator
  keyOf: (event: Event) => string
}

const BATCH = /^application\/cloudevents-batch\+json/i

export function dialectRoutes(
  http: Http,
  eventLog: Pick<EventLog, 'append'>,
  metrics: Metrics,
): void {
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
    for (const { path, translate, counter, describedBody, answer } of [
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
    ]) {
      scope.post(
        path,
        {
          config: { ...emit, describedBody },
          schema: {
            summary: 'OTLP/HTTP JSON with GenAI attributes',
            tags: ['events'],
            response: answersToBody({ 200: answer }),
          },
        },
        async (request) => {
          if (!request.headers['content-type']?.includes('json'))
            throw new Problem(
              415,
              'unsupported_media_type',
              'OTLP is read as JSON: set OTEL_EXPORTER_OTLP_PROTOCOL=http/json',
            )
          const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
          const { rejected, reasons } = await acceptOtlp(translate(parsed(body)))
          return rejected === 0
            ? {}
            : {
                partialSuccess: {
                  [counter]: String(rejected),
                  errorMessage: reasons.slice(0, 5).join('; '),
                },
              }
        },
      )
    }
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

  async function acceptOtlp(events: OtlpEvents) {
    const reasons: string[] = []
    counted('otlp', 'ignored', 'no_genai_operation', events.ignored)
    for (const [{ topic, validator, keyOf }, found] of [
      [predictions, events.predictions],
      [labels, events.labels],
    ] as const) {
      const messages: OutgoingMessage[] = []
      for (const event of found) {
        // The value that is validated is the text that is stored.
        const text = JSON.stringify(event)
        const verdict = validator.text(text)
        if (verdict.ok) messages.push({ key: keyOf(verdict.event), value: text })
        else {
          reasons.push(verdict.rejection.message)
          counted(topic, 'rejected', verdict.rejection.code)
        }
      }
      await eventLog.append(topic, messages)
      counted(topic, 'accepted', '', messages.length)
    }
    return { rejected: reasons.length, reasons }
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
