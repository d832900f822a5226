/**
 * Drift as NannyML numbers it: bins are numpy's Doane on the reference alone, and what the current
 * window has outside them is one bin more.
 *
 * @see NannyML 0.13, drift/univariate/methods.py
 */
import {
  hellinger,
  jsDistance,
  sharesOf,
} from '../../../lib/stats/distances/histogram-distances.ts'
import { doaneEdges, histogram } from './histograms.ts'

function shares(reference: Float64Array, current: Float64Array): [number[], number[]] {
  const edges = doaneEdges(reference)
  const r = sharesOf(histogram(reference, edges))
  const c = histogram(current, edges).map((count) => count / current.length)
  const outside = 1 - c.reduce((sum, share) => sum + share, 0)
  return outside > 1e-12
    ? [
        [...r, 0],
        [...c, outside],
      ]
    : [r, c]
}

/**
 * Jensen–Shannon distance, base 2.
 *
 * @param reference ascending, finite, not empty
 * @param current ascending, finite, not empty
 * @example nannymlJs(Float64Array.of(0, 1, 2), Float64Array.of(0, 1, 2)) // => 0
 */
export function nannymlJs(reference: Float64Array, current: Float64Array): number {
  return jsDistance(...shares(reference, current))
}

/**
 * Hellinger distance.
 *
 * @example nannymlHellinger(Float64Array.of(0, 1, 2), Float64Array.of(0, 1, 2)) // => 0
 */
export function nannymlHellinger(reference: Float64Array, current: Float64Array): number {
  return hellinger(...shares(reference, current))
}
