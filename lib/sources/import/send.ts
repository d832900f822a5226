/** Sends events to a running Plumbline, over HTTP, until each is taken or refused. */
import { setTimeout as sleep } from 'node:timers/promises'
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

/** Sends JSON of events of one type. @throws {ImportEnded} where they cannot be sent */
export type Send = (type: SourceEventType, events: readonly string[]) => Promise<SentEvents>

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
/** Of what an answer asks to wait, at most so much is waited. */
const LONGEST_ASKED_S = 60
const REQUEST_MS = 120_000

/** Makes the sender. A request that is answered by 429, by 5xx or not at all is sent again. */
export function sender({ url, key }: Destination): Send {
  return async (type, events) => {
    const { path, contentType } = PATHS[type]
    const body = type === 'inference' ? `[${events.join(',')}]` : events.join('\n')
    const request = {
      method: 'POST',
      headers: {
        'content-type': contentType,
        ...(key !== '' && { authorization: `Bearer ${key}` }),
      },
      body,
    }
    const { status, answer } = await answered(`${url}${path}`, request)
    if (status >= 300 && !(status === 400 && answer.rejected))
      throw new ImportEnded(`${url} answered ${status}: ${answer.detail ?? 'no reason was given'}`)
    return { accepted: answer.accepted ?? 0, refused: answer.rejected ?? [] }
  }
}

interface Answer {
  accepted?: number
  rejected?: RefusedEvent[]
  detail?: string
}

async function answered(
  url: string,
  request: RequestInit,
): Promise<{ status: number; answer: Answer }> {
  const begun = performance.now()
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const tried = await tryOnce(url, request)
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

async function tryOnce(
  url: string,
  request: RequestInit,
): Promise<{ status: number; answer: Answer; askedMs: number } | { why: string }> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(REQUEST_MS) })
    const askedMs = askedPause(response.headers.get('retry-after'))
    return { status: response.status, answer: parsed(await response.text()), askedMs }
  } catch (error) {
    const { message, cause } = error as Error
    return { why: (cause as Error | undefined)?.message || message }
  }
}

/** Milliseconds that an answer asks to wait, a minute at most; 0 where it asks for none. */
function askedPause(header: string | null): number {
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
