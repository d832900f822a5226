/** What a caller may do, and with which models. Pure. */
import { didYouMean } from '../runtime/nearest-name.ts'

/**
 * What a caller may do: send events, read results, answer reviews, decide about verdicts and runs,
 * or export and erase what is held of a person.
 */
export const SCOPES = ['emit', 'read', 'review', 'operate', 'admin'] as const
/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number]

/** What each role may do; whoever has none may do nothing. */
export const ROLES = {
  emitter: ['emit'],
  reviewer: ['review'],
  analyst: ['read'],
  operator: ['read', 'operate'],
  approver: ['read', 'operate'],
  admin: ['emit', 'read', 'review', 'operate', 'admin'],
} as const satisfies Record<string, readonly Scope[]>

/** Ways to pick models: one by its id, or all with that `team` or `environment`. */
const KINDS = ['model', 'team', 'environment'] as const
type Kind = (typeof KINDS)[number]

/** Scopes for all models, or for those that `only` picks. */
export interface Grant {
  scopes: readonly Scope[]
  only?: { kind: Kind; name: string }
}

/** What grants pick a model by; a model without a file has its id alone. */
export interface Granted {
  modelId: string
  team?: string | undefined
  environment?: string | undefined
}

/**
 * The grant that a word says: a role, for all models or for some.
 *
 * @example grantOf('analyst@team:risk') // => { scopes: ['read'], only: { kind: 'team', name: 'risk' } }
 *
 * @returns why it is none, as a sentence, where it is none
 */
export function grantOf(word: string): Grant | string {
  const at = word.indexOf('@')
  const role = at === -1 ? word : word.slice(0, at)
  if (!Object.hasOwn(ROLES, role))
    return `${JSON.stringify(role)} is no role: ${Object.keys(ROLES).join(', ')}${didYouMean(role, Object.keys(ROLES))}`
  const scopes = ROLES[role as keyof typeof ROLES]
  if (at === -1) return { scopes }
  const target = word.slice(at + 1)
  const colon = target.indexOf(':')
  const kind = target.slice(0, Math.max(0, colon))
  const name = target.slice(colon + 1)
  if (!isKind(kind) || name === '')
    return `${JSON.stringify(word)} must be ROLE, or ROLE@${KINDS.join(':NAME, ROLE@')}:NAME${didYouMean(kind, KINDS)}`
  return { scopes, only: { kind, name } }
}

const isKind = (text: string): text is Kind => (KINDS as readonly string[]).includes(text)

/** All scopes that any of the grants gives, for whichever model. */
export const scopesOf = (grants: readonly Grant[]): ReadonlySet<Scope> =>
  new Set(grants.flatMap(({ scopes }) => scopes))

/** Whether the grants give a scope for every model there is or will be. */
export const coversAll = (grants: readonly Grant[], scope: Scope): boolean =>
  grants.some(({ scopes, only }) => only === undefined && scopes.includes(scope))

/** Whether the grants give a scope for this model. */
export const covers = (grants: readonly Grant[], scope: Scope, model: Granted): boolean =>
  grants.some(({ scopes, only }) => scopes.includes(scope) && (!only || picks(only, model)))

function picks({ kind, name }: NonNullable<Grant['only']>, model: Granted): boolean {
  if (kind === 'model') return model.modelId === name
  return model[kind] === name
}
