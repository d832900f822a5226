/** The HTTP door for events: judges each one, appends the good ones as the bytes they came in, answers for all. */
import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'
import type { TObject } from 'typebox'
import { createJudge, predictionKey, type Event } from './event-verdict.ts'
import { Problem } from './errors.ts'
import { elementsOf, linesOf, OPEN_ARRAY, skipSpace, trimmed } from './json-elements.ts'
import type { EventLog, OutgoingMessage } from './event-log.ts'
import type { Http } from './http.ts'
import type { Metrics } from './metrics.ts'

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
  /** Largest body, after decompression. */
  maxBodyBytes: number
  /** Bytes of events that may wait for the log before callers are told to come back. */
  maxPendingBytes: number
}

export interface RejectedItem {
  index: number
  id: string | null
  code: string
  message: string
}

interface Item {
  index: number
  bytes: Buffer
}

const gunzipped = promisify(gunzip)
const unzstd = promisify(zstdDecompress)
const RETRY_AFTER_S = '1'

const ANSWER = {
  type: 'object',
  properties: {
    accepted: { type: 'integer' },
    rejected: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          index: { type: 'integer' },
          id: { type: ['string', 'null'] },
          code: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
  },
}

export function eventGateway(http: Http, options: GatewayOptions): void {
  const judge = createJudge(options.schema)
  const { service, topic, metrics, keyOf = predictionKey } = options
  let pendingBytes = 0

  void http.register(async (scope) => {
    // Bodies stay bytes: what is stored is what was sent.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      ['application/json', 'application/x-ndjson'],
      { parseAs: 'buffer', bodyLimit: options.maxBodyBytes },
      (_request, body, done) => done(null, body),
    )
    scope.post(
      options.path,
      {
        config: { scope: 'emit' },
        schema: {
          summary: `One event, an array of them, or NDJSON: ${String((options.schema as { $id?: string }).$id)}`,
          response: { 200: ANSWER },
        },
      },
      async (request) => {
        const sent = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
        if (pendingBytes + sent.length > options.maxPendingBytes) {
          metrics.events.inc({ service, topic, outcome: 'shed', reason: 'overloaded' })
          throw new Problem(429, 'overloaded', 'too many events are waiting to be stored', {
            'retry-after': RETRY_AFTER_S,
          })
        }
        pendingBytes += sent.length
        try {
          const body = await decompress(
            sent,
            request.headers['content-encoding'],
            options.maxBodyBytes,
          )
          const ndjson = request.headers['content-type']?.includes('ndjson') ?? false
          return await accept(itemsOf(body, ndjson), ndjson ? undefined : body)
        } finally {
          pendingBytes -= sent.length
        }
      },
    )
  })

  /** @param body what must be JSON as a whole */
  async function accept(items: readonly Item[], body: Buffer | undefined) {
    const messages: OutgoingMessage[] = []
    const rejected: RejectedItem[] = []
    for (const item of items) {
      const verdict = judge.bytes(item.bytes)
      if (verdict.ok) {
        messages.push({ key: keyOf(verdict.event), value: item.bytes })
      } else {
        const { code, message } = verdict.rejection
        if (body && (code === 'invalid_json' || code === 'empty')) mustBeJson(body)
        rejected.push({
          index: item.index,
          id: idOf(item.bytes.toString(), options.idField),
          code,
          message,
        })
        metrics.events.inc({ service, topic, outcome: 'rejected', reason: code })
      }
    }
    if (messages.length === 0 && rejected.length > 0) throw new NothingValid(rejected)
    await options.eventLog.append(topic, messages)
    metrics.events.inc({ service, topic, outcome: 'accepted', reason: '' }, messages.length)
    return { accepted: messages.length, rejected }
  }
}

/** A 400 that still tells of every item. */
class NothingValid extends Problem {
  constructor(rejected: readonly RejectedItem[]) {
    const first = rejected.slice(0, 5).map((item) => `[${item.index}] ${item.message}`)
    super(
      400,
      'nothing_valid',
      `none of ${rejected.length} events is valid: ${first.join('; ')}`,
      {},
      { accepted: 0, rejected },
    )
  }
}

async function decompress(
  body: Buffer,
  encoding: string | undefined,
  maxOutputLength: number,
): Promise<Buffer> {
  if (!encoding || encoding === 'identity') return body
  try {
    if (encoding === 'gzip') return await gunzipped(body, { maxOutputLength })
    if (encoding === 'zstd') return await unzstd(body, { maxOutputLength })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new Problem(413, 'too_large', `the body is larger than ${maxOutputLength} bytes`)
    throw new Problem(400, 'bad_request', `the body is not ${encoding}`)
  }
  throw new Problem(
    415,
    'unsupported_media_type',
    `content-encoding ${encoding} is not one of gzip, zstd`,
  )
}

/** @throws Problem when the body as a whole is no JSON, or no UTF-8 */
function itemsOf(body: Buffer, ndjson: boolean): Item[] {
  if (ndjson) return linesOf(body).map((bytes, index) => ({ index, bytes }))
  const first = skipSpace(body, 0)
  if (body[first] !== OPEN_ARRAY) return [{ index: 0, bytes: trimmed(body) }]
  const elements = elementsOf(body, first)
  if (!elements) mustBeJson(body)
  return (elements ?? []).map((bytes, index) => ({ index, bytes }))
}

/** What is refused as no JSON may be the fault of the body around it: then nothing of it can be trusted. */
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
