/**
 * Numbers counted in bins.
 *
 * Grid 1: the leading 16 bits of the value as a 32-bit float, negative for negative values. Bins are 1/128 of their
 * octave wide at every scale, in the order of the values; zero has its own, and so has every whole number up to 256.
 */
export const GRID = 1
const DROPPED_BITS = 16
/** Bins lie within this distance of zero's. */
const REACH = 2 ** 15

const asFloat = new Float32Array(1)
const asBits = new Int32Array(asFloat.buffer)

/** The bin of a finite number; values beyond the range of 32-bit floats fall into the bin of infinity. */
export function binOf(value: number): number {
  asFloat[0] = value
  const bin = (asBits[0]! & 0x7fffffff) >> DROPPED_BITS
  return value < 0 ? -bin : bin
}

/** Bins in ascending order, with the number, sum, least and greatest of the values in each. */
export interface Bins {
  bins: Int32Array
  counts: Float64Array
  totals: Float64Array
  lows: Float64Array
  highs: Float64Array
}

/** For every bin its place among those that the values at hand fall into, and one more: 0 is none. */
const places = new Int32Array(2 * REACH + 1)

/** @param values the first `length` of them */
export function binned(values: Float64Array, length: number): Bins {
  const found = new Int32Array(length)
  let distinct = 0
  for (let i = 0; i < length; i++) {
    const bin = binOf(values[i]!)
    if (places[bin + REACH] !== 0) continue
    places[bin + REACH] = 1
    found[distinct++] = bin
  }
  const bins = found.slice(0, distinct).sort()
  for (let place = 0; place < distinct; place++) places[bins[place]! + REACH] = place + 1
  const counts = new Float64Array(distinct)
  const totals = new Float64Array(distinct)
  const lows = new Float64Array(distinct).fill(Infinity)
  const highs = new Float64Array(distinct).fill(-Infinity)
  for (let i = 0; i < length; i++) {
    const value = values[i]!
    const place = places[binOf(value) + REACH]! - 1
    counts[place]!++
    totals[place]! += value
    if (value < lows[place]!) lows[place] = value
    if (value > highs[place]!) highs[place] = value
  }
  for (const bin of bins) places[bin + REACH] = 0
  return { bins, counts, totals, lows, highs }
}
