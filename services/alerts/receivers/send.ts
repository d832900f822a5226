/** Tells one receiver one message, in its own shape. */
import type {
  GuardedAddress,
  GuardedFetch,
  OutgoingTls,
} from '../../../lib/http/outgoing/guarded-fetch.ts'
import {
  secretValue,
  withoutSecrets,
  withSecrets,
  type SecretOf,
} from '../../../lib/models/secret-references.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Receiver, ReceiverOf } from '../../../schemas/alerts-file.ts'
import type { Message } from '../decide/messages.ts'
import { sendMail } from './email.ts'
import { addedId, addRequest, changeRequest, findRequest, foundId } from './grafana.ts'
import { opsgenieRequests } from './opsgenie.ts'
import { answerOf, outcomeOfError, type Answer, type Outcome } from './outcome.ts'
import { pagerdutyRequests } from './pagerduty.ts'
import type { AlertRequest } from './request.ts'
import { secretsIn } from './secrets.ts'
import { slackRequest } from './slack.ts'
import { webhookRequest } from './webhook.ts'

const TIMEOUT_MS = 15_000
/** Requests of one message at most: a system may be asked more than once. */
const MAX_REQUESTS = 3

/** What telling needs, whoever is told. */
export interface SendParts {
  fetch: GuardedFetch
  addressOf: GuardedAddress
  secretOf: SecretOf
  /** Signs where a webhook has no key of its own, as `whsec_` and base64. */
  webhookSecret: string
  now: () => number
}

/** One try to tell. */
export interface Try {
  delivery_id: string
  message: Message
  /** The token of the link that the message carries: no answer is kept with it. */
  token?: string
  attempt: number
  /** What the receiver calls what it was last told of the incident, or ''. */
  remoteId: string
  tls: OutgoingTls | undefined
  signal: AbortSignal
}

/** How long a receiver may take over one request, in milliseconds. */
const timeoutOf = ({ timeout }: Receiver): number =>
  timeout === undefined ? TIMEOUT_MS : durationMs(timeout)

/** Ends a request of a try: its receiver has taken too long, or the process ends. */
const deadlineOf = (receiver: Receiver, { signal }: Pick<Try, 'signal'>): AbortSignal =>
  AbortSignal.any([AbortSignal.timeout(timeoutOf(receiver)), signal])

/** How long a receiver may take over one message, in milliseconds. */
export const longestOf = (receiver: Receiver): number => MAX_REQUESTS * timeoutOf(receiver)

/** Tells a receiver a message once. What is wrong is told in an outcome, with no secret in it. */
export async function tell(parts: SendParts, receiver: Receiver, what: Try): Promise<Outcome> {
  try {
    const outcome = await toldBy(parts, receiver, what)
    const clean = (text: string) =>
      withoutSecrets(text, [...secretsIn(receiver, parts.secretOf), what.token ?? ''])
    return outcome.kind === 'delivered'
      ? { ...outcome, answer: clean(outcome.answer) }
      : { ...outcome, why: clean(outcome.why) }
  } catch (error) {
    // Such as a secret that is not set any more: nothing was sent.
    return { kind: 'refused', why: messageOf(error) }
  }
}

function toldBy(parts: SendParts, receiver: Receiver, what: Try): Promise<Outcome> {
  const secret = (reference: string) => secretValue(reference, parts.secretOf)
  const { message } = what
  const each = (requests: readonly AlertRequest[]) => inOrder(parts, receiver, what, requests)
  switch (receiver.kind) {
    case 'slack':
      return each([slackRequest(secret(receiver.url), message)])
    case 'pagerduty':
      return each(pagerdutyRequests(receiver.url, secret(receiver.routing_key), message))
    case 'opsgenie':
      return each(opsgenieRequests(receiver.url, secret(receiver.api_key), message))
    case 'webhook':
      return toldByWebhook(parts, receiver, what)
    case 'grafana':
      return toldByGrafana(parts, { receiver, token: secret(receiver.token) }, what)
    case 'email':
      return sendMail(receiver, what, {
        addressOf: parts.addressOf,
        password: receiver.password === undefined ? '' : secret(receiver.password),
        tls: what.tls,
        timeoutMs: timeoutOf(receiver),
        signal: deadlineOf(receiver, what),
      })
  }
}

/** Sends requests one after another, and ends with the first that is not taken. */
async function inOrder(
  parts: SendParts,
  receiver: Receiver,
  what: Try,
  requests: readonly AlertRequest[],
): Promise<Outcome> {
  let last: Outcome = { kind: 'delivered', answer: '' }
  for (const request of requests) {
    last = (await ask(parts, receiver, what, request)).outcome
    if (last.kind !== 'delivered') return last
  }
  return last
}

const ask = (
  parts: SendParts,
  receiver: Receiver,
  what: Try,
  { body, ...request }: AlertRequest,
): Promise<Answer> =>
  exchange(parts, receiver, what, {
    ...request,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })

/** A request whose body is JSON already. */
type WrittenRequest = Omit<AlertRequest, 'body'> & { body?: string }

async function exchange(
  { fetch, now }: SendParts,
  receiver: Receiver,
  what: Try,
  { url, headers, ...request }: WrittenRequest,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      ...request,
      headers: { ...headers, 'content-type': 'application/json' },
      signal: deadlineOf(receiver, what),
      tls: what.tls,
    })
    return await answerOf(response, now())
  } catch (error) {
    return { status: 0, text: '', outcome: outcomeOfError(error) }
  }
}

async function toldByWebhook(
  parts: SendParts,
  receiver: ReceiverOf<'webhook'>,
  what: Try,
): Promise<Outcome> {
  const { secretOf, webhookSecret, now } = parts
  const key = receiver.key === undefined ? webhookSecret : secretValue(receiver.key, secretOf)
  const own = Object.entries(receiver.headers ?? {}).map(([name, text]): [string, string] => [
    name,
    withSecrets(text, secretOf),
  ])
  const signed = webhookRequest(key, what, Object.fromEntries(own), now())
  const url = withSecrets(receiver.url, secretOf)
  return (await exchange(parts, receiver, what, { method: 'POST', url, ...signed })).outcome
}

/**
 * Adds an annotation, or changes the one that was added. A try that is not the first looks whether
 * the one before it has come; an annotation that somebody removed has nothing to change.
 */
async function toldByGrafana(
  parts: SendParts,
  grafana: { receiver: ReceiverOf<'grafana'>; token: string },
  what: Try,
): Promise<Outcome> {
  const { message, attempt, remoteId } = what
  const send = (request: AlertRequest) => ask(parts, grafana.receiver, what, request)
  const isChange = message.event === 'update' || message.event === 'resolve'
  if (isChange && remoteId !== '') {
    const { status, outcome } = await send(changeRequest(grafana, remoteId, message))
    if (status === 404) return { kind: 'delivered', answer: 'the annotation is gone', remoteId }
    return outcome.kind === 'delivered' ? { ...outcome, remoteId } : outcome
  }
  if (attempt > 1) {
    const { text, outcome } = await send(findRequest(grafana, what.delivery_id))
    if (outcome.kind !== 'delivered') return outcome
    const id = foundId(text)
    if (id !== '') return { kind: 'delivered', answer: 'it was there already', remoteId: id }
  }
  const { text, outcome } = await send(addRequest(grafana, what))
  return outcome.kind === 'delivered' ? { ...outcome, remoteId: addedId(text) } : outcome
}
