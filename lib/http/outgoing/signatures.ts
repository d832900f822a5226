/**
 * Signatures of Standard Webhooks 1.0, HMAC-SHA256 over `id.timestamp.body`, and those of Grafana's
 * webhooks, over `timestamp:body`.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** How far a signature's time may be from ours. */
const TOLERANCE_S = 300

/** Headers that sign a body, keyed with the bytes behind `whsec_`; the timestamp is in seconds. */
export function signatureHeaders(
  secret: string,
  id: string,
  timestamp: number,
  body: string,
): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signatureOf(secret, `${id}.${timestamp}.${body}`)}`,
  }
}

/**
 * Whether headers sign this body with our secret, within five minutes of `now` (epoch
 * milliseconds).
 */
export function isSigned(
  secret: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
  now: number,
): boolean {
  const text = (name: string) => {
    const value = headers[name]
    return typeof value === 'string' ? value : ''
  }
  const timestamp = text('webhook-timestamp')
  if (!/^\d{1,12}$/.test(timestamp)) return false
  if (Math.abs(Number(timestamp) - now / 1000) > TOLERANCE_S) return false
  const wanted = Buffer.from(signatureOf(secret, `${text('webhook-id')}.${timestamp}.${body}`))
  return text('webhook-signature')
    .split(' ', 10)
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice(3)))
    .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted))
}

/** The headers by which Grafana signs; the second is the name to give it as its timestamp header. */
export const GRAFANA_SIGNATURE = 'x-grafana-alerting-signature'
/** Holds the seconds since the epoch at which Grafana signed. */
export const GRAFANA_TIMESTAMP = 'x-grafana-alerting-timestamp'

/**
 * Whether Grafana has signed this body with our secret, the text as it stands, within five minutes
 * of `now` (epoch milliseconds). A signature without a time is none: it would hold for ever.
 *
 * @see https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
 */
export function isSignedByGrafana(
  secret: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
  now: number,
): boolean {
  const given = headers[GRAFANA_SIGNATURE]
  const timestamp = headers[GRAFANA_TIMESTAMP]
  if (typeof given !== 'string' || typeof timestamp !== 'string') return false
  if (!/^\d{1,12}$/.test(timestamp)) return false
  if (Math.abs(Number(timestamp) - now / 1000) > TOLERANCE_S) return false
  const wanted = createHmac('sha256', secret).update(`${timestamp}:${body}`).digest('hex')
  return given.length === wanted.length && timingSafeEqual(Buffer.from(given), Buffer.from(wanted))
}

function signatureOf(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return createHmac('sha256', key).update(content).digest('base64')
}
