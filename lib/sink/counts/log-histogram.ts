/**
 * A log-linear histogram, as HDR histograms and DDSketch are, at the finest bin resolution that the
 * spread of the values allows.
 *
 * Resolution g keeps the exponent and the leading 3 + 4·g bits of the mantissa of the value as a
 * 64-bit float, 42 bits for the finest; its bin is negative for negative values. Resolution 1 has
 * 128 bins an octave at every scale, zero on its own and every whole number up to 256. Each finer
 * resolution has 16 bins for every one of the resolution before, so that counts of different
 * resolutions are merged at the coarser. Years, kelvins, sums of money that hardly vary and times
 * as milliseconds since 1970 get fine bins, numbers that span many octaves get those of resolution
 * 1: either way a feature takes some hundred bins.
 */
import { FINEST_RESOLUTION, mantissaBits } from '../../stats/samples/binned-sample.ts'

const FINEST = FINEST_RESOLUTION
const COARSEST = 1
/** Bins between the 5th and the 95th percentile. */
const MAX_BINS = 512
/** Values of which the spread is estimated. */
const SPREAD_SAMPLE = 64
/**
 * Bins between the quartiles; of a normal sample as many as {@link MAX_BINS} between the
 * percentiles.
 */
const MAX_CORE_BINS = 208
/**
 * Bins beyond the quartiles that belong to the middle: about four standard deviations of a normal
 * sample.
 */
const CORE_REACH = 512
/** Values so far off that may have fine bins of their own, rather than make all others coarse. */
const MAX_ODD = 32
/**
 * Fewer values than this have no known spread; they shall not force fine bins on a quiet stream.
 */
const MIN_VALUES = 8
const FEW_VALUES_RESOLUTION = 2

const asFloat = new Float64Array(1)
const asBits = new Uint32Array(asFloat.buffer)
/** Where the two halves of a float lie in memory. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1
const [LOW, HIGH] = LITTLE_ENDIAN ? [0, 1] : [1, 0]
/** Bits of the mantissa in the high half. */
const HIGH_BITS = 20

/** The bin of a finite number: a whole number below 2^53 in size; 0 for zero. */
export function binOf(value: number, resolution: number): number {
  asFloat[0] = value
  const high = asBits[HIGH]! & 0x7fffffff
  const more = mantissaBits(resolution) - HIGH_BITS
  const bin = more <= 0 ? high >> -more : high * 2 ** more + (asBits[LOW]! >>> (32 - more))
  return value < 0 ? -bin + 0 : bin
}

/**
 * The resolution for some values: that of their middle nine tenths, or of their middle half where
 * only a few odd values would make it coarser. A coarse batch makes every window coarse that it is
 * part of.
 *
 * @param values the first `length` of them, at least one
 */
export function resolutionOf(values: Float64Array, length: number): number {
  const looked = Math.min(length, SPREAD_SAMPLE)
  const sample = Float64Array.from(
    { length: looked },
    (_, i) => values[Math.floor((i * length) / looked)]!,
  ).sort()
  const low = sample[Math.floor(0.05 * looked)]!
  const high = sample[Math.ceil(0.95 * looked) - 1]!
  const most = resolutionBetween(low, high, length)
  if (most === FINEST) return most
  const [q1, q3] = [0.25, 0.75].map((q) => sample[Math.floor(q * (looked - 1))]!)
  const core = resolutionBetween(q1!, q3!, length, MAX_CORE_BINS)
  if (core <= most) return most
  const [from, to] = [binOf(q1!, core) - CORE_REACH, binOf(q3!, core) + CORE_REACH]
  let odd = 0
  for (let i = 0; i < length && odd <= MAX_ODD; i++) {
    const bin = binOf(values[i]!, core)
    if (bin < from || bin > to) odd++
  }
  return odd <= MAX_ODD ? core : most
}

/**
 * The finest resolution at which so many values, mostly between two numbers, take no more than some
 * hundred bins.
 */
export function resolutionBetween(
  low: number,
  high: number,
  length: number,
  maxBins = MAX_BINS,
): number {
  let resolution = length < MIN_VALUES ? FEW_VALUES_RESOLUTION : FINEST
  while (resolution > COARSEST && binOf(high, resolution) - binOf(low, resolution) > maxBins)
    resolution--
  return resolution
}

/** Bins in ascending order, with the count, sum, least and greatest of the values in each. */
export interface Bins {
  resolution: number
  bins: Float64Array
  counts: Float64Array
  totals: Float64Array
  lows: Float64Array
  highs: Float64Array
}

/**
 * Bins within this distance of `base` have an index in the table; others, rare at a fine
 * resolution, go through the map.
 */
const REACH = 2 ** 16
const nearIndexes = new Int32Array(2 * REACH + 1)
const farIndexes = new Map<number, number>()
/** The bin in the middle of the table, for the values counted now. */
let base = 0

/** The index of a bin, from 1; 0 for a bin that has none. */
function indexOf(bin: number): number {
  const at = bin - base + REACH
  return at >= 0 && at < nearIndexes.length ? nearIndexes[at]! : (farIndexes.get(bin) ?? 0)
}

function setIndex(bin: number, index: number) {
  const at = bin - base + REACH
  if (at >= 0 && at < nearIndexes.length) nearIndexes[at] = index
  else farIndexes.set(bin, index)
}

/** Numbers kept of a bin: the count, sum, least and greatest of its values. */
const NUMBERS_PER_BIN = 4

/** Counts values in bins. O(length). @param values the first `length` of them */
export function binned(
  values: Float64Array,
  length: number,
  resolution = resolutionOf(values, length),
): Bins {
  // Every bin of the coarsest resolution is within reach of zero's.
  base = resolution === COARSEST ? 0 : binOf(values[0]!, resolution)
  /** Bins in the order in which they were met. */
  const met: number[] = []
  const numbers: number[] = []
  for (let i = 0; i < length; i++) {
    const value = values[i]!
    const bin = binOf(value, resolution)
    const at = NUMBERS_PER_BIN * (indexOf(bin) - 1)
    if (at < 0) {
      met.push(bin)
      setIndex(bin, met.length)
      numbers.push(1, value, value, value)
    } else {
      numbers[at]!++
      numbers[at + 1]! += value
      if (value < numbers[at + 2]!) numbers[at + 2] = value
      if (value > numbers[at + 3]!) numbers[at + 3] = value
    }
  }
  const bins = Float64Array.from(met).sort()
  const counts = new Float64Array(bins.length)
  const totals = new Float64Array(bins.length)
  const lows = new Float64Array(bins.length)
  const highs = new Float64Array(bins.length)
  for (let i = 0; i < bins.length; i++) {
    const at = NUMBERS_PER_BIN * (indexOf(bins[i]!) - 1)
    counts[i] = numbers[at]!
    totals[i] = numbers[at + 1]!
    lows[i] = numbers[at + 2]!
    highs[i] = numbers[at + 3]!
  }
  for (const bin of bins) setIndex(bin, 0)
  farIndexes.clear()
  return { resolution, bins, counts, totals, lows, highs }
}
