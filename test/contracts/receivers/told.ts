/** Tells receivers as the service does, over real connections. */
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedAddress, guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import type { Receiver } from '../../../schemas/alerts-file.ts'
import type { Message } from '../../../services/alerts/decide/messages.ts'
import { tell, type SendParts, type Try } from '../../../services/alerts/receivers/send.ts'

/** Signs where a webhook has no key of its own. */
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
/** The key of an integration has 32 characters. */
export const ROUTING_KEY = 'R0UT1NGKEYR0UT1NGKEYR0UT1NGKEY00'

/** What sending needs, with these secrets. */
export const sendParts = (secrets: Readonly<Record<string, string>>): SendParts => ({
  fetch: guardedFetch(parseAllowed('loopback')),
  addressOf: guardedAddress(parseAllowed('loopback')),
  secretOf: (name) => secrets[name],
  webhookSecret: SECRET,
  now: Date.now,
})

/** A message about an incident of the model `fraud`. */
export const message = (more: Partial<Message> = {}): Message => ({
  event: 'open',
  subject: 'alarm/fraud/2026-01-01T00:00:00.000Z',
  kind: 'alarm',
  model_id: 'fraud',
  severity: 'alarm',
  title: 'firing: fraud: accuracy is down from 0.9 to 0.8, since 1 January 2026',
  text: '• accuracy is down from 0.9 to 0.8 (alarm)\n\nModel fraud, since 1 January 2026 00:00 UTC.',
  headline: 'accuracy is down from 0.9 to 0.8, since 1 January 2026',
  since: '2026-01-01T00:00:00.000Z',
  at: '2026-01-01T02:00:00.000Z',
  page: 'https://plumbline.example/models/fraud',
  report: '',
  owner: 'ann',
  team: 'risk',
  environment: 'production',
  runbook: 'https://wiki.example/fraud',
  ...more,
})

let deliveries = 0

/** Tells a message once. */
export const told = (
  parts: SendParts,
  receiver: Receiver,
  of: Message,
  more: Partial<Try> = {},
): ReturnType<typeof tell> =>
  tell(parts, receiver, {
    delivery_id: `delivery-${deliveries++}`,
    message: of,
    attempt: 1,
    remoteId: '',
    tls: undefined,
    signal: new AbortController().signal,
    ...more,
  })
