import {
  alignBins,
  sampleSize,
  unplacedShare,
  type BinnedSample,
  type SharedBin,
} from '../samples/binned-sample.ts'

/**
 * A number and the interval that surely holds it, whatever lies inside the bins; all three equal
 * where every bin is one value.
 */
export interface Bounded {
  value: number
  low: number
  high: number
}

/**
 * Three distances that square the difference of two distribution functions, `d = F − G`, from
 * counts in bins:
 *
 * - Cramér–von Mises, `∫ d² dH`, H the distribution of both samples together; in [0, 1]. The test
 *   statistic is
 *   `n m / (n + m)` times it.
 * - Anderson–Darling, `∫ d² / (H (1 − H)) dH`, which looks harder at the tails; ≥ 0. The test
 *   statistic again has that factor.
 * - Energy distance, `√(2 ∫ d² dx)`, in the square root of the values' unit; ≥ 0.
 *
 * Inside a bin d lies between `d₀ − q` and `d₀ + p`, p and q the bin's masses, which gives the
 * bounds; the value takes it to run straight from d₀ to d₁. Values that were placed by estimate, a
 * share u, change d by u, H by as much, and ∫ d² dx by twice their reach; Anderson–Darling weighs
 * the tails without bound, and has then no upper one.
 *
 * @param bins the two laid over each other, where they are already
 * @throws {RangeError} when a sample is empty. O(k) time.
 * @see Anderson (1962), Ann. Math. Statist. 33, 1148–1159; Pettitt (1976), Biometrika 63, 161–168;
 *   Székely & Rizzo (2013), J. Stat. Plan. Inference 143, 1249–1272
 * @example squaredDistances({ bins: [0], counts: [1], totals: [0], lows: [0], highs: [0] }, { bins: [2], counts: [1], totals: [2], lows: [2], highs: [2] }).energy.value // => 2
 */
export function squaredDistances(
  reference: BinnedSample,
  current: BinnedSample,
  bins: readonly SharedBin[] = alignBins(reference, current),
): { cramerVonMises: Bounded; andersonDarling: Bounded; energy: Bounded } {
  const n = sampleSize(reference)
  const m = sampleSize(current)
  if (n === 0 || m === 0)
    throw new RangeError('squaredDistances requires at least one observation per sample')
  const cramerVonMises = { value: 0, low: 0, high: 0 }
  const andersonDarling = { value: 0, low: 0, high: 0 }
  const area = { value: 0, low: 0, high: 0 }
  let before = 0
  let seen = 0
  bins.forEach((bin, i) => {
    const size = bin.reference + bin.current
    const after = before + bin.reference / n - bin.current / m
    const squares =
      bin.low === bin.high
        ? { value: after ** 2, low: after ** 2, high: after ** 2 }
        : squaresWithin(before, after, bin.reference / n, bin.current / m)
    const share = size / (n + m)
    add(cramerVonMises, squares, share)
    addWeighted(andersonDarling, squares, seen, size, n + m, bin.low === bin.high)
    add(area, squares, bin.high - bin.low)
    const next = bins[i + 1]
    if (next) {
      const known = after ** 2
      add(area, { value: known, low: known, high: known }, next.low - bin.high)
    }
    before = after
    seen += size
  })
  const u = unplacedShare([reference, current])
  if (u > 0) {
    widen(cramerVonMises, 3 * u, 1)
    widen(andersonDarling, Infinity, Infinity)
    widen(area, 2 * ((reference.unplaced?.reach ?? 0) + (current.unplaced?.reach ?? 0)), Infinity)
  }
  const rooted = (x: number) => Math.sqrt(2 * Math.max(0, x))
  return {
    cramerVonMises,
    andersonDarling,
    energy: { value: rooted(area.value), low: rooted(area.low), high: rooted(area.high) },
  }
}

function widen(found: Bounded, by: number, most: number): void {
  found.low = Math.max(0, found.low - by)
  found.high = Math.min(most, found.high + by)
}

function squaresWithin(before: number, after: number, p: number, q: number): Bounded {
  const [least, most] = [before - q, before + p]
  return {
    value: (before ** 2 + before * after + after ** 2) / 3,
    low: least <= 0 && most >= 0 ? 0 : Math.min(least ** 2, most ** 2),
    high: Math.max(least ** 2, most ** 2),
  }
}

function add(total: Bounded, part: Bounded, weight: number): void {
  total.value += weight * part.value
  total.low += weight * part.low
  total.high += weight * part.high
}

/**
 * Each of the bin's values weighs `1 / (N H (1 − H))`, H behind it; the last value of all, where H
 * is 1, weighs nothing.
 */
function addWeighted(
  total: Bounded,
  squares: Bounded,
  seen: number,
  size: number,
  all: number,
  isAtom: boolean,
): void {
  const weigh = (h: number) => (h > 0 && h < 1 ? 1 / (h * (1 - h)) : 0)
  const last = (seen + size) / all
  if (isAtom) {
    add(total, squares, (size / all) * weigh(last))
    return
  }
  const counted = last === 1 ? size - 1 : size
  const [from, to] = [(seen + 1) / all, (seen + counted) / all]
  const weights = [weigh(from), weigh(to)]
  const least = from <= 0.5 && to >= 0.5 ? 4 : Math.min(weights[0]!, weights[1]!)
  const share = counted / all
  total.value += share * squares.value * weigh((from + to) / 2)
  total.low += share * squares.low * least
  total.high += share * squares.high * Math.max(weights[0]!, weights[1]!)
}
