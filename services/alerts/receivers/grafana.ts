/** Grafana's annotations: one for an incident, from its begin to its end. Pure. */
import type { ReceiverOf } from '../../../schemas/alerts-file.ts'
import { firstLetters } from '../decide/letters.ts'
import type { Message } from '../decide/messages.ts'
import { below, escaped, linksOf, type AlertRequest } from './request.ts'

const MAX_TEXT = 10_000
const MAX_TAG = 100

/** What requests of one Grafana have in common. */
interface Grafana {
  receiver: Pick<ReceiverOf<'grafana'>, 'url' | 'dashboard_uid' | 'panel_id'>
  token: string
}

const headersOf = ({ token }: Grafana) => ({ authorization: `Bearer ${token}` })

/** The tags by which an annotation is found again. */
const tagOf = (deliveryId: string) => `plumbline-delivery:${deliveryId}`

/** Asks whether the annotation of a delivery is there already. */
export const findRequest = (grafana: Grafana, deliveryId: string): AlertRequest => ({
  method: 'GET',
  url: below(
    grafana.receiver.url,
    `/api/annotations?limit=1&tags=${encodeURIComponent(tagOf(deliveryId))}`,
  ),
  headers: headersOf(grafana),
})

/** Adds an annotation; of an incident that has ended it has its end. Its text is HTML there. */
export function addRequest(
  grafana: Grafana,
  { delivery_id: id, message }: { delivery_id: string; message: Message },
): AlertRequest {
  const { dashboard_uid: dashboardUID, panel_id: panelId, url } = grafana.receiver
  const { event, at, since, kind, severity, model_id } = message
  return {
    method: 'POST',
    url: below(url, '/api/annotations'),
    headers: headersOf(grafana),
    body: {
      ...(dashboardUID !== undefined && { dashboardUID }),
      ...(panelId !== undefined && { panelId }),
      time: Date.parse(event === 'test' ? at : since),
      ...(event === 'resolve' && { timeEnd: Date.parse(at) }),
      tags: ['plumbline', kind, severity, model_id, tagOf(id)]
        .filter((tag) => tag !== '')
        .map((tag) => firstLetters(tag, MAX_TAG)),
      text: textOf(message),
    },
  }
}

/** Changes an annotation, or gives it its end. */
export const changeRequest = (grafana: Grafana, id: string, message: Message): AlertRequest => ({
  method: 'PATCH',
  url: below(grafana.receiver.url, `/api/annotations/${encodeURIComponent(id)}`),
  headers: headersOf(grafana),
  body: {
    text: textOf(message),
    ...(message.event === 'resolve' && { timeEnd: Date.parse(message.at) }),
  },
})

const textOf = (message: Message): string =>
  [
    escaped(`${message.title}\n${message.text}`, MAX_TEXT),
    ...linksOf(message).map(
      ([name, url]) => `<a href="${escaped(url, 2000).replaceAll('"', '&quot;')}">${name}</a>`,
    ),
  ].join('\n')

/** The id in an answer that adds an annotation; '' where there is none. */
export const addedId = (text: string): string => idIn(parsed(text))

/** The id of the first annotation that was found; '' where none was. */
export function foundId(text: string): string {
  const found = parsed(text)
  return Array.isArray(found) ? idIn(found[0]) : ''
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function idIn(of: unknown): string {
  const id = (of as { id?: unknown } | null | undefined)?.id
  return typeof id === 'number' && Number.isSafeInteger(id) ? String(id) : ''
}
