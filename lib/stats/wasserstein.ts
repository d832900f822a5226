import { alignBins, sampleSize, type BinnedSample } from './binned-sample.ts'

/**
 * First Wasserstein (earth mover's) distance `∫ |F(x) − G(x)| dx` between two binned samples, with every value at the mean of its
 * bin. Moving a value to the mean of its bin moves it by less than the bin's width, which bounds the error.
 *
 * @returns in the unit of the values: `value` ≥ 0, and the interval that surely holds the exact distance. O(k log k) time.
 * @throws {RangeError} when a sample is empty
 * @see Vallender (1974), Theory Probab. Appl. 18(4), 784–786
 * @example wasserstein({ bins: [1], counts: [2], totals: [2], lows: [1], highs: [1] }, { bins: [3], counts: [1], totals: [3], lows: [3], highs: [3] }) // => { value: 2, low: 2, high: 2 }
 */
export function wasserstein(
  reference: BinnedSample,
  current: BinnedSample,
): { value: number; low: number; high: number } {
  const n = sampleSize(reference)
  const m = sampleSize(current)
  if (n === 0 || m === 0)
    throw new RangeError('wasserstein requires at least one observation per sample')
  const atoms: { x: number; weight: number }[] = []
  let slack = 0
  for (const bin of alignBins(reference, current)) {
    if (bin.reference > 0) atoms.push({ x: bin.referenceMean, weight: bin.reference / n })
    if (bin.current > 0) atoms.push({ x: bin.currentMean, weight: -bin.current / m })
    slack += (bin.high - bin.low) * (bin.reference / n + bin.current / m)
  }
  atoms.sort((a, b) => a.x - b.x)
  let value = 0
  let difference = 0
  for (const [i, atom] of atoms.entries()) {
    difference += atom.weight
    const next = atoms[i + 1]
    if (next) value += Math.abs(difference) * (next.x - atom.x)
  }
  return { value, low: Math.max(0, value - slack), high: value + slack }
}
