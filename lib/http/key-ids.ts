/** Which ids keys may have. Pure. */

/** Marks a name that nobody has checked; no key's id may begin with it. */
export const CLAIMED = 'claimed:'

/** Actors that are parts of Plumbline; no key's id may be one of them. */
const OWN_ACTORS: readonly string[] = ['policy', 'launcher', 'job', 'alerts', 'anonymous']

/** Why a key cannot have this id; undefined for one that can. */
export function keyIdProblem(id: string): string | undefined {
  if (id.startsWith(CLAIMED)) return `id ${id} begins with ${CLAIMED}, which marks unchecked names`
  if (OWN_ACTORS.includes(id)) return `id ${id} is the name of a part of Plumbline`
  return undefined
}
