/**
 * Population stability index between two histograms over the same bins, with half a count added to
 * every bin:
 * `Σ (q_i − p_i) · ln(q_i / p_i)`, where `p_i = (c_i + 1/2) / (n + k/2)`.
 *
 * @param reference counts per bin; length k ≥ 2, each ≥ 0, at least one > 0
 * @param current counts per bin over the same bins
 * @returns dimensionless (nats), ≥ 0, and 0 exactly when the smoothed shares agree; symmetric in
 *   its arguments
 * @throws {RangeError} when the lengths differ, k < 2, or a histogram is empty. O(k) time.
 * @see Siddiqi (2006), Credit Risk Scorecards, p. 136; the symmetric Kullback–Leibler (Jeffreys)
 *   divergence
 * @example psi([50, 50], [60, 40]) // => 0.0397367714
 */
export function psi(reference: readonly number[], current: readonly number[]): number {
  if (reference.length !== current.length)
    throw new RangeError('psi requires histograms of one length')
  if (reference.length < 2) throw new RangeError('psi requires at least two bins')
  return jeffreys(smoothedShares(reference), smoothedShares(current))
}

/**
 * Jeffreys' divergence `Σ (q_i − p_i) · ln(q_i / p_i)` of two lists of shares, none of them 0.
 *
 * @example jeffreys([0.5, 0.5], [0.25, 0.75]) // => 0.2746530722
 */
export const jeffreys = (p: readonly number[], q: readonly number[]): number =>
  p.reduce((sum, share, i) => sum + (q[i]! - share) * Math.log(q[i]! / share), 0)

function smoothedShares(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (!(total > 0)) throw new RangeError('psi requires at least one observation per histogram')
  return counts.map((count) => (count + 0.5) / (total + counts.length / 2))
}
