/**
 * Distances of two histograms over the same bins, of counts; what is measured is the shares.
 *
 * All of them: lists of one length k ≥ 1, each count ≥ 0, both with at least one observation. O(k)
 * time.
 */

/**
 * Jensen–Shannon distance: the root of the divergence of both from their mean.
 *
 * @param base of the logarithm
 * @returns 0 for equal shares; with base 2 at most 1, for no overlap
 * @see Endres & Schindelin (2003), IEEE Trans. Inf. Theory 49, 1858–1860
 * @example jsDistance([1, 1], [1, 3]) // => 0.2208957688
 */
export function jsDistance(a: readonly number[], b: readonly number[], base = 2): number {
  const [p, q] = [sharesOf(a), sharesOf(b)]
  const middle = p.map((share, i) => (share + q[i]!) / 2)
  const sum = divergence(p, middle) + divergence(q, middle)
  return Math.sqrt(Math.max(0, sum / 2) / Math.log(base))
}

/**
 * Kullback–Leibler divergence of two lists of shares as they are, in nats; 0 · ln(0 / q) is 0.
 *
 * @example divergence([0.5, 0.5], [0.25, 0.75]) // => 0.1438410362
 */
export const divergence = (p: readonly number[], q: readonly number[]): number =>
  p.reduce((sum, share, i) => sum + (share > 0 ? share * Math.log(share / q[i]!) : 0), 0)

/**
 * Hellinger distance, `√(½ Σ (√p − √q)²)`.
 *
 * @returns in [0, 1]
 * @see Hellinger (1909)
 * @example hellinger([1, 1], [1, 3]) // => 0.1845919113
 */
export function hellinger(a: readonly number[], b: readonly number[]): number {
  const q = sharesOf(b)
  const sum = sharesOf(a).reduce((total, p, i) => total + (Math.sqrt(p) - Math.sqrt(q[i]!)) ** 2, 0)
  return Math.sqrt(sum / 2)
}

/**
 * Total variation distance, half the sum of the differences: the share of events that would have to
 * be another.
 *
 * @returns in [0, 1]
 * @example totalVariation([1, 1], [1, 3]) // => 0.25
 */
export function totalVariation(a: readonly number[], b: readonly number[]): number {
  const q = sharesOf(b)
  return sharesOf(a).reduce((sum, p, i) => sum + Math.abs(p - q[i]!), 0) / 2
}

/**
 * The largest difference of one share.
 *
 * @returns in [0, 1]
 * @example lInfinity([1, 1, 2], [1, 3, 0]) // => 0.5
 */
export function lInfinity(a: readonly number[], b: readonly number[]): number {
  const q = sharesOf(b)
  return sharesOf(a).reduce((largest, p, i) => Math.max(largest, Math.abs(p - q[i]!)), 0)
}

/**
 * Kullback–Leibler divergence of the reference from the current shares, in nats, with half a count
 * added to every bin.
 *
 * @returns ≥ 0
 * @see Kullback & Leibler (1951), Ann. Math. Stat. 22, 79–86
 * @example kullbackLeibler([50, 50], [60, 40]) // => 0.0200006667
 */
export function kullbackLeibler(reference: readonly number[], current: readonly number[]): number {
  const half = (counts: readonly number[]) => sharesOf(counts.map((count) => count + 0.5))
  return divergence(half(reference), half(current))
}

/**
 * Probability that a current value exceeds a reference value, ties counting half (the area that
 * Mann and Whitney's U is of all pairs), with the interval that surely holds it: values within one
 * bin may lie either way.
 *
 * @param bins of two samples laid over each other, in the order of the values
 * @returns in [0, 1]; ½ when neither tends to be larger
 * @see Mann & Whitney (1947), Ann. Math. Stat. 18, 50–60
 * @example mannWhitney([{ reference: 1, current: 0, low: 1, high: 1 }, { reference: 0, current: 1, low: 2, high: 2 }]) // => { value: 1, low: 1, high: 1 }
 */
export function mannWhitney(
  bins: readonly { reference: number; current: number; low: number; high: number }[],
): { value: number; low: number; high: number } {
  let below = 0
  let n = 0
  let m = 0
  let above = 0
  let unsure = 0
  for (const { reference, current, low, high } of bins) {
    above += current * below + (current * reference) / 2
    if (low < high) unsure += (current * reference) / 2
    below += reference
    n += reference
    m += current
  }
  const pairs = n * m
  return { value: above / pairs, low: (above - unsure) / pairs, high: (above + unsure) / pairs }
}

/**
 * @throws {RangeError} for an empty histogram
 * @example sharesOf([1, 3]) // => [0.25, 0.75]
 */
export function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (!(total > 0))
    throw new RangeError('a distance requires at least one observation per histogram')
  return counts.map((count) => count / total)
}
