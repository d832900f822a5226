/** Who acts: the authenticated caller, or, where no keys are set, the name a body claims. Pure. */
import type { Caller } from './api-keys.ts'
import { requirePrintable } from '../events/text-rules.ts'
import { Problem } from '../runtime/errors.ts'
import { canonicalName, CLAIMED } from '../runtime/person-names.ts'

/**
 * The name that is written beside what a caller does: the id of the key, or `claimed:<name>` where
 * no keys are set, the name in its canonical spelling.
 *
 * @param named what the body says; may be left out where a key says who calls
 * @throws {Problem} 403 `other_caller` when the body names another than the key; 400 when neither
 *   says who, or the name cannot be kept
 */
export function actorOf(
  caller: Caller | undefined,
  named: string | undefined,
  field = 'actor',
): string {
  requirePrintable(field, named)
  if (caller?.isKnown) {
    if (named !== undefined && named !== caller.id)
      throw new Problem(
        403,
        'other_caller',
        `${field} names ${named}, and the key is that of ${caller.id}: leave ${field} out`,
      )
    return caller.id
  }
  const name = canonicalName(named ?? '')
  if (name === '')
    throw new Problem(400, 'invalid_request', `${field} is required where no keys are set`)
  return `${CLAIMED}${name}`
}

/**
 * Another person whom a body names, as that person's acts would be written: a name as it is where
 * the caller has a key, `claimed:<name>` where no keys are set.
 *
 * @throws {Problem} 400 for a name that is empty, or that cannot be kept
 */
export function namedPerson(caller: Caller | undefined, named: string, field: string): string {
  requirePrintable(field, named)
  const name = canonicalName(named)
  if (name === '') throw new Problem(400, 'invalid_request', `${field} names nobody`)
  if (!caller?.isKnown) return `${CLAIMED}${name}`
  if (name.startsWith(CLAIMED))
    throw new Problem(
      400,
      'invalid_request',
      `${field} begins with ${CLAIMED}: where keys are set, name somebody by their key`,
    )
  return named.trim()
}
