/** Whether whoever delegated approvals may still give them. Pure. */
import type { GrantsOf } from '../../../lib/http/api-keys.ts'
import { covers, type Granted } from '../../../lib/http/grants.ts'

/** A delegation, as far as it tells whose right it is. */
export interface Delegated {
  delegator: string
  /** How the delegator was known; '' counts as by a key. */
  known_by: string
  /** Null: every model. */
  models: readonly string[] | null
}

/** What people may do that are not here. */
export interface Rights {
  /** Undefined where there are no keys. */
  grantsOf: GrantsOf | undefined
  /** A model as grants pick it. */
  modelOf: (modelId: string) => Granted
}

/** Whose right nobody can ask after. */
const UNASKED = ['token', 'claimed']

/**
 * Why a delegation holds no more for a model, or for any of its models where none is given; undefined
 * where it holds, or where nobody can know: a token's right is told by the token alone.
 */
function lapseOf(
  { delegator, known_by: knownBy, models }: Delegated,
  { grantsOf, modelOf }: Rights,
  modelId?: string,
): string | undefined {
  if (!grantsOf || UNASKED.includes(knownBy)) return undefined
  const grants = grantsOf(delegator)
  if (grants.length === 0) return `no key of ${delegator} is good any more`
  const may = (model: string) => covers(grants, 'operate', modelOf(model))
  if (modelId !== undefined)
    return may(modelId) ? undefined : `${delegator} may not approve runs of ${modelId} any more`
  const mayAny = models?.some(may) ?? grants.some(({ scopes }) => scopes.includes('operate'))
  return mayAny ? undefined : `${delegator} may not approve runs of its models any more`
}

/** Tells of delegations why they hold no more. */
export const lapsedBy =
  (rights: Rights) =>
  (delegation: Delegated, modelId?: string): string | undefined =>
    lapseOf(delegation, rights, modelId)
