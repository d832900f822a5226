/**
 * Bodies and answers of the endpoints that take events: predictions, labels, attributes and foreign
 * wire formats.
 */
import Type, { type Static } from 'typebox'
import { RejectedItem } from './errors.ts'
import { closed } from './parts.ts'

/** What became of the events of one request. */
export const EventsAnswer = closed(
  {
    accepted: Type.Integer({ minimum: 0, description: 'Events that the log has durably.' }),
    rejected: Type.Array(RejectedItem, { description: 'Events that were refused, each with why.' }),
    misspelled: Type.Optional(
      Type.Array(
        closed({
          field: Type.String({ description: 'A field that events have and the schema has not.' }),
          meant: Type.String({ description: 'The field that it was probably meant to be.' }),
          events: Type.Integer({ minimum: 1, description: 'Accepted events that have it.' }),
        }),
        {
          maxItems: 20,
          description: 'Names that were probably misspelled; what they hold is not read.',
        },
      ),
    ),
  },
  {
    description: 'What became of each event; at least one was accepted, or none was sent.',
    examples: [
      {
        accepted: 1,
        rejected: [
          { index: 1, id: 'p-2', code: 'invalid_field', message: 'score must be a finite number' },
        ],
      },
    ],
  },
)
export type EventsAnswer = Static<typeof EventsAnswer>

/**
 * The answer of OTLP/HTTP: empty, or how many were refused as text, and why; what was ignored is
 * told in the message.
 */
const partial = (counter: 'rejectedSpans' | 'rejectedLogRecords') =>
  closed(
    {
      partialSuccess: Type.Optional(
        closed({
          [counter]: Type.String({ pattern: '^\\d+$', description: 'A 64-bit count as text.' }),
          errorMessage: Type.String({
            description:
              'How many were refused, and how many were ignored as no model call, by reason.',
          }),
        }),
      ),
    },
    { description: 'Empty where every record became an event.', examples: [{}] },
  )
/** The answer to an export of OpenTelemetry spans. */
export const TracesAnswer = partial('rejectedSpans')
/** The answer to an export of OpenTelemetry log records. */
export const LogsAnswer = partial('rejectedLogRecords')

const AT = '2026-01-01T00:00:00Z'
const PREDICTION = {
  prediction_id: 'p-1',
  model_id: 'fraud',
  model_version: '7',
  predicted_at: AT,
  prediction: '1',
  score: 0.93,
  features: { amount: 129.9, country: 'DE' },
}
const LABEL = {
  label_id: 'l-1',
  model_id: 'fraud',
  prediction_id: 'p-1',
  label: '1',
  labelled_at: AT,
  source: 'ground_truth',
}
const ATTRIBUTES = { subject_id: 's-1', attributes: { sex: '2' }, observed_at: AT }

/** One example of each event, by the `$id` of its schema. */
const EVENT_EXAMPLES: Readonly<Record<string, object>> = {
  'prediction.v1': PREDICTION,
  'label.v1': LABEL,
  'attributes.v1': ATTRIBUTES,
}

/**
 * The body of an event endpoint as the document describes it; the endpoint validates it item by
 * item.
 */
export const eventBody = (name: string) => {
  const event = { $ref: `${name}#` }
  const example = EVENT_EXAMPLES[name]
  return {
    content: {
      'application/json': {
        schema: { anyOf: [event, { type: 'array', items: event }], examples: [example] },
      },
      'application/x-ndjson': {
        schema: {
          type: 'string',
          description: 'One event a line.',
          examples: [`${JSON.stringify(example)}\n`],
        },
      },
    },
  }
}

const envelope = {
  specversion: '1.0',
  id: 'e-1',
  source: '/scoring',
  type: 'plumbline.prediction.v1',
  data: PREDICTION,
}
const CLOUD_EVENT = {
  type: 'object',
  description: 'An event in the structured mode of CloudEvents 1.0.',
  required: ['specversion', 'id', 'source', 'type'],
  properties: {
    specversion: { type: 'string', enum: ['1.0'] },
    id: { type: 'string' },
    source: { type: 'string' },
    type: {
      type: 'string',
      description:
        '`plumbline.prediction.v1`, `plumbline.label.v1`, `plumbline.attributes.v1`, or a type that ends in `inference.request` or `inference.response`.',
    },
    time: { type: 'string' },
    data: { description: 'The event, or the body of the exchange.' },
  },
} as const

/** The bodies of `POST /v1/cloudevents`, in each mode. */
export const CLOUD_EVENTS_BODY = {
  content: {
    'application/cloudevents+json': { schema: { ...CLOUD_EVENT, examples: [envelope] } },
    'application/cloudevents-batch+json': {
      schema: { type: 'array', items: CLOUD_EVENT, examples: [[envelope]] },
    },
    'application/json': {
      schema: {
        description: 'Binary mode: the data alone, its attributes in the headers `ce-*`.',
        examples: [PREDICTION],
      },
    },
  },
}

const RESOURCE = {
  attributes: [{ key: 'service.name', value: { stringValue: 'chat' } }],
}
const GENAI = [
  { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
  { key: 'gen_ai.response.model', value: { stringValue: 'gpt' } },
]
const NANOSECONDS = '1767225600000000000'
const TRACE = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '0000000000000001' }

const otlp = (list: string, description: string, example: object) => ({
  content: {
    'application/json': {
      schema: {
        type: 'object',
        description,
        properties: { [list]: { type: 'array', items: { type: 'object' } } },
        examples: [example],
      },
    },
  },
})

/** The body of `POST /v1/traces`. */
export const TRACES_BODY = otlp(
  'resourceSpans',
  'ExportTraceServiceRequest of OTLP as JSON; as protocol buffers it is `application/x-protobuf`.',
  {
    resourceSpans: [
      {
        resource: RESOURCE,
        scopeSpans: [
          {
            spans: [
              {
                ...TRACE,
                name: 'chat',
                startTimeUnixNano: NANOSECONDS,
                endTimeUnixNano: NANOSECONDS,
                attributes: GENAI,
              },
            ],
          },
        ],
      },
    ],
  },
)

/** The body of `POST /v1/logs`. */
export const LOGS_BODY = otlp(
  'resourceLogs',
  'ExportLogsServiceRequest of OTLP as JSON; as protocol buffers it is `application/x-protobuf`.',
  {
    resourceLogs: [
      {
        resource: RESOURCE,
        scopeLogs: [
          {
            logRecords: [
              {
                ...TRACE,
                eventName: 'gen_ai.evaluation.result',
                timeUnixNano: NANOSECONDS,
                attributes: [
                  { key: 'gen_ai.evaluation.name', value: { stringValue: 'relevance' } },
                  { key: 'gen_ai.evaluation.score.value', value: { doubleValue: 0.5 } },
                  { key: 'gen_ai.response.id', value: { stringValue: 'r-1' } },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
)
