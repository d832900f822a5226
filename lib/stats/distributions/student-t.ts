import { incompleteBeta } from './incomplete-beta.ts'

/**
 * Probability that Student's t exceeds a value.
 *
 * @param t any number; ±Infinity gives 0 and 1
 * @param degrees > 0, not necessarily whole
 * @returns in [0, 1]
 * @throws {RangeError} when degrees is not above 0
 * @see Student (1908), Biometrika 6, 1–25
 * @example studentTail(2, 10) // => 0.0366940174
 */
export function studentTail(t: number, degrees: number): number {
  if (!(degrees > 0)) throw new RangeError('studentTail requires degrees above 0')
  const x = degrees / (degrees + t * t)
  const upper = 0.5 * incompleteBeta(degrees / 2, 0.5, Number.isNaN(x) ? 0 : x)
  return t >= 0 ? upper : 1 - upper
}
