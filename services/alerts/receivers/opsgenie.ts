/** Opsgenie's alerts API v2: one alert there for one incident here, by its alias. Pure. */
import { firstLetters } from '../decide/letters.ts'
import type { Message } from '../decide/messages.ts'
import { below, linksOf, type AlertRequest } from './request.ts'

const API_URL = 'https://api.opsgenie.com'
const MAX_MESSAGE = 130
const MAX_DESCRIPTION = 15_000
const MAX_ENTITY = 512
const MAX_TAG = 50

/**
 * The requests that create, change or close an alert; creating one of an alias that is open changes
 * nothing of it there, so a change is told part by part. A test creates one and closes it.
 *
 * @see https://docs.opsgenie.com/docs/alert-api
 */
export function opsgenieRequests(
  base: string | undefined,
  apiKey: string,
  of: Message,
): AlertRequest[] {
  const { event, subject, title, text, severity, kind, model_id, team, owner, environment } = of
  const headers = { authorization: `GenieKey ${apiKey}` }
  const request = (
    method: 'POST' | 'PUT',
    path: string,
    body: Record<string, unknown>,
  ): AlertRequest => ({ method, url: below(base ?? API_URL, `/v2/alerts${path}`), headers, body })
  const known = (what: string) => `/${encodeURIComponent(subject)}/${what}?identifierType=alias`
  const message = firstLetters(title, MAX_MESSAGE)
  const links = linksOf(of).map(([name, url]) => `${name}: ${url}`)
  const description = firstLetters([text, ...links].join('\n'), MAX_DESCRIPTION)
  const priority = event === 'test' ? 'P5' : severity === 'alarm' ? 'P1' : 'P3'
  const close = request('POST', known('close'), { source: 'Plumbline', note: message })
  if (event === 'resolve') return [close]
  if (event === 'update')
    return [
      request('PUT', known('message'), { message }),
      request('PUT', known('description'), { description }),
      request('PUT', known('priority'), { priority }),
    ]
  const create = request('POST', '', {
    message,
    alias: subject,
    description,
    priority,
    source: 'Plumbline',
    entity: firstLetters(model_id, MAX_ENTITY),
    tags: ['plumbline', kind, severity].map((tag) => firstLetters(tag, MAX_TAG)),
    details: { model: model_id, team, owner, environment, since: of.since },
  })
  return event === 'test' ? [create, close] : [create]
}
