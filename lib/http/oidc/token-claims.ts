/** Who a checked token says its caller is, and what its roles allow. Pure. */
import { canonicalName } from '../../runtime/person-names.ts'
import type { Caller } from '../api-keys.ts'
import { grantOf, scopesOf, type Grant } from '../grants.ts'
import { keyIdProblem } from '../key-ids.ts'

/** Which claims of a token are read. */
export interface ClaimRules {
  /** The claim that names the caller, such as `sub`. */
  nameClaim: string
  /** The claim that holds roles: a list or words; `realm_access.roles` goes into an object. */
  rolesClaim: string
  /** What stands before the name of a role in that claim, such as `plumbline-`. */
  rolePrefix: string
  /**
   * The claim that holds the teams to whose models roles that pick no models are bound, `*` for all;
   * undefined where roles are for all models.
   */
  teamsClaim?: string | undefined
  /** What stands before the name of a team in that claim. */
  teamPrefix?: string | undefined
}

/** Why the claims of a token name nobody. */
export interface ClaimRefusal {
  reason: 'no_name' | 'reserved_name'
  detail: string
}

const MAX_NAME = 180
/** Words of a claim, and teams of a caller, that are read. */
const MAX_WORDS = 1000
const MAX_TEAMS = 100

/**
 * The caller whom claims name, or why they name nobody; claims without a role give a caller who may
 * do nothing.
 */
export function callerOfClaims(
  claims: Readonly<Record<string, unknown>>,
  rules: ClaimRules,
): Caller | ClaimRefusal {
  const { nameClaim } = rules
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
  const grants = grantsOf(claims, rules)
  return {
    id: name,
    scopes: scopesOf(grants),
    grants,
    isKnown: true,
    ...(typeof claims['exp'] === 'number' ? { expiresAt: claims['exp'] * 1000 } : {}),
  }
}

/** What roles and teams give; words that are no role of ours give nothing. */
function grantsOf(
  claims: Readonly<Record<string, unknown>>,
  { rolesClaim, rolePrefix, teamsClaim, teamPrefix = '' }: ClaimRules,
): Grant[] {
  const grants = withoutPrefix(wordsOf(claimAt(claims, rolesClaim)), rolePrefix)
    .map(grantOf)
    .filter((grant) => typeof grant !== 'string')
  if (teamsClaim === undefined) return grants
  const words = wordsOf(claimAt(claims, teamsClaim))
  if (words.includes('*')) return grants
  const teams = withoutPrefix(words, teamPrefix).slice(0, MAX_TEAMS)
  return grants.flatMap((grant): Grant[] =>
    grant.only
      ? [grant]
      : teams.map((name) => ({ scopes: grant.scopes, only: { kind: 'team', name } })),
  )
}

/** Names without their prefix; one that is nothing else is no name. */
const withoutPrefix = (words: readonly string[], prefix: string) =>
  words
    .slice(0, MAX_WORDS)
    .filter((word) => word.startsWith(prefix) && word.length > prefix.length)
    .map((word) => word.slice(prefix.length))

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
