/** Histograms as numpy makes them, which most interop conventions build on. */
import { momentsOf, populationDeviation } from '../../../lib/stats/samples/moments.ts'

/** Equal bins over [low, high]; a single value has bins around it. */
function equalEdges(low: number, high: number, bins: number): number[] {
  const [from, to] = low === high ? [low - 0.5, high + 0.5] : [low, high]
  return Array.from({ length: bins + 1 }, (_, i) =>
    i === bins ? to : from + ((to - from) * i) / bins,
  )
}

/**
 * Edges by Sturges' rule: as many bins as the width `range / (log2(n) + 1)` takes.
 *
 * @param values ascending, not empty
 * @see numpy.histogram_bin_edges(…, 'sturges')
 * @example sturgesEdges([0, 1, 2, 4]).length // => 4
 */
export function sturgesEdges(values: ArrayLike<number>): number[] {
  const low = values[0]!
  const high = values[values.length - 1]!
  const width = (high - low) / (Math.log2(values.length) + 1)
  return equalEdges(low, high, width > 0 ? Math.ceil((high - low) / width) : 1)
}

/**
 * Edges by Doane's rule, which gives skewed samples more bins.
 *
 * @param values ascending, not empty
 * @see Doane (1976), Am. Stat. 30, 181–183; numpy.histogram_bin_edges(…, 'doane')
 * @example doaneEdges([0, 1, 2, 3]).length // => 4
 */
export function doaneEdges(values: ArrayLike<number>): number[] {
  const n = values.length
  const low = values[0]!
  const high = values[n - 1]!
  const list = Array.from(values)
  const { mean } = momentsOf(list)
  const spread = populationDeviation(list)
  if (n <= 2 || spread === 0) return equalEdges(low, high, 1)
  const skewness = list.reduce((sum, x) => sum + ((x - mean) / spread) ** 3, 0) / n
  const noise = Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)))
  const width = (high - low) / (1 + Math.log2(n) + Math.log2(1 + Math.abs(skewness) / noise))
  return equalEdges(low, high, Math.ceil((high - low) / width))
}

/**
 * @example equalWidthEdges([0, 4], 2) // => [0, 2, 4]
 */
export const equalWidthEdges = (values: ArrayLike<number>, bins: number): number[] =>
  equalEdges(values[0]!, values[values.length - 1]!, bins)

/**
 * Counts between edges; each bin holds its lower edge, the last one both. Values outside are not
 * counted.
 *
 * @param values ascending
 * @param edges ascending, at least two
 * @example histogram([0, 1, 2, 4], [0, 2, 4]) // => [2, 2]
 */
export function histogram(values: ArrayLike<number>, edges: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length - 1 }, () => 0)
  let bin = 0
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!
    if (x < edges[0]! || x > edges.at(-1)!) continue
    while (bin < counts.length - 1 && x >= edges[bin + 1]!) bin++
    counts[bin]!++
  }
  return counts
}
