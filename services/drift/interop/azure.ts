/**
 * Drift as Azure ML's model monitoring numbers it: ⌈log2(min(n, m)) + 1⌉ equal bins over the range
 * of both samples.
 *
 * @see azureml-assets, assets/model_monitoring/components/src/shared_utilities/histogram_utils.py
 */
import { jsDistance } from '../../../lib/stats/distances/histogram-distances.ts'
import { jeffreys } from '../../../lib/stats/distances/psi.ts'
import { equalWidthEdges, histogram } from './histograms.ts'

function counts(reference: Float64Array, current: Float64Array): [number[], number[]] {
  const both = new Float64Array([...reference, ...current]).sort()
  const bins = Math.ceil(Math.log2(Math.min(reference.length, current.length)) + 1)
  const edges = equalWidthEdges(both, bins)
  return [histogram(reference, edges), histogram(current, edges)]
}

/**
 * PSI with one count added to every bin.
 *
 * @param reference ascending, finite, not empty
 * @param current ascending, finite, not empty
 * @example azurePsi(Float64Array.of(0, 1), Float64Array.of(0, 1)) // => 0
 */
export function azurePsi(reference: Float64Array, current: Float64Array): number {
  const [r, c] = counts(reference, current)
  return jeffreys(
    r.map((count) => (count + 1) / (reference.length + r.length)),
    c.map((count) => (count + 1) / (current.length + r.length)),
  )
}

/**
 * Jensen–Shannon distance, base 2.
 *
 * @example azureJs(Float64Array.of(0, 1), Float64Array.of(0, 1)) // => 0
 */
export const azureJs = (reference: Float64Array, current: Float64Array): number =>
  jsDistance(...counts(reference, current))
