/** A webhook of one's own: the message as JSON, signed by Standard Webhooks. Pure. */
import { signatureHeaders } from '../../../lib/http/outgoing/signatures.ts'
import type { Message } from '../decide/messages.ts'

/** What a webhook is sent. */
export interface WebhookRequest {
  headers: Record<string, string>
  body: string
}

/**
 * The signed request of a message; the same message tried again has the same `webhook-id`.
 *
 * @param key as `whsec_` and base64
 * @param now epoch milliseconds
 */
export function webhookRequest(
  key: string,
  { delivery_id: id, message }: { delivery_id: string; message: Message },
  headers: Readonly<Record<string, string>>,
  now: number,
): WebhookRequest {
  const { subject, ...told } = message
  const body = JSON.stringify({
    type: `plumbline.alert.${message.event}`,
    timestamp: message.at,
    data: { incident_id: subject, ...told },
  })
  return {
    headers: { ...headers, ...signatureHeaders(key, id, Math.floor(now / 1000), body) },
    body,
  }
}
