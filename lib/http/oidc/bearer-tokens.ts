/**
 * JWTs of one OIDC issuer as callers: its keys are fetched once and kept, algorithms are pinned,
 * every refusal is counted.
 */
import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { Counter, type Registry } from 'prom-client'
import { messageOf, Problem } from '../../runtime/errors.ts'
import type { Authenticate, Caller } from '../api-keys.ts'
import { callerOfClaims, type ClaimRules } from './token-claims.ts'

/** What a token must be. */
export interface TokenRules extends ClaimRules {
  /** The issuer as its tokens and its discovery document write it. */
  issuer: string
  /** What tokens must be meant for. */
  audience: string
}

/** Asymmetric alone: a symmetric one would take the issuer's public key for a secret. */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA']
/** How far the clocks of the issuer and of this process may be apart. */
const CLOCK_SKEW_S = 30
const FETCH_TIMEOUT_MS = 5000
/**
 * How long keys are kept, how long an unknown key is not asked for again, and how long a failed
 * issuer is left alone.
 */
const KEYS_KEPT_MS = 600_000
const KEYS_COOLDOWN_MS = 30_000
const FAILED_FOR_MS = 5000

/** Who a token belongs to; rejects with the {@link Problem} that says why it is refused. */
export type AuthenticateToken = (token: string) => Promise<Caller>

/**
 * Callers by the tokens of one issuer.
 *
 * @param registry where refusals are counted, by reason
 */
export function tokenCallers(rules: TokenRules, registry: Registry): AuthenticateToken {
  const refused = new Counter({
    name: 'plumbline_tokens_refused_total',
    help: 'Bearer tokens of the OIDC issuer that were refused, by reason.',
    labelNames: ['reason'],
    registers: [registry],
  })
  const keys = keysOf(rules.issuer)
  return async (token) => {
    try {
      return await callerOfToken(token, rules, keys)
    } catch (error) {
      const { reason, problem } = refusalOf(error, rules)
      refused.inc({ reason })
      throw problem
    }
  }
}

/** Callers by keys, and by tokens for what is no key and looks like a signed JWT. */
export function keysAndTokens(keys: Authenticate, tokens: AuthenticateToken): Authenticate {
  const callerBy = async (header: string | undefined) => {
    const caller = await keys(header)
    const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(header ?? '')?.[1]
    return caller ?? (token === undefined ? undefined : tokens(token))
  }
  return Object.assign(callerBy, keys.grantsOf && { grantsOf: keys.grantsOf })
}

/** @throws {Problem | errors.JOSEError} for a token that is not good */
async function callerOfToken(
  token: string,
  rules: TokenRules,
  keys: () => Promise<JWTVerifyGetKey>,
): Promise<Caller> {
  const { payload } = await jwtVerify(token, async (...asked) => (await keys())(...asked), {
    algorithms: ALGORITHMS,
    issuer: rules.issuer,
    audience: rules.audience,
    clockTolerance: CLOCK_SKEW_S,
    requiredClaims: ['exp'],
  })
  const caller = callerOfClaims(payload, rules)
  if ('reason' in caller) throw refusal(caller.reason, caller.detail).problem
  return caller
}

/**
 * The issuer's keys, found by its discovery document at the first token; a failure is kept for a
 * moment.
 */
function keysOf(issuer: string): () => Promise<JWTVerifyGetKey> {
  let found: Promise<JWTVerifyGetKey> | undefined
  return () => {
    if (found) return found
    const asked = discoverKeys(issuer)
    found = asked
    asked.catch(() => setTimeout(() => (found = undefined), FAILED_FOR_MS).unref())
    return asked
  }
}

async function discoverKeys(issuer: string): Promise<JWTVerifyGetKey> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await fetch(address, {
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  })
  if (!response.ok) throw new Error(`${address} answered ${response.status}`)
  const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown } | null
  if (document?.issuer !== issuer)
    throw new Error(`${address} is the document of ${JSON.stringify(document?.issuer)}`)
  const jwks = String(document.jwks_uri)
  if (!isSafeAddress(jwks)) throw new Error(`${address} names no jwks_uri over https`)
  return createRemoteJWKSet(new URL(jwks), {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cacheMaxAge: KEYS_KEPT_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
  })
}

/** Whether nobody between can change what this address answers: https, or http on loopback. */
export function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  return (
    protocol === 'https:' ||
    (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
  )
}

/** Why a token is refused: the reason that is counted, and the answer. */
interface Refusal {
  reason: string
  problem: Problem
}

const CHALLENGE = { 'www-authenticate': 'Bearer error="invalid_token"' }
const refusal = (reason: string, detail: string): Refusal => ({
  reason,
  problem: new Problem(401, `token_${reason}`, detail, CHALLENGE),
})

function refusalOf(error: unknown, { issuer, audience }: TokenRules): Refusal {
  if (error instanceof Problem) return { reason: error.code.replace('token_', ''), problem: error }
  if (error instanceof errors.JWTExpired)
    return refusal('expired', `the token has expired: ask ${issuer} for a new one`)
  if (error instanceof errors.JWTClaimValidationFailed)
    return refusalOfClaim(error, issuer, audience)
  if (error instanceof errors.JOSEAlgNotAllowed)
    return refusal('wrong_algorithm', `the token is not signed by ${ALGORITHMS.join(', ')}`)
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return refusal('unknown_key', `the token names no key that ${issuer} publishes`)
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return refusal('bad_signature', `the token’s signature is not that of ${issuer}`)
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid)
    return refusal('malformed', 'the token cannot be read as a signed JWT')
  return {
    reason: 'issuer_unavailable',
    problem: new Problem(
      503,
      'issuer_unavailable',
      `the keys of ${issuer} cannot be had: ${messageOf(error)}`,
      { 'retry-after': String(FAILED_FOR_MS / 1000) },
    ),
  }
}

function refusalOfClaim(
  { claim, reason }: errors.JWTClaimValidationFailed,
  issuer: string,
  audience: string,
): Refusal {
  if (reason === 'missing') return refusal('missing_claim', `the token lacks the claim ${claim}`)
  if (claim === 'iss') return refusal('wrong_issuer', `the token was not issued by ${issuer}`)
  if (claim === 'aud') return refusal('wrong_audience', `the token is not meant for ${audience}`)
  if (claim === 'nbf')
    return refusal('not_yet_valid', 'the token is not valid yet: its nbf lies ahead')
  return refusal('malformed', `the token’s claim ${claim} is not valid`)
}
