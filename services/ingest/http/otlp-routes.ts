/**
 * The endpoints of OTLP/HTTP, `/v1/traces` and `/v1/logs`: protocol buffers and JSON, each answered
 * in its own encoding.
 */
import { setImmediate } from 'node:timers/promises'
import type { EventLog, OutgoingMessage } from '../../../lib/event-log/port.ts'
import { BODY_BOUNDS } from '../../../lib/events/json/bounds.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import { storable } from '../../../lib/events/stored-value.ts'
import { refuseForeign, type Reach } from '../../../lib/http/model-access.ts'
import {
  jsonOf,
  takeBodies,
  type FastifyReply,
  type FastifyRequest,
  type Http,
} from '../../../lib/http/server.ts'
import { problemOf } from '../../../lib/http/problems.ts'
import type { RefusalOf } from '../../../lib/models/expectations/refusal.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { answersOfOtlp } from '../../../schemas/http/errors.ts'
import { LOGS_BODY, LogsAnswer, TRACES_BODY, TracesAnswer } from '../../../schemas/http/ingest.ts'
import {
  encodedAnswer,
  encodedStatus,
  exportAnswer,
  statusOf,
  type RpcStatus,
  type Tally,
} from '../wire-formats/otlp-answer.ts'
import { outcomesOfLogs, outcomesOfTraces, type OtlpOutcome } from '../wire-formats/otlp.ts'
import { decodedProtobuf } from '../wire-formats/otlp-protobuf.ts'
import { LOGS, TRACES, type Shape } from '../wire-formats/otlp-shapes.ts'
import { labelDestination, predictionDestination, type Destination } from './destinations.ts'

const PROTOBUF = 'application/x-protobuf'
/** After so many milliseconds of translating, others have their turn. */
const TURN_MS = 10

/** What the endpoints need of the service. */
export interface OtlpDeps {
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  log: Logger
  privacy: Privacy
  refusalOf?: RefusalOf | undefined
}

/** Adds both endpoints. */
export function otlpRoutes(http: Http, deps: OtlpDeps): void {
  const destinations = {
    predictions: predictionDestination(deps.privacy, deps.refusalOf),
    labels: labelDestination(deps.privacy),
  }
  const told = (outcomes: Iterable<OtlpOutcome>, request: FastifyRequest) =>
    acceptOutcomes(outcomes, destinations, {
      ...deps,
      reach: request.reach('emit'),
      spend: (events) => request.spend('events', events),
    })

  void http.register(async (scope: Http) => {
    scope.removeAllContentTypeParsers()
    takeBodies(scope, '*')
    scope.setErrorHandler((error, request, reply) => {
      const problem = problemOf(error, request, deps.log)
      if (problem.code === 'overloaded') countOf(deps.metrics, 'shed', problem.code)
      void reply.headers(problem.headers).code(problem.status)
      return sendStatus(reply, isProtobuf(request), statusOf(problem.status, problem.message))
    })
    scope.post(
      '/v1/traces',
      {
        config: { scope: 'emit', isByModel: true, describedBody: TRACES_BODY },
        schema: {
          summary: 'OTLP/HTTP spans with GenAI attributes, as protocol buffers or JSON',
          tags: ['events'],
          response: answersOfOtlp({ 200: TracesAnswer }),
        },
      },
      async (request, reply) => {
        const tally = await told(outcomesOfTraces(bodyOf(request, TRACES)), request)
        encodeAs(request, reply, 'rejectedSpans')
        return exportAnswer(tally, 'rejectedSpans', 'span')
      },
    )
    scope.post(
      '/v1/logs',
      {
        config: { scope: 'emit', isByModel: true, describedBody: LOGS_BODY },
        schema: {
          summary: 'OTLP/HTTP log records with GenAI events, as protocol buffers or JSON',
          tags: ['events'],
          response: answersOfOtlp({ 200: LogsAnswer }),
        },
      },
      async (request, reply) => {
        const tally = await told(outcomesOfLogs(bodyOf(request, LOGS)), request)
        encodeAs(request, reply, 'rejectedLogRecords')
        return exportAnswer(tally, 'rejectedLogRecords', 'log record')
      },
    )
  })
}

