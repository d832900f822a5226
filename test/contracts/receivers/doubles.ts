/**
 * Doubles of the services that alerts go to, which cannot be had here: each a real HTTP server that
 * takes and refuses what the service's documentation says, and remembers what it would show.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { atEnd } from '../../at-end.ts'

/** What a request was, its body read as JSON where it is such. */
export interface Seen {
  method: string
  path: string
  headers: IncomingMessage['headers']
  text: string
}

/** An answer: its status, a body, and headers. */
export type Answer = [status: number, body: unknown, headers?: Record<string, string>]

/** A server, its address, and what it was asked. */
export interface Double {
  url: string
  seen: Seen[]
  /** Answers that come before those of the service itself, the first one first. */
  before: (Answer | 'hang up' | 'hang')[]
}

/** Starts a server that answers by a function. */
export async function double(answer: (seen: Seen) => Answer): Promise<Double> {
  const seen: Seen[] = []
  const before: Double['before'] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const one = { method: request.method!, path: request.url!, headers: request.headers, text }
      seen.push(one)
      respond(response, before.shift() ?? answer(one))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, before }
}

function respond(response: ServerResponse, answer: Answer | 'hang up' | 'hang'): void {
  if (answer === 'hang') return
  if (answer === 'hang up') return void response.destroy()
  const [status, body, headers = {}] = answer
  const isText = typeof body === 'string'
  const type = isText ? 'text/plain' : 'application/json'
  response.writeHead(status, { 'content-type': type, ...headers })
  response.end(isText ? body : JSON.stringify(body))
}

const json = <T>({ text }: Seen): T => JSON.parse(text) as T

interface SlackText {
  type: string
  text: string
}
interface SlackBody {
  text?: string
  blocks?: { type: string; text?: SlackText; elements?: SlackText[] }[]
}

/** What a channel shows. */
export interface SlackPost {
  header: string
  body: string
  /** Whom it calls, and where it links. */
  mentions: string[]
  links: string[]
}

/**
 * Slack's incoming webhooks: `ok` as text, `invalid_blocks`, `no_text`, `no_service`.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export async function slack(): Promise<Double & { posts: SlackPost[]; hook: string }> {
  const posts: SlackPost[] = []
  const started = await double((seen) => {
    if (seen.path !== '/services/T000/B000/XXXXXXXX') return [404, 'no_service']
    const { text = '', blocks = [] } = json<SlackBody>(seen)
    if (text === '' && blocks.length === 0) return [400, 'no_text']
    const [header, section, ...rest] = blocks
    const isWithin = (part: SlackText | undefined, type: string, most: number) =>
      part?.type === type && part.text.length > 0 && part.text.length <= most
    if (header?.type !== 'header' || !isWithin(header.text, 'plain_text', 150))
      return [400, 'invalid_blocks']
    if (section?.type !== 'section' || !isWithin(section.text, 'mrkdwn', 3000))
      return [400, 'invalid_blocks']
    const elements = rest.flatMap((block) => block.elements ?? [])
    const marked = [text, section.text!.text, ...elements.map((element) => element.text)]
    const angles = marked.flatMap((part) => [...part.matchAll(/<([^<>]*)>/g)].map((all) => all[1]!))
    posts.push({
      header: header.text!.text,
      body: shownBySlack(section.text!.text),
      mentions: angles.filter((inner) => /^[!@#]/.test(inner)),
      links: angles.filter((inner) => /^https?:/.test(inner)),
    })
    return [200, 'ok']
  })
  return { ...started, posts, hook: `${started.url}/services/T000/B000/XXXXXXXX` }
}

const shownBySlack = (text: string) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

interface PagerdutyBody {
  routing_key?: string
  event_action?: string
  dedup_key?: string
  payload?: { summary?: string; source?: string; severity?: string; timestamp?: string }
}

/**
 * PagerDuty's Events API v2: 202 with the `dedup_key`, 400 with `errors`.
 *
 * @see https://developer.pagerduty.com/docs/send-alert-event
 */
export async function pagerduty(): Promise<
  Double & { incidents: Map<string, { status: string; severity: string; triggers: number }> }
> {
  const incidents = new Map<string, { status: string; severity: string; triggers: number }>()
  const started = await double((seen) => {
    if (seen.path !== '/v2/enqueue') return [404, { message: 'Not Found' }]
    const body = json<PagerdutyBody>(seen)
    const errors = pagerdutyErrors(body)
    if (errors.length > 0)
      return [400, { status: 'invalid event', message: 'Event object is invalid', errors }]
    const key = body.dedup_key!
    const before = incidents.get(key)
    if (body.event_action === 'trigger') {
      const isOpen = before?.status === 'triggered'
      incidents.set(key, {
        status: 'triggered',
        severity: body.payload!.severity!,
        triggers: isOpen ? before.triggers + 1 : 1,
      })
    } else if (before) before.status = 'resolved'
    return [202, { status: 'success', message: 'Event processed', dedup_key: key }]
  })
  return { ...started, incidents }
}

