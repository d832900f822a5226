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

/** Halvings that leave nothing to halve between neighbouring 64-bit floats. */
const MAX_HALVINGS = 200

/**
 * Quantile of Student's t: {@link studentTail} turned round by bisection.
 *
 * @param p in (0, 1)
 * @param degrees > 0, not necessarily whole
 * @returns about 1e-12 relative error for p within [1e-9, 1 − 1e-9]
 * @throws {RangeError} when p is outside (0, 1) or degrees is not above 0
 * @see Student (1908), Biometrika 6, 1–25
 * @example studentQuantile(0.975, 2) // => 4.3026527297
 */
export function studentQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError('studentQuantile requires p in (0, 1)')
  if (p < 0.5) return -studentQuantile(1 - p, degrees)
  const tail = 1 - p
  let [low, high] = [0, 1]
  while (studentTail(high, degrees) > tail) high *= 2
  for (let i = 0; i < MAX_HALVINGS; i++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (studentTail(middle, degrees) > tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}
