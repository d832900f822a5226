/** Which cohorts' series a process exports where there is room for so many only. Pure. */

/** A cohort whose series are exported: all of them, or those that come first. */
export interface Part<T> {
  one: T
  isWhole: boolean
}

/**
 * Gives room first to what comes first of every cohort, then to the rest of each that has room for
 * all of it.
 *
 * @param sizeOf how many series a cohort has of both kinds
 * @param most series of all cohorts together
 * @returns what is exported, in the given order, and how many series are not
 */
export function withinBudget<T>(
  cohorts: readonly T[],
  sizeOf: (cohort: T) => { first: number; rest: number },
  most: number,
): { parts: Part<T>[]; leftOut: number } {
  let room = most
  const hasRoom = (size: number) => {
    if (size > room) return false
    room -= size
    return true
  }
  const sizes = cohorts.map(sizeOf)
  const isIn = sizes.map(({ first }) => hasRoom(first))
  const isWhole = sizes.map(({ rest }, i) => isIn[i]! && hasRoom(rest))
  const lost = sizes.map(({ first, rest }, i) => (isIn[i]! ? 0 : first) + (isWhole[i]! ? 0 : rest))
  return {
    parts: cohorts.flatMap((one, i) => (isIn[i]! ? [{ one, isWhole: isWhole[i]! }] : [])),
    leftOut: lost.reduce((sum, n) => sum + n, 0),
  }
}