const contentType = (request: FastifyRequest) => request.headers['content-type'] ?? ''
const isProtobuf = (request: FastifyRequest) =>
  /^application\/(?:x-)?protobuf\b/i.test(contentType(request))

/** @throws {Problem} for bytes that are not what their content type says, or are of another one */
function bodyOf(request: FastifyRequest, shape: Shape): unknown {
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
  if (isProtobuf(request)) return decodedProtobuf(body, shape)
  if (contentType(request).includes('json')) return jsonOf(body, BODY_BOUNDS)
  throw new Problem(
    415,
    'unsupported_media_type',
    `OTLP is read as ${PROTOBUF} or application/json, not as ${contentType(request).slice(0, 100) || 'nothing'}`,
  )
}

/** An answer goes out in the encoding of its request. */
function encodeAs(request: FastifyRequest, reply: FastifyReply, counter: string): void {
  // Fastify sends bytes too, which its types leave out.
  const encode = (answer: object) => encodedAnswer(answer, counter) as unknown as string
  if (isProtobuf(request)) void reply.type(PROTOBUF).serializer(encode)
}

function sendStatus(reply: FastifyReply, asProtobuf: boolean, status: RpcStatus): FastifyReply {
  return asProtobuf
    ? reply.type(PROTOBUF).send(encodedStatus(status))
    : reply.type('application/json').send(JSON.stringify(status))
}

const countOf = (metrics: Metrics, outcome: string, reason: string, topic = 'otlp', events = 1) =>
  metrics.endpointEvents.inc({ service: 'ingest', topic, outcome, reason }, events)

/**
 * Validates what is an event, appends it, and counts everything.
 *
 * @param spend throws where the caller may not send so many events; nothing is appended then
 */
async function acceptOutcomes(
  outcomes: Iterable<OtlpOutcome>,
  destinations: Readonly<Record<'predictions' | 'labels', Destination>>,
  { eventLog, metrics, reach, spend }: OtlpDeps & { reach: Reach; spend: (events: number) => void },
): Promise<Tally> {
  const tally: Tally = { refused: new Map(), ignored: new Map() }
  const messages = { predictions: [] as OutgoingMessage[], labels: [] as OutgoingMessage[] }
  const refused: OutgoingMessage[] = []
  const rejections: { topic: string; code: string }[] = []
  let turn = performance.now()
  for (const outcome of outcomes) {
    if (performance.now() - turn > TURN_MS) {
      await setImmediate()
      turn = performance.now()
    }
    if (outcome.kind === 'ignored') {
      addOne(tally.ignored, outcome.reason)
      continue
    }
    const { topic, validator, keyOf, refusalOf } = destinations[outcome.kind]
    // Fitted values are those that their text has, and no larger than an event may be: reading it
    // again would tell nothing.
    const given = storable(validator, validator.value(outcome.event), () =>
      JSON.stringify(outcome.event),
    )
    const validation = refuseForeign(reach, given)
    const refusal = validation.ok ? refusalOf?.(validation.event) : undefined
    if (validation.ok) {
      const message = { key: keyOf(validation.event), value: validation.value }
      if (refusal) refused.push(message)
      else messages[outcome.kind].push(message)
    }
    if (validation.ok && !refusal) continue
    const { code, message } = validation.ok
      ? { code: 'expectation_violated', message: refusal!.message }
      : validation.rejection
    addOne(tally.refused, message)
    rejections.push({ topic, code })
  }
  spend(rejections.length + messages.predictions.length + messages.labels.length)
  for (const { topic, code } of rejections) countOf(metrics, 'rejected', code, topic)
  for (const [reason, count] of tally.ignored) countOf(metrics, 'ignored', reason, 'otlp', count)
  if (refused.length > 0) await eventLog.append(destinations.predictions.topic, refused)
  for (const kind of ['predictions', 'labels'] as const) {
    if (messages[kind].length === 0) continue
    const { topic } = destinations[kind]
    await eventLog.append(topic, messages[kind])
    countOf(metrics, 'accepted', '', topic, messages[kind].length)
  }
  return tally
}

function addOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
