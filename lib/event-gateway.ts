/** The HTTP door for events: judges each one, appends the good ones as the bytes they came in, answers for all. */
import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'
import type { TObject } from 'typebox'
import { createJudge } from './event-verdict.ts'
import { Problem } from './errors.ts'
import type { EventLog, OutgoingMessage } from './event-log.ts'
import type { Http } from './http.ts'
import { scanArray } from './json-scan.ts'
import type { Metrics } from './metrics.ts'

export interface GatewayOptions {
  service: string
  path: string
  schema: TObject
  topic: string
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
  text: string
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
  const { service, topic, metrics } = options
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
          return await accept(itemsOf(body, ndjson))
        } finally {
          pendingBytes -= sent.length
        }
      },
    )
  })

  async function accept(items: readonly Item[]) {
    const messages: OutgoingMessage[] = []
    const rejected: RejectedItem[] = []
    for (const item of items) {
      const verdict = judge.text(item.text)
      if (verdict.ok) {
        const { model_id, prediction_id } = verdict.event as {
          model_id: string
          prediction_id: string
        }
        messages.push({ key: `${model_id}/${prediction_id}`, value: item.text })
      } else {
        const { code, message } = verdict.rejection
        rejected.push({ index: item.index, id: idOf(item.text, options.idField), code, message })
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

function itemsOf(body: Buffer, ndjson: boolean): Item[] {
  if (!isUtf8(body)) throw new Problem(400, 'invalid_json', 'the body is not UTF-8')
  const text = body.toString()
  if (ndjson) {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line, index) => ({ index, text: line.trim() }))
  }
  try {
    JSON.parse(text)
  } catch (error) {
    throw new Problem(400, 'invalid_json', `the body is not JSON: ${(error as Error).message}`)
  }
  if (!text.trimStart().startsWith('[')) return [{ index: 0, text: text.trim() }]
  return scanArray(text).map(({ start, end }, index) => ({ index, text: text.slice(start, end) }))
}

function idOf(text: string, field: string): string | null {
  try {
    const id = (JSON.parse(text) as Record<string, unknown>)[field]
    return typeof id === 'string' ? id : null
  } catch {
    return null
  }
}