function pagerdutyErrors({ routing_key, event_action, dedup_key, payload }: PagerdutyBody) {
  const errors: string[] = []
  if (routing_key?.length !== 32) errors.push("'routing_key' is invalid")
  if (!['trigger', 'acknowledge', 'resolve'].includes(event_action ?? ''))
    errors.push("'event_action' is invalid")
  if (!dedup_key || dedup_key.length > 255) errors.push("'dedup_key' is invalid")
  if (event_action !== 'trigger') return errors
  const { summary, source, severity, timestamp } = payload ?? {}
  if (!summary || summary.length > 1024) errors.push("'payload.summary' is invalid")
  if (!source) errors.push("'payload.source' is missing or blank")
  if (!['critical', 'error', 'warning', 'info'].includes(severity ?? ''))
    errors.push("'payload.severity' is invalid")
  if (Number.isNaN(Date.parse(timestamp ?? ''))) errors.push("'payload.timestamp' is invalid")
  return errors
}

/** An alert as Opsgenie shows it. */
export interface OpsgenieAlert {
  status: 'open' | 'closed'
  message: string
  description: string
  priority: string
  count: number
}

/**
 * Opsgenie's alerts API v2: 202 for what will be processed, 401, 422.
 *
 * @see https://docs.opsgenie.com/docs/alert-api
 */
export async function opsgenie(
  key: string,
): Promise<Double & { alerts: Map<string, OpsgenieAlert> }> {
  const alerts = new Map<string, OpsgenieAlert>()
  const taken: Answer = [202, { result: 'Request will be processed', took: 0.1, requestId: 'r' }]
  const started = await double((seen) => {
    if (seen.headers.authorization !== `GenieKey ${key}`)
      return [401, { message: 'Could not authenticate', took: 0, requestId: 'r' }]
    const { pathname, searchParams } = new URL(seen.path, 'http://x')
    const body = json<Partial<OpsgenieAlert> & { alias?: string }>(seen)
    if (seen.method === 'POST' && pathname === '/v2/alerts') {
      const { message = '', alias = '', description = '', priority = 'P3' } = body
      if (message === '' || message.length > 130 || alias === '' || alias.length > 512)
        return [422, { message: 'Request body is not processable. Please check the errors.' }]
      const before = alerts.get(alias)
      // Only the count of an open alias changes.
      if (before?.status === 'open') before.count++
      else alerts.set(alias, { status: 'open', message, description, priority, count: 1 })
      return taken
    }
    const [, alias, what] = /^\/v2\/alerts\/([^/]+)\/(\w+)$/.exec(pathname) ?? []
    if (!alias || searchParams.get('identifierType') !== 'alias')
      return [404, { message: 'No alert exists' }]
    const alert = alerts.get(decodeURIComponent(alias))
    if (seen.method === 'POST' && what === 'close' && alert) alert.status = 'closed'
    else if (seen.method === 'PUT' && alert) Object.assign(alert, body)
    return taken
  })
  return { ...started, alerts }
}

/** An annotation as Grafana keeps it. */
export interface Annotation {
  id: number
  time: number
  timeEnd?: number
  tags: string[]
  text: string
  dashboardUID?: string
}

/**
 * Grafana's annotations: add, find by tags, change by PATCH; 401, 404.
 *
 * @see https://grafana.com/docs/grafana/latest/developers/http_api/annotations/
 */
export async function grafana(token: string): Promise<Double & { annotations: Annotation[] }> {
  const annotations: Annotation[] = []
  const started = await double((seen) => {
    if (seen.headers.authorization !== `Bearer ${token}`) return [401, { message: 'Unauthorized' }]
    const { pathname, searchParams } = new URL(seen.path, 'http://x')
    if (seen.method === 'GET') {
      const tags = searchParams.getAll('tags')
      return [200, annotations.filter((one) => tags.every((tag) => one.tags.includes(tag)))]
    }
    if (seen.method === 'POST' && pathname === '/api/annotations') {
      const body = json<Omit<Annotation, 'id'>>(seen)
      if (!body.text) return [400, { message: 'text field should not be empty' }]
      annotations.push({ ...body, id: annotations.length + 1 })
      return [200, { message: 'Annotation added', id: annotations.length }]
    }
    const id = Number(/^\/api\/annotations\/(\d+)$/.exec(pathname)?.[1])
    const found = annotations.find((one) => one.id === id)
    if (seen.method !== 'PATCH' || !found) return [404, { message: 'Could not find annotation' }]
    Object.assign(found, json<Partial<Annotation>>(seen))
    return [200, { message: 'Annotation patched' }]
  })
  return { ...started, annotations }
}

/** A message as a webhook takes it. */
export interface TakenWebhook {
  id: string
  type: string
  data: Record<string, unknown>
}

/**
 * A receiver of Standard Webhooks, which takes what is signed and drops what it has had. How old a
 * signature is it does not ask: the clock of tests is their own.
 */
export async function webhook(key: string): Promise<Double & { taken: TakenWebhook[] }> {
  const taken: TakenWebhook[] = []
  const signer = new Webhook(key)
  const started = await double(({ headers, text }) => {
    const id = String(headers['webhook-id'])
    const at = new Date(1000 * Number(headers['webhook-timestamp']))
    if (headers['webhook-signature'] !== signer.sign(id, at, text))
      return [401, { detail: 'the signature is not good' }]
    if (!taken.some((one) => one.id === id))
      taken.push({ id, ...(JSON.parse(text) as Omit<TakenWebhook, 'id'>) })
    return [204, '']
  })
  return { ...started, taken }
}
