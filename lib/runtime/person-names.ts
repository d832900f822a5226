/** When two names mean one person. Pure. */

/** Marks a name that nobody has checked; no key's id may begin with it. */
export const CLAIMED = 'claimed:'

/**
 * The spelling by which persons are told apart: compatibility forms, capitals, invisible characters
 * and spaces at the ends or in rows do not make another person.
 *
 * @example
 * canonicalName(' Ann  LEE') // 'ann lee'
 */
export const canonicalName = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/gu, ' ')
    .trim()

/** Whether two actors are one person; a claimed name counts as the person that it claims. */
export const isSamePerson = (a: string, b: string): boolean => personOf(a) === personOf(b)

/** The person that an actor is, or claims to be, by the spelling that tells persons apart. */
export const personOf = (actor: string): string =>
  canonicalName(actor.startsWith(CLAIMED) ? actor.slice(CLAIMED.length) : actor)
