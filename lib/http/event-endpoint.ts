/**
 * The HTTP endpoint for events: validates each one, appends the good ones as the bytes they came
 * in (or what privacy rules leave of them), answers for all.
 */
import { isUtf8 } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import type { TObject } from 'typebox'
import { answersToBody, type RejectedItem } from '../../schemas/http/errors.ts'
import { eventBody, EventsAnswer } from '../../schemas/http/ingest.ts'
import type { Refusal, RefusalOf } from '../models/expectations/refusal.ts'
import { misspelledOf } from '../events/misspelled-fields.ts'
import { createValidator, predictionKey, type Event, type Validator } from '../events/validator.ts'
import type { Rejection } from '../events/rejections.ts'
import type { Privacy } from '../events/privacy/redactor.ts'
import { storable } from '../events/stored-value.ts'
import { Problem } from '../runtime/errors.ts'
import { BODY_BOUNDS } from '../events/json/bounds.ts'
import { elementsOf, linesOf, OPEN_ARRAY, skipSpace, trimmed } from '../events/json/split-array.ts'
import type { EventLog, OutgoingMessage } from '../event-log/port.ts'
import { refuseForeign, statusOfNone, type Reach } from './model-access.ts'
import { jsonOf, takeBodies, type Http } from './server.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** One endpoint for events: its path, what an event must be, and the topic that takes it. */
export interface GatewayOptions {
  service: string
  path: string
  schema: TObject
  topic: string
  /** The key of an event in the log; `model_id/prediction_id` unless given. */
  keyOf?: (event: Event) => string
  /** The field that names an event in the answer. */
  idField: string
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  /** What is left of an event goes into the log. */
  privacy: Privacy
  /**
   * Says why a well-formed event is refused all the same. It goes to the log too, where it becomes
   * a dead letter and is counted once, as one that comes by Kafka.
   */
  refusalOf?: RefusalOf | undefined
  /** Shape of the other product whose events the endpoint takes. */
  foreign?: ForeignShape | undefined
}

/** Events in the shape of another product: what they are of ours. */
export interface ForeignShape {
  summary: string
  /** The body in the document. */
  body: object
  /** The events of a body that is JSON, each as one of ours, or why it is none. */
  eventsOf: (body: unknown) => readonly ({ event: object } | { refused: string })[]
}

interface Item {
  index: number
  bytes: Buffer
  /** Why it is none, whatever its bytes are. */
  refused?: string
}

/** After so many milliseconds of validating, others have their turn. */
const TURN_MS = 10
/** Distinct misspelled names that one answer tells. */
const MAX_MISSPELLED = 20
/** Distinct unknown names of a request that are compared with the schema's. */
const MAX_NAMES_COMPARED = 100

/** Registers an endpoint that takes one event, an array or NDJSON, and answers for each of them. */
export function eventGateway(http: Http, options: GatewayOptions): void {
  const validator = createValidator(options.schema, options.privacy)
  const { service, topic, metrics, keyOf = predictionKey, foreign } = options
  const name = String((options.schema as { $id?: string }).$id)
  const { summary, body: describedBody } = foreign ?? {
    summary: `One event, an array of them, or NDJSON: ${name}`,
    body: eventBody(name),
  }
  if (!foreign) http.addSchema(options.schema)

  void http.register(async (scope: Http) => {
    // Bodies stay bytes: what is stored is what was sent.
    scope.removeAllContentTypeParsers()
    takeBodies(scope, ['application/json', 'application/x-ndjson'])
    countShed(scope, metrics, { service, topic })
    scope.post(
      options.path,
      {
        config: { scope: 'emit', isByModel: true, describedBody },
        schema: {
          summary,
          tags: ['events'],
          response: answersToBody({ 200: EventsAnswer }),
        },
      },
      async (request) => {
        const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
        const ndjson = isNdjson(request.headers['content-type'])
        const items = foreign ? foreignItems(foreign, body) : itemsOf(body, ndjson)
        request.spend('events', items.length)
        return accept(items, ndjson || foreign ? undefined : body, request.reach('emit'))
      },
    )
  })

  /** @param body what must be JSON as a whole */
  async function accept(
    items: readonly Item[],
    body: Buffer | undefined,
    reach: Reach,
  ): Promise<EventsAnswer> {
    const messages: OutgoingMessage[] = []
    const refused: OutgoingMessage[] = []
    const rejected: RejectedItem[] = []
    const misspelled = misspelledFields(validator.fieldNames)
    let unchecked = body
    let turn = performance.now()
    for (const item of items) {
      if (performance.now() - turn > TURN_MS) {
        await setImmediate()
        turn = performance.now()
      }
      const given = validated(validator, item)
      const verdict = refuseForeign(reach, given)
      const refusal = verdict.ok ? options.refusalOf?.(verdict.event) : undefined
      if (verdict.ok) {
        if (verdict.unknownFields > 0) misspelled.note(verdict.event.names)
        const message = { key: keyOf(verdict.event), value: verdict.value }
        if (!refusal) {
          messages.push(message)
          continue
        }
        refused.push(message)
      }
      const { code, message, also } = verdict.ok ? rejectionOf(refusal!) : verdict.rejection
      if (unchecked && (code === 'invalid_json' || code === 'empty')) {
        mustBeJson(unchecked)
        unchecked = undefined
      }
      const id = code === 'too_large' ? null : idOf(item.bytes.toString(), options.idField)
      rejected.push({ index: item.index, id, code, message, ...(also && { also: [...also] }) })
      metrics.endpointEvents.inc({ service, topic, outcome: 'rejected', reason: code })
    }
    if (messages.length + refused.length > 0)
      await options.eventLog.append(topic, [...messages, ...refused])
    if (messages.length === 0 && rejected.length > 0) throw new NothingValid(rejected)
    metrics.endpointEvents.inc({ service, topic, outcome: 'accepted', reason: '' }, messages.length)
    return { accepted: messages.length, rejected, ...misspelled.found() }
  }
}

