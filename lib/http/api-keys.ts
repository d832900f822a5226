/** Who a caller is, and how an `Authorization` header tells. */
import { SCOPES, type Grant, type Scope } from './grants.ts'

/** Who sent a request, and what they may do. */
export interface Caller {
  /** The id of the key, the name of the token’s caller, or `anonymous` where no keys are set. */
  id: string
  /** What it may do with any model at all; `grants` says with which. */
  scopes: ReadonlySet<Scope>
  grants: readonly Grant[]
  /** Whether a key or a token said so. */
  isKnown: boolean
  /** When what said so ends, in epoch milliseconds; absent for what does not end. */
  expiresAt?: number
  /** Whether what said so was taken back since; absent where nobody can know. */
  isRevoked?: () => boolean
}

/** What a person may do by any of their keys that are good now; nothing where they have none. */
export type GrantsOf = (id: string) => readonly Grant[]

/** How callers are known. */
export interface Authenticate {
  /**
   * Who sends this `Authorization` header: undefined when nobody known does.
   *
   * @throws {Problem} 401 for a token that is refused, 503 when it cannot be checked
   */
  (header: string | undefined): Caller | undefined | Promise<Caller | undefined>
  /** What people with keys may do; absent where there are no keys. */
  grantsOf?: GrantsOf
}

/** How a caller is known: a key may be taken back, a token is good until it ends. */
export const knownBy = (caller: Caller | undefined): 'key' | 'token' | 'claimed' =>
  caller?.isKnown ? (caller.isRevoked ? 'key' : 'token') : 'claimed'

/**
 * Lets every caller do everything, where there is no key file: the process then listens on loopback
 * only.
 */
export const openAccess: Authenticate = () => ({
  id: 'anonymous',
  scopes: new Set(SCOPES),
  grants: [{ scopes: SCOPES }],
  isKnown: false,
})

/** Knows no key, where there is an issuer of tokens and no key file. */
export const noKeys: Authenticate = () => undefined
