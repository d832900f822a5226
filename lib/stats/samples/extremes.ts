/**
 * The greatest of some numbers; -Infinity of none. Takes any number of them, where `Math.max` with
 * as many arguments overflows the stack beyond some hundred thousand.
 *
 * @example largest([3, 1, 2]) // => 3
 */
export function largest(values: Iterable<number>): number {
  let most = -Infinity
  for (const value of values) if (value > most) most = value
  return most
}

/**
 * The least of some numbers; Infinity of none. Takes any number of them, where `Math.min` with as
 * many arguments overflows the stack beyond some hundred thousand.
 *
 * @example smallest([3, 1, 2]) // => 1
 */
export function smallest(values: Iterable<number>): number {
  let least = Infinity
  for (const value of values) if (value < least) least = value
  return least
}
