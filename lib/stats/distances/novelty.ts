/** How many vectors of a sample lie where the baseline has none: distances to nearest neighbours. */

type Vector = ArrayLike<number>

/** What is new of a sample beside a baseline. */
export interface Novelty {
  /** The baseline's own quantile: beyond it a vector is new. */
  line: number
  /** Distance of each vector of the sample to its nearest one of the baseline. */
  distances: Float64Array
  /** Share of the sample beyond the line, in [0, 1]. */
  share: number
}

/** The quantile of the baseline's own distances that is the line. */
const QUANTILE = 0.99
/** Components that are summed before a pair is given up as farther than the nearest so far. */
const BLOCK = 64

/**
 * Compares each vector's nearest neighbour in the baseline with how far vectors of the baseline are
 * from their nearest others: Euclidean distances, the line their 99th percentile, interpolated
 * linearly. Without a change about a hundredth of a sample is new.
 *
 * @param baseline vectors of one length, at least two; equal ones have the distance 0
 * @param sample vectors of the same length, not empty
 * @returns O((n² + n · m) · dimensions) time at most; a pair ends once it is farther than the nearest
 *   so far
 * @see scikit-learn's NearestNeighbors, for the distances; numpy's quantile, for the line
 * @example novelty([[0], [1], [2]], [[1.5], [9]]).share // => 0.5
 */
export function novelty(baseline: readonly Vector[], sample: readonly Vector[]): Novelty {
  const own = Float64Array.from(baseline, (x, i) => nearest(x, baseline, i)).sort()
  const line = quantileOf(own)
  const distances = Float64Array.from(sample, (x) => nearest(x, baseline, -1))
  const beyond = distances.filter((distance) => distance > line).length
  return { line, distances, share: beyond / sample.length }
}

/** Distance to the nearest of some vectors. @param except the index of one that is left out */
function nearest(x: Vector, others: readonly Vector[], except: number): number {
  let best = Infinity
  for (let i = 0; i < others.length; i++)
    if (i !== except) best = Math.min(best, squaredWithin(x, others[i]!, best))
  return Math.sqrt(best)
}

/** The squared distance, or some number above `most` where it is above. */
function squaredWithin(x: Vector, y: Vector, most: number): number {
  let sum = 0
  for (let from = 0; from < x.length && sum < most; from += BLOCK) {
    const to = Math.min(x.length, from + BLOCK)
    for (let k = from; k < to; k++) sum += (x[k]! - y[k]!) ** 2
  }
  return sum
}

function quantileOf(ascending: Float64Array): number {
  const at = QUANTILE * (ascending.length - 1)
  const low = ascending[Math.floor(at)]!
  return low + (at - Math.floor(at)) * (ascending[Math.ceil(at)]! - low)
}

/**
 * Picks vectors that stand for the others: first the one with the least sum of distances to all,
 * then one after another the one that most lessens the sum of distances to the nearest picked one.
 *
 * @param vectors of one length
 * @returns indexes, at most `most`. O(vectors² · (most + dimensions)) time
 * @see Kaufman and Rousseeuw (1990), Finding Groups in Data, the build phase of PAM
 * @example representatives([[0], [0.1], [9], [0.2]], 2) // => [1, 2]
 */
export function representatives(vectors: readonly Vector[], most: number): number[] {
  const apart = vectors.map((x) =>
    Float64Array.from(vectors, (y) => Math.sqrt(squaredWithin(x, y, Infinity))),
  )
  const picked: number[] = []
  const left = new Float64Array(vectors.length).fill(Infinity)
  while (picked.length < Math.min(most, vectors.length)) {
    let next = -1
    let least = Infinity
    for (let i = 0; i < vectors.length; i++) {
      if (picked.includes(i)) continue
      let sum = 0
      for (let k = 0; k < left.length; k++) sum += Math.min(left[k]!, apart[i]![k]!)
      if (next === -1 || sum < least) [next, least] = [i, sum]
    }
    picked.push(next)
    for (let k = 0; k < left.length; k++) left[k] = Math.min(left[k]!, apart[next]![k]!)
  }
  return picked
}
