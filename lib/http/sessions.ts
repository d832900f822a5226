/**
 * Sessions of the pages: a posted key becomes a cookie that scripts cannot read. Kept in memory, so
 * a restart ends them.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Caller } from './api-keys.ts'

const COOKIE = 'plumbline_session'
const LASTS_S = 12 * 3600
/** Beyond it the oldest session ends. */
const MOST = 1000

/** Sessions of the pages: kept in this process, lost when it ends. */
export interface Sessions {
  /**
   * The value of `Set-Cookie` that begins a session of this caller, which ends no later than what
   * says who they are.
   */
  begin: (caller: Caller, isSecure: boolean) => string
  /**
   * Who a `Cookie` header belongs to; undefined without a session, when it is over, or when its key
   * was revoked.
   */
  callerOf: (cookies: string | undefined) => Caller | undefined
  /** Ends the session of a `Cookie` header; gives the `Set-Cookie` that removes it. */
  end: (cookies: string | undefined) => string
}

/** @param now epoch milliseconds */
export function createSessions(now: () => number): Sessions {
  const open = new Map<string, { caller: Caller; expires: number }>()
  const keyOf = (cookies: string | undefined) => {
    const token = new RegExp(`(?:^|;\\s*)${COOKIE}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(cookies ?? '')
    return token && digest(token[1]!)
  }
  return {
    begin: (caller, isSecure) => {
      for (const [key, { expires }] of open) if (expires <= now()) open.delete(key)
      const [oldest] = open.keys()
      if (open.size >= MOST && oldest !== undefined) open.delete(oldest)
      const token = randomBytes(32).toString('base64url')
      const lasts = Math.min(LASTS_S * 1000, (caller.expiresAt ?? Infinity) - now())
      open.set(digest(token), { caller, expires: now() + lasts })
      return cookie(token, Math.max(0, Math.floor(lasts / 1000))) + (isSecure ? '; Secure' : '')
    },
    callerOf: (cookies) => {
      const key = keyOf(cookies)
      const session = key ? open.get(key) : undefined
      if (!session || session.expires <= now() || session.caller.isRevoked?.()) return undefined
      return session.caller
    },
    end: (cookies) => {
      const key = keyOf(cookies)
      if (key) open.delete(key)
      return cookie('', 0)
    },
  }
}

const cookie = (value: string, seconds: number) =>
  `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`

const digest = (token: string) => createHash('sha256').update(token).digest('hex')
