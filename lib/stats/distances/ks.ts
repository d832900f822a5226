import {
  alignBins,
  sampleSize,
  unplacedShare,
  type BinnedSample,
  type SharedBin,
} from '../samples/binned-sample.ts'

/**
 * An interval that surely holds the Kolmogorov–Smirnov statistic of the two samples, whatever lies
 * inside the bins.
 */
export interface KsInterval {
  low: number
  high: number
}

/**
 * Two-sample Kolmogorov–Smirnov statistic `D = sup |F(x) − G(x)|` from counts in bins.
 *
 * `low` is the largest difference at a bin edge, which D cannot be below. Inside a bin with masses p and q, and differences l
 * before and r after it, no difference is larger than `max(min(l + p, r + q), min(−l + q, −r +
 * p))`; a bin in which all values of both samples are one value adds nothing. Hence low = high = D
 * where every bin is an atom. Values that were placed by estimate may lie elsewhere: their share
 * widens the interval.
 *
 * @param bins the two laid over each other, where they are already
 * @returns both in [0, 1], low ≤ D ≤ high. O(k) time.
 * @throws {RangeError} when a sample is empty
 * @see Kolmogorov (1933); Smirnov (1939). The interval follows from F and G being monotone within a
 *   bin.
 * @example ksInterval({ bins: [1], counts: [2], totals: [2], lows: [1], highs: [1] }, { bins: [2], counts: [2], totals: [4], lows: [2], highs: [2] }) // => { low: 1, high: 1 }
 */
export function ksInterval(
  reference: BinnedSample,
  current: BinnedSample,
  bins: readonly SharedBin[] = alignBins(reference, current),
): KsInterval {
  const n = sampleSize(reference)
  const m = sampleSize(current)
  if (n === 0 || m === 0)
    throw new RangeError('ksInterval requires at least one observation per sample')
  let low = 0
  let high = 0
  let seenReference = 0
  let seenCurrent = 0
  for (const bin of bins) {
    const before = seenReference / n - seenCurrent / m
    seenReference += bin.reference
    seenCurrent += bin.current
    const after = seenReference / n - seenCurrent / m
    low = Math.max(low, Math.abs(after))
    high = Math.max(high, Math.abs(after))
    if (bin.low === bin.high) continue
    const p = bin.reference / n
    const q = bin.current / m
    high = Math.max(high, Math.min(before + p, after + q), Math.min(q - before, p - after))
  }
  const slack = unplacedShare([reference, current])
  return { low: Math.max(0, low - slack), high: Math.min(1, Math.max(low, high) + slack) }
}

/**
 * Probability that two samples of one continuous distribution differ by `d` or more, by
 * Kolmogorov's limiting distribution at `(√e + 0.12 + 0.11/√e) · d`, where `e = n·m / (n + m)`.
 *
 * @param d the statistic, in [0, 1]
 * @param n size of one sample, ≥ 1
 * @param m size of the other, ≥ 1
 * @returns in [0, 1]; within about 0.01 of the exact value from e = 4 on, conservative for ties
 * @throws {RangeError} when an argument is out of range. O(1) time.
 * @see Stephens (1970), J. R. Statist. Soc. B 32, 115–122, table 1A
 * @example ksPValue(0.1, 1000, 1000) // => 0.0000811756
 */
export function ksPValue(d: number, n: number, m: number): number {
  if (!(d >= 0 && d <= 1)) throw new RangeError('ksPValue requires d in [0, 1]')
  if (!(n >= 1 && m >= 1))
    throw new RangeError('ksPValue requires at least one observation per sample')
  const root = Math.sqrt((n * m) / (n + m))
  return kolmogorovSurvival((root + 0.12 + 0.11 / root) * d)
}

/**
 * Survival function of Kolmogorov's distribution, `2 Σ (−1)^(k−1) exp(−2 k² x²)`; below 1.18 the
 * theta-function form, which converges there.
 *
 * @returns in [0, 1]; 1 for x ≤ 0. Agrees with scipy.special.kolmogorov to 1e-13.
 * @see Kolmogorov (1933); Marsaglia, Tsang & Wang (2003), J. Stat. Softw. 8(18)
 * @example kolmogorovSurvival(1) // => 0.2699996717
 */
export function kolmogorovSurvival(x: number): number {
  if (x <= 0.04) return 1
  if (x < 1.18) {
    const y = Math.exp(-(Math.PI ** 2) / (8 * x * x))
    const cdf = (Math.sqrt(2 * Math.PI) / x) * (y + y ** 9 + y ** 25 + y ** 49)
    return 1 - cdf
  }
  let sum = 0
  for (let k = 1; k <= 20; k++) {
    const term = Math.exp(-2 * k * k * x * x)
    sum += k % 2 === 1 ? term : -term
    if (term < 1e-300) break
  }
  return Math.min(1, Math.max(0, 2 * sum))
}
