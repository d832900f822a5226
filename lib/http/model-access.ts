/** Which models a caller may do something with. Pure. */
import { fieldGetter, type FlatRecord } from '../events/flat-record.ts'
import { Problem } from '../runtime/errors.ts'
import type { Caller } from './api-keys.ts'
import { covers, coversAll, type Grant, type Granted, type Scope } from './grants.ts'

/** The models that one scope of a caller reaches. */
export interface Reach {
  /** Their ids, of declared models and of those that grants name; undefined where it is every model. */
  ids: readonly string[] | undefined
  /** Whether it is every model, or this one. */
  has: (modelId: string) => boolean
  /** @throws {Problem} 403 `foreign_model` for another model */
  require: (modelId: string) => void
}

/** Declared models, with what grants pick them by; asked anew, since model files change. */
export type DeclaredModels = () => readonly Granted[]

/** What a caller reaches with a scope; nothing for nobody. */
export function reachOf(caller: Caller | undefined, scope: Scope, declared: DeclaredModels): Reach {
  const grants = caller?.grants ?? []
  if (coversAll(grants, scope)) return { ids: undefined, has: () => true, require: () => {} }
  const ids = new Set([
    ...namedBy(grants, scope),
    ...declared().flatMap((model) => (covers(grants, scope, model) ? [model.modelId] : [])),
  ])
  const has = (modelId: string) => ids.has(modelId)
  return {
    ids: [...ids].toSorted(),
    has,
    require: (modelId) => {
      if (!has(modelId)) throw foreign(caller, scope, `of the model ${modelId.slice(0, 200)}`)
    },
  }
}

/** @throws {Problem} 403 `foreign_model` unless the reach is every model */
export function requireEvery(reach: Reach, caller: Caller | undefined, scope: Scope): void {
  if (reach.ids) throw foreign(caller, scope, 'of every model')
}

const modelIdOf = fieldGetter('model_id')

/** Why an event that is well-formed is not taken of this caller. */
interface Foreign {
  ok: false
  rejection: { code: 'foreign_model'; message: string; also?: undefined }
}

const FOREIGN: Foreign = {
  ok: false,
  rejection: {
    code: 'foreign_model',
    message:
      'the caller may not send events of this model_id; those of no model need the scope emit for all',
  },
}

/** A good event, unless the caller may not send it: one of no model needs every model. */
export function refuseForeign<Verdict extends { ok: true; event: FlatRecord } | { ok: false }>(
  reach: Reach,
  verdict: Verdict,
): Verdict | Foreign {
  if (reach.ids === undefined || !verdict.ok) return verdict
  const modelId = modelIdOf(verdict.event)
  return typeof modelId === 'string' && reach.has(modelId) ? verdict : FOREIGN
}

/** The status of an answer that takes none of its events, by the codes of all of them. */
export const statusOfNone = (rejected: readonly { code: string }[]): 400 | 403 =>
  rejected.every(({ code }) => code === FOREIGN.rejection.code) ? 403 : 400

const namedBy = (grants: readonly Grant[], scope: Scope) =>
  grants.flatMap(({ scopes, only }) =>
    only?.kind === 'model' && scopes.includes(scope) ? [only.name] : [],
  )

const foreign = (caller: Caller | undefined, scope: Scope, what: string) =>
  new Problem(403, 'foreign_model', `${caller?.id ?? 'nobody'} lacks the scope ${scope} ${what}`)
