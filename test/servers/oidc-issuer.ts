/**
 * A real OpenID provider on loopback, whose private keys a test knows, so that it can sign what the
 * provider never would.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose'
import Provider from 'oidc-provider'

/** What tokens of the issuer are meant for. */
export const AUDIENCE = 'https://plumbline.example'
const CLIENT = { id: 'scheduler', secret: 'a-secret-of-the-scheduler' }
/** The client of the pages; its redirect URI is `/callback` at any port of loopback. */
export const PAGES = { id: 'pages', secret: 'a-secret-of-the-pages' }
/** Key ids of the provider, which are the names of their algorithms. */
export type Algorithm = 'RS256' | 'ES256' | 'EdDSA'

/** A running provider. */
export interface Issuer {
  url: string
  keys: Record<Algorithm, { privateKey: CryptoKey; publicKey: CryptoKey }>
  /** How often its keys were fetched. */
  keyFetches: () => number
  /** A token that the provider gives a client for its credentials. */
  issued: (scope: string) => Promise<string>
  /** A token signed by the provider's own key; claims and header may say anything. */
  signed: (claims: JWTPayload, algorithm?: Algorithm, header?: { kid?: string }) => Promise<string>
  stop: () => Promise<void>
}

/** Starts a provider with a key of each algorithm and one client, `scheduler`. */
export async function startIssuer(): Promise<Issuer> {
  const pairs = await Promise.all(
    (['RS256', 'ES256', 'EdDSA'] as const).map(
      async (alg) => [alg, await generateKeyPair(alg, { extractable: true })] as const,
    ),
  )
  const keys = Object.fromEntries(pairs) as Issuer['keys']
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const jwks = await Promise.all(
    pairs.map(async ([alg, { privateKey }]) => ({
      ...(await exportJWK(privateKey)),
      ...{ kid: alg, alg, use: 'sig' },
    })),
  )
  const provider = providerOf(url, jwks)
  const answer = provider.callback()
  let keyFetches = 0
  server.on('request', (request, response) => {
    if (request.url === '/jwks') keyFetches++
    if (request.url?.startsWith('/interaction/')) void signInAnn(provider, request, response)
    else void answer(request, response)
  })
  return {
    ...{ url, keys, keyFetches: () => keyFetches },
    issued: (scope) => tokenOfClient(url, scope),
    signed: (claims, algorithm = 'RS256', header = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, kid: algorithm, ...header })
        .sign(keys[algorithm].privateKey),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const providerOf = (url: string, keys: object[]) =>
  new Provider(url, {
    jwks: { keys: keys as never },
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_basic',
      },
      {
        client_id: PAGES.id,
        client_secret: PAGES.secret,
        application_type: 'native',
        grant_types: ['authorization_code'],
        redirect_uris: ['http://127.0.0.1/callback'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    claims: { openid: ['sub', 'roles'] },
    conformIdTokenClaims: false,
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, roles: ['analyst', 'reviewer'] }),
    }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_context, client) => (client?.clientId === CLIENT.id ? AUDIENCE : []),
        getResourceServerInfo: () => ({
          scope: 'emitter reviewer analyst operator approver admin',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })

/** The provider's own page for people, with one who is always there: ann signs in and consents. */
async function signInAnn(provider: Provider, request: IncomingMessage, response: ServerResponse) {
  const { params } = await provider.interactionDetails(request, response)
  const grant = new provider.Grant({ accountId: 'ann', clientId: String(params['client_id']) })
  grant.addOIDCScope('openid')
  const consent = { grantId: await grant.save() }
  await provider.interactionFinished(request, response, { login: { accountId: 'ann' }, consent })
}

async function tokenOfClient(url: string, scope: string): Promise<string> {
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }).toString(),
  })
  const answer = (await response.json()) as { access_token?: string }
  if (!answer.access_token) throw new Error(`no token: ${JSON.stringify(answer)}`)
  return answer.access_token
}
