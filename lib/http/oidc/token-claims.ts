/** Who a checked token says its caller is, and what its roles allow. Pure. */
import { canonicalName } from '../../runtime/person-names.ts'
import type { Caller, Scope } from '../api-keys.ts'
import { keyIdProblem } from '../key-ids.ts'

/** What each role may do; whoever has none may do nothing. */
export const ROLES = {
  emitter: ['emit'],
  reviewer: ['review'],
  analyst: ['read'],
  operator: ['read', 'operate'],
  approver: ['read', 'operate'],
  admin: ['emit', 'read', 'review', 'operate', 'admin'],
} as const satisfies Record<string, readonly Scope[]>

/** Which claims of a token are read. */
export interface ClaimRules {
  /** The claim that names the caller, such as `sub`. */
  nameClaim: string
  /** The claim that holds roles: a list or words; `realm_access.roles` goes into an object. */
  rolesClaim: string
  /** What stands before the name of a role in that claim, such as `plumbline-`. */
  rolePrefix: string
}

/** Why the claims of a token name nobody. */
export interface ClaimRefusal {
  reason: 'no_name' | 'reserved_name'
  detail: string
}

const MAX_NAME = 180

/**
 * The caller whom claims name, or why they name nobody; claims without a role give a caller who may
 * do nothing.
 */
export function callerOfClaims(
  claims: Readonly<Record<string, unknown>>,
  { nameClaim, rolesClaim, rolePrefix }: ClaimRules,
): Caller | ClaimRefusal {
  const name = claims[nameClaim]
  if (typeof name !== 'string' || canonicalName(name) === '' || name.length > MAX_NAME)
    return {
      reason: 'no_name',
      detail: `the token’s claim ${nameClaim} must name its caller in 1 to ${MAX_NAME} characters`,
    }
  if (nameClaim === 'email' && claims['email_verified'] !== true)
    return { reason: 'no_name', detail: 'the token’s e-mail address has not been verified' }
  if (/\p{Cc}/u.test(name) || !name.isWellFormed() || keyIdProblem(name) !== undefined)
    return {
      reason: 'reserved_name',
      detail: `the token’s claim ${nameClaim} holds a name that no caller may have`,
    }
  return {
    id: name,
    scopes: scopesOf(wordsOf(claimAt(claims, rolesClaim)), rolePrefix),
    isKnown: true,
    ...(typeof claims['exp'] === 'number' ? { expiresAt: claims['exp'] * 1000 } : {}),
  }
}

function scopesOf(words: readonly string[], prefix: string): Set<Scope> {
  const roles = words
    .filter((word) => word.startsWith(prefix))
    .map((word) => word.slice(prefix.length))
  return new Set(
    roles.flatMap((role): readonly Scope[] =>
      Object.hasOwn(ROLES, role) ? ROLES[role as keyof typeof ROLES] : [],
    ),
  )
}

/** A claim by its very name, which may hold points, or else by the path that its points make. */
function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let at: unknown = claims
  for (const part of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Record<string, unknown>)[part]
  }
  return at
}

function wordsOf(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ')
  if (Array.isArray(claim)) return claim.filter((word) => typeof word === 'string')
  return []
}
