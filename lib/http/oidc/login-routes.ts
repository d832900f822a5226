/** `/login` sends a browser to the issuer, `/callback` makes a session of what it brings back. */
import { createHash, randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { messageOf, Problem } from '../../runtime/errors.ts'
import type { Http } from '../server-types.ts'
import { isSecure } from '../access.ts'
import type { Sessions } from '../sessions.ts'
import type { CodeFlow, Started } from './code-flow.ts'

const COOKIE = 'plumbline_login'
const LASTS_S = 600
/** Beyond it the oldest sign-in under way is forgotten. */
const MOST = 1000

interface SignIn {
  checks: Started['checks']
  redirectUri: string
  returnTo: string
  expires: number
}

/** Adds `GET /login` and `GET /callback`. */
export function addLogin(app: Http, flow: CodeFlow, sessions: Sessions): void {
  const underWay = new Map<string, SignIn>()
  const hidden = { schema: { hide: true } }
  app.get('/login', hidden, async (request, reply) => {
    const redirectUri = `${originOf(request)}/callback`
    const { address, checks } = await flow.start(redirectUri).catch((cause: unknown) => {
      throw new Problem(503, 'issuer_unavailable', `nobody can sign in: ${messageOf(cause)}`)
    })
    const returnTo = ownPage((request.query as { return?: unknown }).return)
    const token = randomBytes(32).toString('base64url')
    keep(underWay, digest(token), {
      checks,
      redirectUri,
      returnTo,
      expires: Date.now() + LASTS_S * 1000,
    })
    void reply.header('set-cookie', cookie(token, LASTS_S, request)).redirect(address)
    return reply
  })
  app.get('/callback', hidden, async (request, reply) => {
    const signIn = take(underWay, request)
    const address = new URL(signIn.redirectUri)
    address.search = new URL(request.url, address).search
    const caller = await flow.finish(address, signIn.checks).catch((cause: unknown) => {
      throw new Problem(401, 'login_failed', `the sign-in failed: ${messageOf(cause)}`)
    })
    const session = sessions.begin(caller, isSecure(request))
    void reply.header('set-cookie', [session, cookie('', 0, request)]).redirect(signIn.returnTo)
    return reply
  })
}

function keep(underWay: Map<string, SignIn>, key: string, signIn: SignIn): void {
  for (const [old, { expires }] of underWay) if (expires <= Date.now()) underWay.delete(old)
  const [oldest] = underWay.keys()
  if (underWay.size >= MOST && oldest !== undefined) underWay.delete(oldest)
  underWay.set(key, signIn)
}

/**
 * The sign-in that this browser began; it is good once.
 *
 * @throws {Problem} 401 `login_failed` where it began none, or too long ago
 */
function take(underWay: Map<string, SignIn>, { headers }: FastifyRequest): SignIn {
  const token = new RegExp(`(?:^|;\\s*)${COOKIE}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(
    headers.cookie ?? '',
  )?.[1]
  const key = digest(token ?? '')
  const signIn = underWay.get(key)
  underWay.delete(key)
  if (!signIn || signIn.expires <= Date.now())
    throw new Problem(401, 'login_failed', 'this browser has no sign-in under way: begin at /login')
  return signIn
}

/** A path of our own pages; anything else, such as another site's address, is the first page. */
function ownPage(asked: unknown): string {
  const isOwn =
    typeof asked === 'string' && /^\/(?:$|models\/|review|runs)[\w\-.~%/?=&:,+]*$/.test(asked)
  return isOwn ? asked : '/'
}

/** The address that the browser used; its host was checked against those that are ours. */
const originOf = (request: FastifyRequest) =>
  `${isSecure(request) ? 'https' : 'http'}://${request.headers.host ?? ''}`
const digest = (token: string) => createHash('sha256').update(token).digest('hex')
/** `Lax`: the browser comes back from the issuer's page, another site. */
const cookie = (value: string, seconds: number, request: FastifyRequest) =>
  `${COOKIE}=${value}; Path=/callback; HttpOnly; SameSite=Lax; Max-Age=${seconds}${isSecure(request) ? '; Secure' : ''}`
