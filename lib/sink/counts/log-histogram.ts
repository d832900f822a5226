/**
 * Numbers counted in bins, on the finest grid that the spread of the values allows.
 *
 * Grid g keeps the leading 12 + 4·g bits of the value as a 32-bit float, negative for negative values: grid 1 has 128 bins an
 * octave at every scale, zero on its own and every whole number up to 256; each next one has 16 for every one of the grid before,
 * so that counts of different grids are merged on the coarser. Years, kelvins and sums of money that hardly vary get fine bins,
 * what spans many octaves gets those of grid 1: either way a feature takes some hundred bins.
 */
const FINEST = 4
const COARSEST = 1
/** Bins between the 5th and the 95th percentile. */
const MAX_BINS = 512
/** Values looked at to tell how they spread. */
const LOOKED_AT = 64
/** Of fewer values the spread cannot be told; they shall not force fine bins on a quiet stream. */
const MIN_VALUES = 8
const FEW_VALUES_GRID = 2

const asFloat = new Float32Array(1)
const asBits = new Int32Array(asFloat.buffer)

/** The bin of a finite number; values beyond the range of 32-bit floats fall into the bin of infinity. */
export function binOf(value: number, grid: number): number {
  asFloat[0] = value
  const bin = (asBits[0]! & 0x7fffffff) >> (20 - 4 * grid)
  return value < 0 ? -bin : bin
}

/** The values that tell how a batch spreads, ascending. */
function looked(values: Float64Array, length: number): Float64Array {
  const size = Math.min(length, LOOKED_AT)
  return Float64Array.from(
    { length: size },
    (_, i) => values[Math.floor((i * length) / size)]!,
  ).sort()
}

/** @param values the first `length` of them, at least one */
export const resolutionOf = (values: Float64Array, length: number): number =>
  resolutionOfMost(looked(values, length), length)

/** The grid of the middle nine tenths. */
function resolutionOfMost(sample: Float64Array, length: number): number {
  const low = sample[Math.floor(0.05 * sample.length)]!
  const high = sample[Math.ceil(0.95 * sample.length) - 1]!
  return resolutionBetween(low, high, length)
}

/** The finest grid on which so many values, mostly between two numbers, take no more than some hundred bins. */
export function resolutionBetween(
  low: number,
  high: number,
  length: number,
  maxBins = MAX_BINS,
): number {
  let grid = length < MIN_VALUES ? FEW_VALUES_GRID : FINEST
  while (grid > COARSEST && binOf(high, grid) - binOf(low, grid) > maxBins) grid--
  return grid
}

/** Bins between the quartiles of values that are counted finely although some others lie far off; of a normal sample, as many as {@link MAX_BINS} between the percentiles. */
const MAX_CORE_BINS = 208
/** Bins beyond the quartiles that are still counted finely: four standard deviations of a normal sample. */
const CORE_REACH = 512

/**
 * Counts a batch on the finest grid that its middle allows, and what lies far off apart, on a coarser one: a few odd values must not
 * make the others coarse, in this batch and in every window that it is part of.
 *
 * @param values the first `length` of them, at least one
 * @returns one piece, or two where the odd values would have coarsened the rest
 */
export function binnedApart(values: Float64Array, length: number): Bins[] {
  const sample = looked(values, length)
  const grid = resolutionOfMost(sample, length)
  const quartiles = [0.25, 0.75].map((q) => sample[Math.floor(q * (sample.length - 1))]!)
  const [low, high] = quartiles as [number, number]
  const fine = grid === FINEST ? grid : resolutionBetween(low, high, length, MAX_CORE_BINS)
  if (fine <= grid) return [binned(values, length, grid)]
  const [from, to] = [binOf(low, fine) - CORE_REACH, binOf(high, fine) + CORE_REACH]
  const isNear = (x: number) => binOf(x, fine) >= from && binOf(x, fine) <= to
  const all = values.subarray(0, length)
  const near = all.filter(isNear)
  const far = all.filter((x) => !isNear(x))
  return [
    // In the order of the table's key.
    ...(far.length > 0 ? [binned(far, far.length, grid)] : []),
    binned(near, near.length, fine),
  ]
}

/** Bins in ascending order, with the number, sum, least and greatest of the values in each. */
export interface Bins {
  grid: number
  bins: Int32Array
  counts: Float64Array
  totals: Float64Array
  lows: Float64Array
  highs: Float64Array
}

/** Bins within this distance of `base` have a place in the table; others, rare on a fine grid, go through the map. */
const REACH = 2 ** 16
const nearPlaces = new Int32Array(2 * REACH + 1)
const farPlaces = new Map<number, number>()
/** Of the bins in hand. */
let base = 0

/** 0 for a bin that has none. */
function indexOf(bin: number): number {
  const at = bin - base + REACH
  return at >= 0 && at < nearPlaces.length ? nearPlaces[at]! : (farPlaces.get(bin) ?? 0)
}

function setPlace(bin: number, place: number) {
  const at = bin - base + REACH
  if (at >= 0 && at < nearPlaces.length) nearPlaces[at] = place
  else farPlaces.set(bin, place)
}

/** Of a bin: the number, sum, least and greatest of its values. */
const FACTS = 4

/** @param values the first `length` of them */
export function binned(
  values: Float64Array,
  length: number,
  grid = resolutionOf(values, length),
): Bins {
  // On the coarsest grid every bin is within reach of zero's.
  base = grid === COARSEST ? 0 : binOf(values[0]!, grid)
  /** In the order in which bins were met. */
  const met: number[] = []
  const facts: number[] = []
  for (let i = 0; i < length; i++) {
    const value = values[i]!
    const bin = binOf(value, grid)
    const at = FACTS * (indexOf(bin) - 1)
    if (at < 0) {
      met.push(bin)
      setPlace(bin, met.length)
      facts.push(1, value, value, value)
    } else {
      facts[at]!++
      facts[at + 1]! += value
      if (value < facts[at + 2]!) facts[at + 2] = value
      if (value > facts[at + 3]!) facts[at + 3] = value
    }
  }
  const bins = Int32Array.from(met).sort()
  const counts = new Float64Array(bins.length)
  const totals = new Float64Array(bins.length)
  const lows = new Float64Array(bins.length)
  const highs = new Float64Array(bins.length)
  for (let i = 0; i < bins.length; i++) {
    const at = FACTS * (indexOf(bins[i]!) - 1)
    counts[i] = facts[at]!
    totals[i] = facts[at + 1]!
    lows[i] = facts[at + 2]!
    highs[i] = facts[at + 3]!
  }
  for (const bin of bins) setPlace(bin, 0)
  farPlaces.clear()
  return { grid, bins, counts, totals, lows, highs }
}
