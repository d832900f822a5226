/** Sends events to a running Plumbline, over HTTP, until each is taken or refused. */
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../runtime/errors.ts'
import type { SourceEventType } from '../mapping.ts'

/** Where Plumbline is, and who sends. */
export interface Destination {
  url: string
  key: string
}

/** An event that was refused: its place among those that were sent, and why. */
export interface RefusedEvent {
  index: number
  message: string
}

/** What became of events that were sent. */
export interface SentEvents {
  accepted: number
  refused: readonly RefusedEvent[]
}

/**
 * Sends events of one type: JSON, each followed by {@link separatorOf} the type.
 *
 * @throws {ImportEnded} where they cannot be sent
 */
export type Send = (type: SourceEventType, events: Buffer) => Promise<SentEvents>

/** What lies between two events of a type in a request. */
export const separatorOf = (type: SourceEventType): string => (type === 'inference' ? ',' : '\n')

/** What ends an import, in one sentence. */
export class ImportEnded extends Error {}

const PATHS: Readonly<Record<SourceEventType, { path: string; contentType: string }>> = {
  prediction: { path: '/v1/predictions', contentType: 'application/x-ndjson' },
  label: { path: '/v1/labels', contentType: 'application/x-ndjson' },
  attributes: { path: '/v1/attributes', contentType: 'application/x-ndjson' },
  inference: { path: '/v1/cloudevents', contentType: 'application/cloudevents-batch+json' },
}

/** How long one request is tried again while the service is away or has too much to do. */
const PATIENCE_MS = 600_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000
/** Longest wait that an answer can ask for. */
const LONGEST_ASKED_S = 60
const REQUEST_MS = 120_000

/** Makes the sender. A request that is answered by 429, by 5xx or not at all is sent again. */
export function sender({ url, key }: Destination): Send {
  const isSecure = url.startsWith('https:')
  const agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  return async (type, events) => {
    const { path, contentType } = PATHS[type]
    const body = type === 'inference' ? listOf(events) : events
    const headers = {
      'content-type': contentType,
      'content-length': body.length,
      ...(key !== '' && { authorization: `Bearer ${key}` }),
    }
    const post = { url: `${url}${path}`, body, options: { method: 'POST', headers, agent } }
    const { status, answer } = await answered(post)
    if (status >= 300 && !(status === 400 && answer.rejected))
      throw new ImportEnded(`${url} answered ${status}: ${answer.detail ?? 'no reason was given'}`)
    return { accepted: answer.accepted ?? 0, refused: answer.rejected ?? [] }
  }
}

/** A list of the events, without the separator behind the last. */
const listOf = (events: Buffer) =>
  Buffer.concat([Buffer.from('['), events.subarray(0, -1), Buffer.from(']')])

interface Answer {
  accepted?: number
  rejected?: RefusedEvent[]
  detail?: string
}

/** A request; its bytes go to the connection as they are, which `fetch` copies twice before. */
interface Post {
  url: string
  body: Buffer
  options: RequestOptions
}

async function answered(post: Post): Promise<{ status: number; answer: Answer }> {
  const { url } = post
  const begun = performance.now()
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const tried = await tryOnce(post)
    if ('status' in tried && tried.status !== 429 && tried.status < 500) return tried
    if (performance.now() - begun > PATIENCE_MS)
      throw new ImportEnded(
        'why' in tried
          ? `${url} cannot be reached: ${tried.why}`
          : `${url} answered ${tried.status} for ${PATIENCE_MS / 60_000} minutes: ${tried.answer.detail ?? 'no reason was given'}`,
      )
    await sleep(Math.max(pause, 'status' in tried ? tried.askedMs : 0))
  }
}

type Tried = { status: number; answer: Answer; askedMs: number } | { why: string }

function tryOnce({ url, body, options }: Post): Promise<Tried> {
  const signal = AbortSignal.timeout(REQUEST_MS)
  const failed = (error: Error) => ({ why: messageOf(error) })
  return new Promise((resolve) => {
    try {
      const send = url.startsWith('https:') ? httpsRequest : httpRequest
      const request = send(url, { ...options, signal }, (response) => {
        const askedMs = askedPause(response.headers['retry-after'])
        text(response).then(
          (told) => resolve({ status: response.statusCode ?? 0, answer: parsed(told), askedMs }),
          (error: Error) => resolve(failed(error)),
        )
      })
      request.once('error', (error) => resolve(failed(error)))
      request.end(body)
    } catch (error) {
      resolve(failed(error as Error))
    }
  })
}

/** Milliseconds that an answer asks to wait, a minute at most; 0 where it asks for none. */
function askedPause(header: string | undefined): number {
  const seconds = Number(header ?? 0)
  return seconds > 0 ? Math.min(seconds, LONGEST_ASKED_S) * 1000 : 0
}

/** What is no JSON object, a proxy's page for one, says nothing. */
function parsed(text: string): Answer {
  try {
    return (JSON.parse(text) ?? {}) as Answer
  } catch {
    return {}
  }
}
