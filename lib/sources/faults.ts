/** What a message lacks of what its source names, in words. Pure. */
import { didYouMean } from '../runtime/nearest-name.ts'
import { namesOf, whereItEnds, type Path, type Scope } from './paths.ts'

/** Why an event cannot be made of a message: each in a sentence. */
export type Faults = string[]

/** Names that are compared and shown. */
const MAX_NAMES = 50
const MAX_SHOWN = 8
const MAX_NAME = 60

/**
 * Says that nothing is where a path looks, and what is there in its place.
 *
 * @example `no $.request.idd (prediction_id); did you mean id?`
 */
export function missingPath(paths: readonly Path[], scope: Scope, field: string): string {
  const [path] = paths as [Path]
  const { there, missing } = whereItEnds(path, scope)
  const all = paths.map(({ text }) => text).join(' or ')
  const names = namesOf(there).slice(0, MAX_NAMES)
  const nearest = typeof missing === 'string' ? didYouMean(missing, names) : ''
  return `no ${all} (${field})${nearest || shownNames(there, names)}`
}

function shownNames(there: unknown, names: readonly string[]): string {
  if (Array.isArray(there)) return `: a list of ${there.length} is there`
  if (names.length === 0) return ''
  const shown = names.slice(0, MAX_SHOWN).map((name) => name.slice(0, MAX_NAME))
  return `: there are ${shown.join(', ')}${names.length > MAX_SHOWN ? ', …' : ''}`
}

/** A value as it stands in a sentence. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, MAX_NAME))
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
