/**
 * Drift as Scouter numbers it.
 *
 * @see demml/scouter, PSI monitoring
 */
import { quantileSorted } from 'simple-statistics'
import { sharesOf } from '../../../lib/stats/distances/histogram-distances.ts'
import { jeffreys } from '../../../lib/stats/distances/psi.ts'

const DECILES = 10
const EMPTY_SHARE = 1e-10

/**
 * PSI over the deciles of the reference, the outer bins open; an empty bin has a share of 1e-10.
 *
 * @param reference ascending, finite, not empty
 * @param current ascending, finite, not empty
 * @example scouterPsi(Float64Array.of(1, 2, 3), Float64Array.of(1, 2, 3)) // => 0
 */
export function scouterPsi(reference: Float64Array, current: Float64Array): number {
  // The package only reads by index, though its types ask for an array.
  const ordered = reference as unknown as number[]
  const cuts = Array.from({ length: DECILES - 1 }, (_, i) =>
    quantileSorted(ordered, (i + 1) / DECILES),
  )
  const shares = (values: Float64Array) => {
    const counts = Array.from({ length: DECILES }, () => 0)
    for (const x of values) counts[cuts.filter((cut) => x > cut).length]!++
    return sharesOf(counts).map((share) => Math.max(share, EMPTY_SHARE))
  }
  return jeffreys(shares(reference), shares(current))
}
