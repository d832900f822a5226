/** Tokens of an OAuth 2 server by the client's own credentials (RFC 6749, section 4.4). */
import { KafkaRefused } from './refused.ts'
import type { Token } from './token-cache.ts'

/**
 * Where tokens come from, and who asks; the secret is read at each request, so that a file may
 * change.
 */
export interface OAuthClient {
  tokenUrl: string
  clientId: string
  clientSecret: () => string
  scope?: string | undefined
}

const TIMEOUT_MS = 10_000
/** Life of a token whose server does not say how long it lives. */
const ASSUMED_SECONDS = 300
const MAX_ANSWER_CHARS = 300

/**
 * Asks for a token.
 *
 * @throws {KafkaRefused} where the server refuses the client (400, 401, 403); Error where it may
 *   answer later
 */
export async function requestToken(client: OAuthClient, now: () => number): Promise<Token> {
  const { tokenUrl, clientId, clientSecret, scope } = client
  const response = await fetch(tokenUrl, {
    method: 'POST',
    // A redirect would carry the secret elsewhere.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      accept: 'application/json',
      authorization: `Basic ${basic(clientId, clientSecret())}`,
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scope !== undefined && { scope }),
    }),
  }).catch((cause: unknown) => {
    throw new Error(`${hostOf(tokenUrl)} gave no token`, { cause })
  })
  const text = await response.text()
  if ([400, 401, 403].includes(response.status))
    throw new KafkaRefused(
      `${hostOf(tokenUrl)} refused a token for Kafka to ${clientId}: ${response.status} ${errorIn(text)}`,
    )
  if (!response.ok) throw new Error(`${hostOf(tokenUrl)} gave no token: ${response.status}`)
  return tokenIn(text, tokenUrl, now())
}

/** Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1). */
const basic = (id: string, secret: string) =>
  Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')

/** The address without a query, which may hold what is not for logs. */
function hostOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

/**
 * The error's code and description, which RFC 6749 names; nothing else of an answer goes into a
 * log.
 */
function errorIn(text: string): string {
  try {
    const { error, error_description: description } = JSON.parse(text) as Record<string, unknown>
    return [error, description]
      .filter((part) => typeof part === 'string')
      .join(': ')
      .slice(0, MAX_ANSWER_CHARS)
  } catch {
    return ''
  }
}

function tokenIn(text: string, tokenUrl: string, nowMs: number): Token {
  const answer = parsed(text)
  const value = answer['access_token']
  if (typeof value !== 'string' || value === '')
    throw new KafkaRefused(`${hostOf(tokenUrl)} answered without an access_token`)
  const seconds = Number(answer['expires_in'] ?? ASSUMED_SECONDS)
  return {
    value,
    expiresAtMs: nowMs + 1000 * (Number.isFinite(seconds) ? seconds : ASSUMED_SECONDS),
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
