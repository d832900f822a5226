const EPSILON = 1e-16
const MAX_TERMS = 10_000

/**
 * Natural logarithm of the gamma function, by Lanczos' approximation (g = 7, 9 terms).
 *
 * @param x > 0
 * @returns relative error below 1e-14
 * @see Lanczos (1964), SIAM J. Numer. Anal. B 1, 86–96
 * @example logGamma(5) // => 3.1780538303
 */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError('logGamma requires x above 0')
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const z = x - 1
  const sum = LANCZOS.reduce((total, c, i) => (i === 0 ? c : total + c / (z + i)), 0)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}

const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406,
  12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
]

/**
 * Upper regularised incomplete gamma function `Q(a, x)`: a series below a + 1, a continued fraction
 * above.
 *
 * @param a > 0
 * @param x ≥ 0
 * @returns in [0, 1]
 * @see Press et al. (2007), Numerical Recipes, section 6.2; Temme (1994)
 * @example upperGamma(1, 1) // => 0.3678794412
 */
export function upperGamma(a: number, x: number): number {
  if (!(a > 0) || !(x >= 0))
    throw new RangeError('upperGamma requires a above 0 and x of 0 or more')
  if (x === 0) return 1
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < MAX_TERMS && Math.abs(term) > EPSILON * Math.abs(sum); n++)
      sum += term *= x / (a + n)
    return Math.min(1, Math.max(0, 1 - scale * sum))
  }
  // Lentz's method.
  let b = x + 1 - a
  let c = 1e300
  let d = 1 / b
  let h = d
  for (let n = 1; n < MAX_TERMS; n++) {
    const factor = -n * (n - a)
    b += 2
    d = 1 / (factor * d + b || 1e-300)
    c = b + factor / c || 1e-300
    h *= d * c
    if (Math.abs(d * c - 1) < EPSILON * 10) break
  }
  return Math.min(1, Math.max(0, scale * h))
}
