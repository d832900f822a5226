/** Which ids keys may have. Pure. */

import { CLAIMED, canonicalName } from '../runtime/person-names.ts'

/** Actors that are parts of Plumbline; no key's id may be one of them. */
const OWN_ACTORS: readonly string[] = ['policy', 'launcher', 'job', 'alerts', 'anonymous']

/** Why a key cannot have this id; undefined for one that can. */
export function keyIdProblem(id: string): string | undefined {
  const name = canonicalName(id)
  if (name === '') return `id ${JSON.stringify(id)} is blank`
  if (name.startsWith(CLAIMED))
    return `id ${id} begins with ${CLAIMED}, which marks unchecked names`
  if (OWN_ACTORS.includes(name)) return `id ${id} is the name of a part of Plumbline`
  return undefined
}

/**
 * Why keys cannot stand beside each other: two ids that one person may be taken for, such as `Ann`
 * and `ann`.
 */
export function spellingProblems(ids: readonly string[]): string[] {
  const spellings = Map.groupBy(new Set(ids), canonicalName)
  return [...spellings.values()]
    .filter((same) => same.length > 1)
    .map((same) => `ids ${same.join(' and ')} are one name under two spellings: write it one way`)
}
