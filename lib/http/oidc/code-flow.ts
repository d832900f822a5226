/**
 * The authorisation code flow with PKCE, by which people sign in at the issuer: where to send them,
 * and who came back.
 */
import * as oidc from 'openid-client'
import type { Caller } from '../api-keys.ts'
import { callerOfClaims, type ClaimRules } from './token-claims.ts'

/** How Plumbline is known to the issuer. */
export interface ClientRules extends ClaimRules {
  issuer: string
  clientId: string
  /** Undefined for a public client, which proves itself by PKCE alone. */
  clientSecret: string | undefined
  /** Scopes that are asked for, with spaces between them; `openid` is one. */
  scope: string
}

/** What one browser must bring back; kept here, never in the browser. */
export interface Started {
  /** Where the browser goes. */
  address: string
  checks: { pkceCodeVerifier: string; expectedState: string; expectedNonce: string }
}

/** The two steps of a sign-in. */
export interface CodeFlow {
  /** Begins a sign-in that comes back to `redirectUri`; rejects where the issuer is away. */
  start: (redirectUri: string) => Promise<Started>
  /** Who has come back to this address; rejects for a code, a state or a token that is not good. */
  finish: (address: URL, checks: Started['checks']) => Promise<Caller>
}

const FETCH_TIMEOUT_S = 5

/**
 * The flow of one client; the issuer is discovered at the first sign-in, and again after a failure.
 */
export function codeFlow(rules: ClientRules): CodeFlow {
  let found: Promise<oidc.Configuration> | undefined
  const configuration = () => {
    found ??= discover(rules).catch((error: unknown) => {
      found = undefined
      throw error
    })
    return found
  }
  return {
    start: async (redirectUri) => start(await configuration(), redirectUri, rules.scope),
    finish: async (address, checks) => {
      const tokens = await oidc.authorizationCodeGrant(await configuration(), address, {
        ...checks,
        idTokenExpected: true,
      })
      const caller = callerOfClaims({ ...tokens.claims() }, rules)
      if ('reason' in caller) throw new Error(caller.detail)
      // An ID token tells of one moment, and often ends minutes later: the session has its own end.
      const { expiresAt: _of, ...signedIn } = caller
      return signedIn
    },
  }
}

async function start(
  configuration: oidc.Configuration,
  redirectUri: string,
  scope: string,
): Promise<Started> {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
  }
  const address = oidc.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope,
    response_type: 'code',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  return { address: address.href, checks }
}

function discover({ issuer, clientId, clientSecret }: ClientRules): Promise<oidc.Configuration> {
  const server = new URL(issuer)
  return oidc.discovery(
    server,
    clientId,
    {},
    clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(clientSecret),
    {
      timeout: FETCH_TIMEOUT_S,
      // The signature of an ID token is checked even though it comes from the issuer itself.
      execute: [
        oidc.enableNonRepudiationChecks,
        // The settings allow http on loopback alone.
        ...(server.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
      ],
    },
  )
}
