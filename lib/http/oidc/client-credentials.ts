/**
 * Tokens that a launch shows: the OAuth client credentials grant, each token used until shortly before
 * its end, and asked for anew where it is refused.
 */
import * as oidc from 'openid-client'
import { secretValue, withoutSecrets } from '../../models/secret-references.ts'
import type { ClientCredentials } from '../../../schemas/launch-requests.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { GuardedFetch } from '../outgoing/guarded-fetch.ts'
import { isPermanent, printable } from '../outgoing/refusals.ts'

/** A token before its end is not used for the last of its time. */
const SPARE_S = 30
/** How long a token is used whose end is not told, seconds. */
const UNTOLD_S = 60
/** Tokens that are kept, the newest; one for each client and scope. */
const MAX_KEPT = 1000
const MAX_SENTENCE = 500

/** The issuer refuses the client: the same request again is refused again. */
export class TokenRefused extends Error {}

/** The tokens of a process. */
export interface Tokens {
  /**
   * A token of a client that may be shown now.
   *
   * @param signal ends the request for one
   * @throws {TokenRefused} where the issuer refuses for good, or a secret is not set
   */
  get: (client: ClientCredentials, signal: AbortSignal) => Promise<string>
  /** Forgets a token that was refused; the next is asked for anew. */
  forget: (client: ClientCredentials) => void
}

/** What tokens are asked for with; times are epoch milliseconds. */
interface TokenParts {
  fetch: GuardedFetch
  environment: (name: string) => string | undefined
  now: () => number
}

/** Makes the tokens of a process, which has none yet. */
export function clientTokens(parts: TokenParts): Tokens {
  const kept = new Map<string, { token: string; until: number }>()
  return {
    get: async (client, signal) => {
      const key = keyOf(client)
      const known = kept.get(key)
      if (known && known.until > parts.now()) return known.token
      const fresh = await ask(parts, client, signal)
      kept.delete(key)
      kept.set(key, fresh)
      const [oldest] = kept.keys()
      if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest)
      return fresh.token
    },
    forget: (client) => void kept.delete(keyOf(client)),
  }
}

const keyOf = ({ token_url, client_id, client_secret, scope, audience }: ClientCredentials) =>
  JSON.stringify([token_url, client_id, client_secret, scope, audience])

async function ask(
  { fetch, environment, now }: TokenParts,
  { token_url: url, client_id: id, client_secret: reference, scope, audience }: ClientCredentials,
  signal: AbortSignal,
): Promise<{ token: string; until: number }> {
  let secret: string
  try {
    secret = secretValue(reference, environment)
  } catch (error) {
    throw new TokenRefused(messageOf(error))
  }
  const server = { issuer: new URL(url).origin, token_endpoint: url }
  const client = new oidc.Configuration(server, id, secret, oidc.ClientSecretBasic(secret))
  oidc.allowInsecureRequests(client)
  client[oidc.customFetch] = async (address, { method, headers, body }) =>
    fetch(address, { method, headers, body: textOf(body), signal })
  const begun = now()
  try {
    const told = await oidc.clientCredentialsGrant(client, {
      ...(scope !== undefined && { scope }),
      ...(audience !== undefined && { audience }),
    })
    // As it was told, from before it was asked for: `expiresIn()` counts from when it came.
    const seconds = told.expires_in ?? UNTOLD_S + SPARE_S
    const used = seconds > 2 * SPARE_S ? seconds - SPARE_S : seconds / 2
    return { token: told.access_token, until: begun + 1000 * used }
  } catch (error) {
    throw failureOf(error, secret)
  }
}

const textOf = (body: unknown): string =>
  typeof body === 'string' || body instanceof URLSearchParams ? String(body) : ''

/** Why no token came, in the issuer's own words, and nothing of the secret in them. */
function failureOf(error: unknown, secret: string): Error {
  const isAnswer =
    error instanceof oidc.ResponseBodyError || error instanceof oidc.WWWAuthenticateChallengeError
  const said =
    error instanceof oidc.ResponseBodyError
      ? (error.error_description ?? error.error)
      : messageOf(error)
  const sentence = printable(withoutSecrets(said, [secret])).slice(0, MAX_SENTENCE)
  return isAnswer && isPermanent(error.status)
    ? new TokenRefused(`no token: its issuer answered ${error.status}: ${sentence}`)
    : new Error(`no token: ${sentence}`)
}
