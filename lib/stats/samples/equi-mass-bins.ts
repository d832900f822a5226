import { sampleSize, type BinnedSample } from './binned-sample.ts'

/**
 * Cuts a histogram into at most `parts` intervals of nearly equal mass in the reference. A cut lies
 * between two bins, so counts over the intervals are exact; a bin that holds more than one part's
 * mass (an atom) makes fewer intervals.
 *
 * @param reference not empty
 * @param parts ≥ 2
 * @returns keys of the last bin of each interval but the last, ascending; empty when all mass is in
 *   one bin. O(k) time.
 * @example equiMassCuts({ bins: [1, 2, 3, 4], counts: [1, 1, 1, 1], totals: [1, 2, 3, 4], lows: [1, 2, 3, 4], highs: [1, 2, 3, 4] }, 2) // => [2]
 * @public
 */
export function equiMassCuts(reference: BinnedSample, parts: number): number[] {
  const total = reference.counts.reduce((sum, count) => sum + count, 0)
  const cuts: number[] = []
  let i = 0
  let seen = 0
  for (let part = 1; part < parts; part++) {
    const target = (part * total) / parts
    while (seen + reference.counts[i]! < target) seen += reference.counts[i++]!
    const beforeIsNearer = i > 0 && target - seen <= seen + reference.counts[i]! - target
    const last = beforeIsNearer ? i - 1 : i
    const cut = reference.bins[last]!
    if (last < reference.bins.length - 1 && cut > (cuts.at(-1) ?? -Infinity)) cuts.push(cut)
  }
  return cuts
}

/**
 * Counts of a sample over the intervals of {@link equiMassCuts}.
 *
 * @returns `cuts.length + 1` counts that sum to the size of the sample. O(k) time.
 * @example countBetween({ bins: [1, 2, 3], counts: [5, 6, 7], totals: [5, 12, 21], lows: [1, 2, 3], highs: [1, 2, 3] }, [2]) // => [11, 7]
 * @public
 */
export function countBetween(sample: BinnedSample, cuts: readonly number[]): number[] {
  const counts = Array.from({ length: cuts.length + 1 }, () => 0)
  let part = 0
  for (let i = 0; i < sample.bins.length; i++) {
    while (part < cuts.length && sample.bins[i]! > cuts[part]!) part++
    counts[part]! += sample.counts[i]!
  }
  return counts
}

/**
 * Counts of two samples over the intervals of {@link equiMassCuts} of the reference, for distances
 * that need two bins or more: a reference that is all in one bin is split into that bin and
 * everything else.
 *
 * @returns two lists of one length, from 2 to `parts`. O(k) time.
 * @example equiMassCounts({ bins: [1], counts: [2], totals: [2], lows: [1], highs: [1] }, { bins: [1, 2], counts: [1, 3], totals: [1, 6], lows: [1, 2], highs: [1, 2] }, 10) // => [[2, 0], [1, 3]]
 */
export function equiMassCounts(
  reference: BinnedSample,
  current: BinnedSample,
  parts: number,
): [number[], number[]] {
  const cuts = equiMassCuts(reference, parts)
  if (cuts.length > 0) return [countBetween(reference, cuts), countBetween(current, cuts)]
  const known = new Set(reference.bins.filter((_, i) => reference.counts[i]! > 0))
  const same = current.counts.reduce(
    (sum, count, i) => sum + (known.has(current.bins[i]!) ? count : 0),
    0,
  )
  return [
    [sampleSize(reference), 0],
    [same, sampleSize(current) - same],
  ]
}
