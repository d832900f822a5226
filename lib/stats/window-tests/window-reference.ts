import {
  coarsened,
  mergedSample,
  atOneResolution,
  sampleSize,
  type BinnedSample,
} from '../samples/binned-sample.ts'
import { equiMassCounts } from '../samples/equi-mass-bins.ts'
import { normalScores, shapeContrast, shapeOf, type Shape } from '../samples/normal-scores.ts'
import { psi } from '../distances/psi.ts'

const PSI_PARTS = 10

/** The windows of a reference, each compared with the others: what a new window is held against. */
export interface NumericReference {
  windows: readonly BinnedSample[]
  sizes: readonly number[]
  /** Contrast of each window with the reference without it. */
  contrasts: readonly Shape[]
  /** Contrast of each window with the whole reference. */
  deviations: readonly Shape[]
  /** Logarithm of the PSI of each window against the others. */
  logPsi: readonly number[]
  /** Intervals that PSI distinguishes. */
  parts: number
  /** The whole reference: bins, their counts and normal scores, and its own shape. */
  merged: BinnedSample
  scores: Float64Array
  shape: Shape
  /** Place of every bin among those of `merged`. */
  places: ReadonlyMap<number, number>
}

/**
 * @param samples R windows, none empty; R ≥ 2
 * @throws {RangeError} when a window is empty. O(R · G) time for G bins.
 */
export function numericReference(samples: readonly BinnedSample[]): NumericReference {
  const windows = atOneResolution(samples)
  const merged = mergedSample(windows)
  const places = new Map(merged.bins.map((bin, i) => [bin, i]))
  const scores = normalScores(merged.counts)
  const shape = shapeOf(merged.counts, scores)
  const contrasts: Shape[] = []
  const deviations: Shape[] = []
  const logPsi: number[] = []
  for (const window of windows) {
    const own = new Float64Array(merged.bins.length)
    window.bins.forEach((bin, i) => {
      own[places.get(bin)!]! += window.counts[i]!
    })
    const others = merged.counts.map((count, i) => count - own[i]!)
    const othersScores = normalScores(others)
    contrasts.push(shapeContrast(shapeOf(own, othersScores), shapeOf(others, othersScores)))
    deviations.push(shapeContrast(shapeOf(own, scores), shape))
    logPsi.push(logPsiOf({ ...merged, counts: others }, window))
  }
  const parts = equiMassCounts(merged, merged, PSI_PARTS)[0].length
  return {
    windows,
    sizes: windows.map(sampleSize),
    contrasts,
    deviations,
    logPsi,
    parts,
    merged,
    scores,
    shape,
    places,
  }
}

/** References at coarser resolutions, made once: many windows ask for them. */
const coarser = new WeakMap<NumericReference, Map<number, NumericReference>>()

/** A reference at the resolution of a later window, where that one is coarser. */
function atResolutionOf(reference: NumericReference, current: BinnedSample): NumericReference {
  const resolution = current.resolution ?? 1
  if (resolution >= (reference.merged.resolution ?? 1)) return reference
  const known = coarser.get(reference) ?? new Map<number, NumericReference>()
  coarser.set(reference, known)
  const found =
    known.get(resolution) ??
    numericReference(reference.windows.map((window) => coarsened(window, resolution)))
  known.set(resolution, found)
  return found
}

/**
 * How a later window differs from a reference.
 *
 * @param sample not empty
 * @returns the contrast, and the reference at the resolution that both have
 */
export function numericContrast(
  known: NumericReference,
  sample: BinnedSample,
): { reference: NumericReference; shape: Shape; logPsi: number; size: number } {
  const reference = atResolutionOf(known, sample)
  const { merged, places } = reference
  const current = coarsened(sample, merged.resolution ?? 1)
  const isKnown = current.bins.every((bin) => places.has(bin))
  // Bins the reference has not met stand between its own, with a score of their place.
  const bins = isKnown
    ? merged.bins
    : [...new Set([...merged.bins, ...current.bins])].toSorted((a, b) => a - b)
  const scores = isKnown
    ? reference.scores
    : normalScores(bins.map((bin) => merged.counts[places.get(bin) ?? -1] ?? 0))
  const at = isKnown ? places : new Map(bins.map((bin, i) => [bin, i]))
  const counts = new Float64Array(bins.length)
  current.bins.forEach((bin, i) => {
    counts[at.get(bin)!]! += current.counts[i]!
  })
  return {
    reference,
    shape: shapeContrast(shapeOf(counts, scores), reference.shape),
    logPsi: logPsiOf(merged, current),
    size: sampleSize(current),
  }
}

/** PSI is 0 only where two samples agree to the last count. */
const MIN_PSI = 1e-12

const logPsiOf = (reference: BinnedSample, current: BinnedSample) =>
  Math.log(Math.max(psi(...equiMassCounts(reference, current, PSI_PARTS)), MIN_PSI))
