/** Finds the name that a misspelled one was probably meant to be. Pure. */

/** Names further from the given one than this share of its length are not offered. */
const MAX_SHARE = 0.4
/** Longer names are cut: comparing costs the product of both lengths. */
const MAX_LENGTH = 100

/**
 * Finds the nearest of the known names by edit distance (insertions, deletions, replacements,
 * Levenshtein 1966).
 *
 * @returns undefined where none is near: more than 40 % of the letters would have to change
 */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
  const name = given.slice(0, MAX_LENGTH)
  let best: string | undefined
  let least = Math.max(1, Math.floor(name.length * MAX_SHARE)) + 1
  for (const candidate of known) {
    const distance = editDistance(name, candidate.slice(0, MAX_LENGTH))
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

/**
 * Asks whether a known name that is near was meant.
 *
 * @returns `; did you mean X?`, or nothing where no name is near
 * @example didYouMean('featurs', ['features', 'attributes']) // => '; did you mean features?'
 */
export function didYouMean(given: string, known: Iterable<string>): string {
  const nearest = nearestName(given, known)
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)),
      )
    row = next
  }
  return row[b.length]!
}
