/** Who a request comes from, what it may do, and the headers every answer carries. */
import { randomUUID } from 'node:crypto'
import type { Authenticate, Caller } from './api-keys.ts'
import type { Scope } from './grants.ts'
import { Problem } from '../runtime/errors.ts'
import type { Sessions } from './sessions.ts'

/** What is read of a request. */
export interface Asked {
  method: string
  headers: Record<string, string | string[] | undefined>
}

/**
 * Pages and answers load nothing from elsewhere, run no inline script or style, and stand in no
 * frame.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** The header in which a request names itself, or is named, and its answer names it. */
export const REQUEST_ID = 'x-request-id'

/** The name of a request: the caller’s, where it is one that logs can hold, or a new one. */
export function requestIdOf(given: string | string[] | undefined): string {
  const id = one(given)
  return id !== undefined && /^[\w.:-]{1,128}$/.test(id) ? id : randomUUID()
}

/**
 * A request with a cookie that changes something says by this header that a script of ours sent it.
 */
const PAGE_HEADER = 'x-plumbline-page'

/**
 * Who sends a request: by `Authorization` where it is there, else by the session's cookie, else
 * whoever needs no key.
 *
 * @throws {Problem} 403 `cross_site` for a change by cookie that none of our pages sent; 401 or 503
 *   for a token that is
 * refused or cannot be checked
 */
export async function callerOf(
  request: Asked,
  authenticate: Authenticate,
  sessions: Sessions,
): Promise<Caller | undefined> {
  const header = one(request.headers['authorization'])
  const session =
    header === undefined ? sessions.callerOf(one(request.headers['cookie'])) : undefined
  if (!session) return authenticate(header)
  if (!['GET', 'HEAD'].includes(request.method)) requireOwnPage(request)
  return session
}

/** Tells whether the caller came over TLS, to us or to a proxy that says so. */
export const isSecure = ({
  protocol,
  headers,
}: Pick<Asked, 'headers'> & { protocol: string }): boolean =>
  protocol === 'https' || one(headers['x-forwarded-proto']) === 'https'

/** @throws {Problem} 401 without a known caller, 403 when its key lacks the scope */
export function requireScope(caller: Caller | undefined, scope: Scope): void {
  if (!caller)
    throw new Problem(
      401,
      'unauthorized',
      'a known key or token is needed: Authorization: Bearer <key>',
    )
  if (!caller.scopes.has(scope))
    throw new Problem(403, 'forbidden', `${caller.id} lacks the scope ${scope}`)
}

/**
 * Refuses what a page of another site makes a browser send: it can neither set the header nor hide
 * its origin.
 *
 * @throws {Problem} 403 `cross_site`
 */
export function requireOwnPage({ headers }: Asked): void {
  const origin = one(headers['origin'])
  const isOwn = origin === undefined || hostOf(origin) === one(headers['host'])
  if (!isOwn || headers[PAGE_HEADER] === undefined)
    throw new Problem(403, 'cross_site', 'a session’s requests come from Plumbline’s own pages')
}

const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined)
const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)
