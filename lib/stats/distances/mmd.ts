/** Maximum mean discrepancy of two samples of vectors, by a Gaussian kernel. */

/**
 * The biased estimate, of all pairs; it is 0 only for equal samples, and falls with the sample size
 * where there is no difference.
 *
 * @param a vectors of one length, not empty
 * @param b vectors of the same length, not empty
 * @param bandwidth σ of exp(−|x − y|² / 2σ²), > 0
 * @returns in [0, √2]. O((n + m)² · dimensions) time.
 * @see Gretton et al. (2012), J. Mach. Learn. Res. 13, 723–773, equation 5
 * @example mmd([[0]], [[1]], 1) // => 0.8870956434
 */
export function mmd(a: readonly Vector[], b: readonly Vector[], bandwidth: number): number {
  const kernel = (x: Vector, y: Vector) => Math.exp(-squaredDistance(x, y) / (2 * bandwidth ** 2))
  const mean = (left: readonly Vector[], right: readonly Vector[]) => {
    let sum = 0
    for (const x of left) for (const y of right) sum += kernel(x, y)
    return sum / (left.length * right.length)
  }
  return Math.sqrt(Math.max(0, mean(a, a) + mean(b, b) - 2 * mean(a, b)))
}

/**
 * Median distance between any two vectors: a bandwidth that needs no choice.
 *
 * @param vectors of one length
 * @returns > 0: 1 where more than half of the pairs are equal, or there are none. O(n² ·
 *   dimensions) time.
 * @see Gretton et al. (2012), section 8
 * @example medianDistance([[0], [1], [5]]) // => 4
 */
export function medianDistance(vectors: readonly Vector[]): number {
  const distances = vectors.flatMap((x, i) =>
    vectors.slice(i + 1).map((y) => Math.sqrt(squaredDistance(x, y))),
  )
  const median = distances.toSorted((x, y) => x - y)[Math.floor(distances.length / 2)] ?? 0
  return median > 0 ? median : 1
}

type Vector = ArrayLike<number>

function squaredDistance(x: Vector, y: Vector): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2
  return sum
}
