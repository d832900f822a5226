/** Argument from which on the asymptotic series are exact to the last digits. */
const LARGE = 12

/**
 * Derivative of the logarithm of the gamma function, by its recurrence and Stirling's series.
 *
 * @param x > 0
 * @throws {RangeError} when x is not above 0
 * @see Abramowitz & Stegun (1964), 6.3.5 and 6.3.18
 * @example digamma(1) // => -0.5772156649
 */
export function digamma(x: number): number {
  if (!(x > 0)) throw new RangeError('digamma requires x above 0')
  let sum = 0
  for (; x < LARGE; x++) sum -= 1 / x
  const s = 1 / (x * x)
  return (
    sum +
    Math.log(x) -
    0.5 / x -
    s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - (s * 691) / 32760)))))
  )
}

/**
 * Second derivative of the logarithm of the gamma function.
 *
 * @param x > 0
 * @throws {RangeError} when x is not above 0
 * @see Abramowitz & Stegun (1964), 6.4.6 and 6.4.12
 * @example trigamma(1) // => 1.6449340668
 */
export function trigamma(x: number): number {
  if (!(x > 0)) throw new RangeError('trigamma requires x above 0')
  let sum = 0
  for (; x < LARGE; x++) sum += 1 / (x * x)
  const s = 1 / (x * x)
  const series =
    s * (1 / 6 - s * (1 / 30 - s * (1 / 42 - s * (1 / 30 - s * (5 / 66 - (s * 691) / 2730)))))
  return sum + (1 + 0.5 / x + series) / x
}

/**
 * The x of which trigamma is y. Trigamma falls without end, so there is one; found on the logarithm
 * of x by bisection.
 *
 * @param y > 0
 * @throws {RangeError} when y is not above 0
 * @see Smyth (2004), appendix
 * @example trigammaInverse(1.6449340668482264) // => 1
 */
export function trigammaInverse(y: number): number {
  if (!(y > 0)) throw new RangeError('trigammaInverse requires y above 0')
  // Trigamma lies between 1 / x and 1 / x + 1 / x².
  let low = Math.log(1 / y) - 1e-9
  let high = Math.log((1 + Math.sqrt(1 + 4 * y)) / (2 * y)) + 1e-9
  for (let i = 0; i < 100 && high - low > 1e-15; i++) {
    const middle = (low + high) / 2
    if (trigamma(Math.exp(middle)) > y) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}