const validated = (validator: Validator, { bytes, refused }: Item) =>
  refused === undefined
    ? storable(validator, validator.bytes(bytes), () => bytes)
    : validator.refuse('invalid_envelope', undefined, refused)

const rejectionOf = ({ code = 'expectation_violated', message }: Refusal): Rejection => ({
  code,
  message,
})

/** Counts requests that are turned away since the service has too much to do. */
function countShed(
  scope: Http,
  { endpointEvents }: Metrics,
  labels: { service: string; topic: string },
): void {
  scope.addHook('onError', async (_request, _reply, error) => {
    if (error instanceof Problem && error.code === 'overloaded')
      endpointEvents.inc({ ...labels, outcome: 'shed', reason: error.code })
  })
}

const isNdjson = (contentType = '') => contentType.includes('ndjson')

/** Counts, over the events of a request, names that were probably meant to be fields. */
function misspelledFields(known: readonly string[]) {
  const isKnown = new Set(known)
  const meantBy = new Map<string, string | undefined>()
  const events = new Map<string, number>()
  const meantByName = (name: string): string | undefined => {
    if (!meantBy.has(name) && meantBy.size < MAX_NAMES_COMPARED)
      meantBy.set(name, misspelledOf([name], known)[0]?.meant)
    return meantBy.get(name)
  }
  return {
    note: (names: readonly string[]): void => {
      for (const name of names) {
        if (isKnown.has(name)) continue
        const meant = meantByName(name)
        if (meant === undefined || names.includes(meant)) continue
        const count = events.get(name) ?? 0
        if (count > 0 || events.size < MAX_MISSPELLED) events.set(name, count + 1)
      }
    },
    found: (): Pick<EventsAnswer, 'misspelled'> =>
      events.size === 0
        ? {}
        : {
            misspelled: [...events].map(([field, count]) => ({
              field,
              meant: meantBy.get(field)!,
              events: count,
            })),
          },
  }
}

/** A 400, or 403, that still tells of every item. */
class NothingValid extends Problem {
  constructor(rejected: readonly RejectedItem[]) {
    const first = rejected.slice(0, 5).map((item) => `[${item.index}] ${item.message}`)
    super(
      statusOfNone(rejected),
      'nothing_valid',
      `none of ${rejected.length} events is valid: ${first.join('; ')}`,
      {},
      { accepted: 0, rejected },
    )
  }
}

/** @throws {Problem} 400 where the body is no JSON, or beyond its bounds */
const foreignItems = ({ eventsOf }: ForeignShape, body: Buffer): Item[] =>
  eventsOf(jsonOf(body, BODY_BOUNDS)).map((one, index) =>
    'event' in one
      ? { index, bytes: Buffer.from(JSON.stringify(one.event)) }
      : { index, bytes: Buffer.from('{}'), refused: one.refused },
  )

/** @throws Problem when the body as a whole is no JSON, or no UTF-8 */
function itemsOf(body: Buffer, ndjson: boolean): Item[] {
  if (ndjson) return linesOf(body).map((bytes, index) => ({ index, bytes }))
  const first = skipSpace(body, 0)
  if (body[first] !== OPEN_ARRAY) return [{ index: 0, bytes: trimmed(body) }]
  const elements = elementsOf(body, first)
  if (!elements) mustBeJson(body)
  return (elements ?? []).map((bytes, index) => ({ index, bytes }))
}

/**
 * What is refused as no JSON may be the fault of the body around it: then nothing of it can be
 * trusted.
 */
function mustBeJson(body: Buffer): void {
  if (!isUtf8(body)) throw new Problem(400, 'invalid_json', 'the body is not UTF-8')
  try {
    JSON.parse(body.toString())
  } catch (error) {
    throw new Problem(400, 'invalid_json', `the body is not JSON: ${(error as Error).message}`)
  }
}

function idOf(text: string, field: string): string | null {
  try {
    const id = (JSON.parse(text) as Record<string, unknown>)[field]
    return typeof id === 'string' ? id : null
  } catch {
    return null
  }
}
