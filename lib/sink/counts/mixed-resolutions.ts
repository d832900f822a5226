/**
 * Merges counts of one feature at several bin resolutions, at the finest one at which the bin of
 * every value is known.
 *
 * A batch that was counted coarsely need not make the window coarse: a coarse bin says how many
 * values it holds, their sum, the least and the greatest. A coarse bin whose least and greatest
 * value share a fine bin lies in it, and of two or three values each is known. The few values left
 * are placed where the other values lie, and widen the bounds of the whole. Pure.
 */
import { binOf } from './log-histogram.ts'
import { mergedSample, sampleSize, type BinnedSample } from '../../stats/samples/binned-sample.ts'

const COARSEST = 1

/** Share of the values that may be placed by estimate rather than make the whole sample coarse. */
const MAX_UNPLACED = 0.02

/**
 * Merges samples at the finest of their resolutions where hardly any value's bin is unknown there,
 * otherwise at the next, and so on. Values that are placed by estimate, where the other values lie,
 * are reported in `unplaced`.
 *
 * @param samples at least one, each with bins of `log-histogram.ts`
 * @returns all their values; least and greatest ones stay. O(bins · resolutions).
 */
export function mergedResolutions(samples: readonly BinnedSample[]): BinnedSample {
  if (samples.length === 1) return samples[0]!
  // Weighted events are no whole numbers, and two of them may weigh as much as three.
  const isCounted = samples.every(({ counts }) => counts.every(Number.isInteger))
  const finest = samples.reduce(
    (most, { resolution = COARSEST }) => Math.max(most, resolution),
    COARSEST,
  )
  const most = MAX_UNPLACED * samples.reduce((sum, sample) => sum + sampleSize(sample), 0)
  for (let resolution = finest; resolution > COARSEST; resolution--) {
    const placed = samples.map((sample) => refined(sample, resolution, isCounted))
    const unplaced = placed.flatMap((one) => one.unplaced)
    const merged = mergedSample(placed.map((one) => one.sample))
    if (unplaced.length === 0) return merged
    if (unplaced.reduce((sum, { count }) => sum + count, 0) <= most)
      return withUnplaced(merged, unplaced)
  }
  return mergedSample(samples)
}

interface Refined {
  sample: BinnedSample
  /** Values of which the bin is not known. */
  unplaced: readonly Part[]
}

/** A sample at a resolution that may be finer than its own. */
function refined(sample: BinnedSample, resolution: number, isCounted: boolean): Refined {
  // Coarsening is left to the merge.
  if ((sample.resolution ?? COARSEST) >= resolution) return { sample, unplaced: [] }
  const found = new Map<number, Part>()
  const unplaced: Part[] = []
  for (const [i, count] of sample.counts.entries()) {
    const bin = { count, total: sample.totals[i]!, low: sample.lows[i]!, high: sample.highs[i]! }
    const parts = partsOf(bin, resolution, isCounted)
    for (const part of parts ?? []) add(found, binOf(part.low, resolution), part)
    if (!parts) unplaced.push(bin)
  }
  return { sample: sampleOf(found, resolution), unplaced }
}

function sampleOf(found: ReadonlyMap<number, Part>, resolution: number): BinnedSample {
  const bins = [...found.keys()].toSorted((a, b) => a - b)
  const of = (name: keyof Part) => bins.map((bin) => found.get(bin)![name])
  return {
    resolution,
    bins,
    counts: of('count'),
    totals: of('total'),
    lows: of('low'),
    highs: of('high'),
  }
}

/** Puts values where those that are known lie between their least and their greatest. */
function withUnplaced(known: BinnedSample, parts: readonly Part[]): BinnedSample {
  const resolution = known.resolution ?? COARSEST
  const found = new Map<number, Part>()
  let [count, reach, squares] = [0, 0, 0]
  for (const part of parts) {
    for (const estimate of estimated(part, known))
      add(found, binOf(estimate.low, resolution), estimate)
    count += part.count
    reach += part.count * (part.high - part.low)
    squares += part.count * (part.high - part.low) ** 2
  }
  const merged = mergedSample([known, sampleOf(found, resolution)])
  const size = sampleSize(merged)
  return {
    ...merged,
    unplaced: { share: count / size, reach: reach / size, squares: squares / size },
  }
}

/**
 * One value at either end where whole events are counted, the rest as the known values lie between
 * them.
 */
function estimated({ count, total, low, high }: Part, known: BinnedSample): Part[] {
  const end = Math.min(1, count / 2)
  const ends = [low, high].map((x) => ({ count: end, total: end * x, low: x, high: x }))
  const rest = count - 2 * end
  if (rest <= 0) return ends
  const between = known.bins.flatMap((_, i) =>
    known.lows[i]! > low && known.highs[i]! < high ? [i] : [],
  )
  const all = between.reduce((sum, i) => sum + known.counts[i]!, 0)
  if (all === 0) {
    const x = Math.min(high, Math.max(low, total / count))
    return [...ends, { count: rest, total: rest * x, low: x, high: x }]
  }
  return [
    ...ends,
    ...between.map((i) => {
      const n = (rest * known.counts[i]!) / all
      const x = known.totals[i]! / known.counts[i]!
      return { count: n, total: n * x, low: known.lows[i]!, high: known.highs[i]! }
    }),
  ]
}

/** Some values of one bin. */
interface Part {
  count: number
  total: number
  low: number
  high: number
}

/** Splits values so that each part lies in one bin; undefined where that is not known. */
function partsOf(bin: Part, resolution: number, isCounted: boolean): Part[] | undefined {
  const { count, total, low, high } = bin
  if (binOf(low, resolution) === binOf(high, resolution)) return [bin]
  if (!isCounted || (count !== 2 && count !== 3)) return undefined
  const between = Math.min(high, Math.max(low, total - low - high))
  return (count === 2 ? [low, high] : [low, between, high]).map((x) => ({
    count: 1,
    total: x,
    low: x,
    high: x,
  }))
}

function add(found: Map<number, Part>, bin: number, part: Part): void {
  const known = found.get(bin)
  if (!known) {
    found.set(bin, { ...part })
    return
  }
  known.count += part.count
  known.total += part.total
  known.low = Math.min(known.low, part.low)
  known.high = Math.max(known.high, part.high)
}
