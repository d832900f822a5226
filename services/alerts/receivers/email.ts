/** Mail by SMTP. */
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { createTransport } from 'nodemailer'
import type { GuardedAddress, OutgoingTls } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { printable } from '../../../lib/http/outgoing/refusals.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { ReceiverOf } from '../../../schemas/alerts-file.ts'
import { firstLetters } from '../decide/letters.ts'
import type { Message } from '../decide/messages.ts'
import { outcomeOfError, type Outcome } from './outcome.ts'
import { linksOf } from './request.ts'

const MAX_SUBJECT = 250
const SMTP_PORT = 587
const SMTPS_PORT = 465
const MAX_ANSWER = 500

/** What a mail says, and the id by which it is the same one when it is tried again. */
interface Mail {
  delivery_id: string
  message: Message
}

/** What a mail is sent with. */
export interface MailParts {
  addressOf: GuardedAddress
  /** '' where none is asked for. */
  password: string
  tls: OutgoingTls | undefined
  timeoutMs: number
  /** Ends the try, however slowly the server goes on. */
  signal: AbortSignal
}

/**
 * Sends one mail. The server is looked up once, and the connection goes to an address that may be
 * reached. With `starttls` and `tls` nothing is said before the connection is encrypted and its
 * certificate is found good. A mail tried again has the same `Message-ID`.
 */
export async function sendMail(
  receiver: ReceiverOf<'email'>,
  what: Mail,
  parts: MailParts,
): Promise<Outcome> {
  const { from, to } = receiver
  const { signal } = parts
  try {
    const sent = await within(signal, async () => {
      const transport = createTransport(await settingsOf(receiver, parts))
      return transport.sendMail(mailOf(what, { from, to })).finally(() => transport.close())
    })
    const refused = sent.rejected.length === 0 ? '' : `; not taken for ${sent.rejected.join(', ')}`
    return { kind: 'delivered', answer: said(`${sent.response}${refused}`) }
  } catch (error) {
    return outcomeOf(error)
  }
}

async function settingsOf(
  { host, port, security = 'starttls', user }: ReceiverOf<'email'>,
  { addressOf, password, tls, timeoutMs }: MailParts,
) {
  return {
    host: await addressOf(host),
    port: port ?? (security === 'tls' ? SMTPS_PORT : SMTP_PORT),
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user !== undefined && { auth: { user, pass: password } }),
    // A name is what the certificate is held against; an address holds for itself.
    tls: { ...(isIP(host) === 0 && { servername: host }), minVersion: 'TLSv1.2' as const, ...tls },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** Work that a server may drag out, ended by a signal. */
const within = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error)
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop)
    void work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
  })

const said = (text: string) => firstLetters(printable(text), MAX_ANSWER)

/** Replies of 500 and above refuse for good; all others may pass. */
function outcomeOf(error: unknown): Outcome {
  const { responseCode: code } = error as { responseCode?: number }
  if (code === undefined) return outcomeOfError(error)
  const why = said(messageOf(error))
  return code >= 500 ? { kind: 'refused', why } : { kind: 'failed', why, askedMs: 0 }
}

function mailOf({ delivery_id: id, message }: Mail, ends: { from: string; to: string[] }) {
  const { subject, title, text } = message
  // All mails of one incident are one thread.
  const thread = createHash('sha256').update(subject).digest('hex').slice(0, 32)
  const links = linksOf(message).map(([name, url]) => `${name}: ${url}`)
  return {
    ...ends,
    subject: firstLetters(title, MAX_SUBJECT),
    text: [title, '', text, ...(links.length === 0 ? [] : ['', ...links]), ''].join('\n'),
    messageId: `<${id}@plumbline.invalid>`,
    references: `<${thread}@plumbline.invalid>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Plumbline-Event': message.event },
  }
}
