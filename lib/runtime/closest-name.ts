/**
 * The known name that was probably meant by another one: the nearest within one changed, missing, added or swapped letter for
 * every four, at most three. Letters are compared without their case.
 *
 * @returns undefined where none is near enough
 *
 * @example closestName('featurs', ['features', 'model_id']) // 'features'
 */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.slice(0, MAX_LENGTH).toLowerCase()
  let best: string | undefined
  let bestDistance = Math.min(MAX_DISTANCE, Math.max(1, Math.floor(wanted.length / 4))) + 1
  for (const candidate of known) {
    if (candidate.length > MAX_LENGTH) continue
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

const MAX_DISTANCE = 3
/** Beyond this a name is no slip of the hand, and not worth the time. */
const MAX_LENGTH = 100

/** Optimal string alignment: insertions, deletions, changes, and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, changed)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    before = above
    above = row
  }
  return above[b.length]!
}
