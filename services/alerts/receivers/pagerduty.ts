/** PagerDuty's Events API v2: one incident there for one here. Pure. */
import { firstLetters } from '../decide/letters.ts'
import type { Message } from '../decide/messages.ts'
import { below, linksOf, type AlertRequest } from './request.ts'

const EVENTS_URL = 'https://events.pagerduty.com'
const MAX_SUMMARY = 1024
const MAX_SOURCE = 255

/** The severity of an event: tests page nobody who looks at severities. */
const severityOf = ({ event, severity }: Message) =>
  event === 'test' ? 'info' : severity === 'alarm' ? 'critical' : 'warning'

/**
 * The requests that open, change or resolve an incident; its `dedup_key` is the identity of ours. A
 * test opens one and resolves it.
 *
 * @see https://developer.pagerduty.com/docs/send-alert-event
 */
export function pagerdutyRequests(
  base: string | undefined,
  routingKey: string,
  message: Message,
): AlertRequest[] {
  const { event, subject, title, text, at, kind, team, owner, environment } = message
  const about = { routing_key: routingKey, dedup_key: subject }
  const request = (body: Record<string, unknown>): AlertRequest => ({
    method: 'POST',
    url: below(base ?? EVENTS_URL, '/v2/enqueue'),
    headers: {},
    body,
  })
  const resolve = request({ ...about, event_action: 'resolve' })
  if (event === 'resolve') return [resolve]
  const links = linksOf(message).map(([name, href]) => ({ href, text: name }))
  const trigger = request({
    ...about,
    event_action: 'trigger',
    client: 'Plumbline',
    client_url: message.page,
    links,
    payload: {
      summary: firstLetters(title, MAX_SUMMARY),
      source: firstLetters(message.model_id || 'plumbline', MAX_SOURCE),
      severity: severityOf(message),
      timestamp: at,
      component: message.model_id,
      group: team,
      class: kind,
      custom_details: { text, since: message.since, owner, environment },
    },
  })
  return event === 'test' ? [trigger, resolve] : [trigger]
}
