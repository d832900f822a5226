import { logGamma } from './incomplete-gamma.ts'

const EPSILON = 1e-16
const TINY = 1e-300
const MAX_TERMS = 10_000

/**
 * Regularised incomplete beta function `I_x(a, b)`, by Lentz's continued fraction.
 *
 * @param a > 0
 * @param b > 0
 * @param x in [0, 1]
 * @returns in [0, 1], about 1e-13 relative error
 * @throws {RangeError} outside these ranges. O(√max(a, b)) time.
 * @see Press et al. (2007), Numerical Recipes, section 6.4
 * @example incompleteBeta(2, 3, 0.4) // => 0.5248
 */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1))
    throw new RangeError('incompleteBeta requires a and b above 0 and x in [0, 1]')
  if (x === 0 || x === 1) return x
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  )
  // The fraction converges fast on the near side of the mean, the function is symmetric.
  return x < (a + 1) / (a + b + 2)
    ? (front * continuedFraction(a, b, x)) / a
    : 1 - (front * continuedFraction(b, a, 1 - x)) / b
}

function continuedFraction(a: number, b: number, x: number): number {
  let c = 1
  let d = 1 / notZero(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m < MAX_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / notZero(1 + even * d)
    c = notZero(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / notZero(1 + odd * d)
    c = notZero(1 + odd / c)
    h *= d * c
    if (Math.abs(d * c - 1) < EPSILON * 10) break
  }
  return h
}

const notZero = (value: number) => (Math.abs(value) < TINY ? TINY : value)
