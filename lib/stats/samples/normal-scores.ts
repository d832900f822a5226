import { normalQuantile } from '../distributions/normal-quantile.ts'

/**
 * Where a sample lies, how wide and how lopsided it is, in standard deviations of the reference
 * made normal.
 */
export interface Shape {
  /** Mean of the normal scores. */
  location: number
  /** Logarithm of their standard deviation. */
  logScale: number
  /** asinh of their skewness. */
  skew: number
}

/** Spread below this is taken for this: a constant sample has a shape, too. */
const MIN_VARIANCE = 1e-4

const density = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)

/**
 * The normal score of every bin of a reference: the mean of a standard normal variable within the
 * probability interval that the bin takes up in the reference. A bin that is empty in the reference
 * has the score of its place between the others.
 *
 * @param counts of the reference, in the order of the values; length G, at least one > 0
 * @returns G scores, ascending, within ±8. O(G) time.
 * @throws {RangeError} when the reference is empty
 * @see van der Waerden (1952); the conditional mean in place of the midpoint, so that scores
 *   average to 0 whatever the bins
 * @example normalScores([1, 1]) // => [-0.7978845608, 0.7978845608]
 */
export function normalScores(counts: ArrayLike<number>): Float64Array {
  let total = 0
  for (let i = 0; i < counts.length; i++) total += counts[i]!
  if (!(total > 0)) throw new RangeError('normalScores requires at least one observation')
  const edge = 0.5 / total
  const scores = new Float64Array(counts.length)
  let below = 0
  let densityBelow = 0
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!
    if (count === 0) {
      scores[i] = normalQuantile(Math.min(1 - edge, Math.max(edge, below / total)))
      continue
    }
    below += count
    const densityAbove = below >= total ? 0 : density(normalQuantile(below / total))
    scores[i] = ((densityBelow - densityAbove) * total) / count
    densityBelow = densityAbove
  }
  return scores
}

/**
 * The shape of a sample, from its counts per bin and the bins' scores.
 *
 * @param counts length G, at least one > 0
 * @param scores of {@link normalScores} over the same bins
 * @example shapeOf([1, 1], [-1, 1]) // => { location: 0, logScale: 0.3465735903, skew: 0 }
 */
export function shapeOf(counts: ArrayLike<number>, scores: ArrayLike<number>): Shape {
  let n = 0
  let m1 = 0
  let m2 = 0
  let m3 = 0
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!
    const z = scores[i]!
    n += count
    m1 += count * z
    m2 += count * z * z
    m3 += count * z * z * z
  }
  m1 /= n
  m2 /= n
  m3 /= n
  const variance = Math.max((m2 - m1 * m1) * (n / Math.max(n - 1, 1)), MIN_VARIANCE)
  const third = m3 - 3 * m1 * m2 + 2 * m1 ** 3
  return {
    location: m1,
    logScale: 0.5 * Math.log(variance),
    skew: Math.asinh(third / variance ** 1.5),
  }
}

/**
 * How one shape differs from another, component by component.
 *
 * @example shapeContrast({ location: 1, logScale: 0, skew: 0 }, { location: 0.5, logScale: 0, skew: 0 }) // => { location: 0.5, logScale: 0, skew: 0 }
 */
export const shapeContrast = (a: Shape, b: Shape): Shape => ({
  location: a.location - b.location,
  logScale: a.logScale - b.logScale,
  skew: a.skew - b.skew,
})
