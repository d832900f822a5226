/** Finds fields of an event that the schema does not have and whose names are nearly others'. Pure. */
import { nearestName } from '../runtime/nearest-name.ts'

/** A name that is no field of the schema, and the field that it was probably meant to be. */
export interface Misspelled {
  /** As it was given; longer names than 32 characters are not looked at. */
  field: string
  meant: string
}

/** Such as `featurs is no field; did you mean features?` */
export const misspelledText = ({ field, meant }: Misspelled): string =>
  `${field} is no field; did you mean ${meant}?`

/** Unknown names of an event that are looked at: comparing names must cost an enemy's event little. */
const MAX_LOOKED_AT = 5
const MAX_NAME = 32

/**
 * Finds the misspelled among an event's names.
 *
 * @param names the names of the event's fields
 * @param known the fields of the schema
 * @returns unknown names with a known one near that the event itself does not give
 */
export function misspelledOf(names: readonly string[], known: readonly string[]): Misspelled[] {
  const given = new Set(names)
  const free = known.filter((name) => !given.has(name))
  const isKnown = new Set(known)
  return names
    .filter((name) => !isKnown.has(name) && name.length <= MAX_NAME)
    .slice(0, MAX_LOOKED_AT)
    .flatMap((field) => {
      const meant = nearestName(field, free)
      return meant === undefined ? [] : [{ field, meant }]
    })
}
