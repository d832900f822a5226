/**
 * Can a classifier tell rows of now from rows of then? If so the two differ, even where no feature by itself does.
 *
 * Forests of extremely randomized trees, each fold evaluated by trees that have not seen it, give the area under the ROC curve: 0.5
 * where nothing can be told.
 */
import { aucStandardError } from '../intervals/normal-interval.ts'
import { growForest } from './forest.ts'

const FOLDS = 5
/** Folds learn from mostly the same rows, and err together. */
const SHARED_TRAINING = Math.sqrt(1 + FOLDS / (FOLDS - 1))
const TREES = 30
const DEPTH = 8
const MIN_LEAF = 5

export interface DomainAuc {
  /** Mean over folds, in [0, 1]; about 0.5 without a difference. */
  auc: number
  standardError: number
  /** How much each column helped to tell, as shares that sum to 1; all 0 where none did. */
  importance: readonly number[]
}

/**
 * @param reference rows of one length; what is missing is NaN
 * @param current rows of the same length
 * @param uniform draws from [0, 1); a seeded one gives the same answer again
 * @returns undefined where a side has fewer than {@link FOLDS} rows, or there are no columns. O(trees · rows · depth) time.
 * @see Lopez-Paz & Oquab (2017), Revisiting Classifier Two-Sample Tests; Nadeau & Bengio (2003), Mach. Learn. 52, 239–281, for the error
 * @example domainAuc(Array(5).fill([1]), Array(5).fill([1]), () => 0).auc // => 0.5
 */
export function domainAuc(
  reference: readonly Float64Array[],
  current: readonly Float64Array[],
  uniform: () => number,
): DomainAuc | undefined {
  const columns = reference[0]?.length ?? 0
  if (columns === 0 || Math.min(reference.length, current.length) < FOLDS) return undefined
  const rows = [...reference, ...current]
  const labels = rows.map((_, i) => (i < reference.length ? 0 : 1))
  // Each side is dealt to the folds by itself, in random order.
  const fold = new Uint8Array(rows.length)
  for (const [from, size] of [
    [0, reference.length],
    [reference.length, current.length],
  ] as const)
    shuffled(size, uniform).forEach((place, i) => (fold[from + place] = i % FOLDS))
  const importance = new Float64Array(columns)
  let total = 0
  for (let held = 0; held < FOLDS; held++) {
    const inside = [...rows.keys()].filter((i) => fold[i] !== held)
    const outside = [...rows.keys()].filter((i) => fold[i] === held)
    const forest = growForest(
      inside.map((i) => rows[i]!),
      inside.map((i) => labels[i]!),
      { trees: TREES, depth: DEPTH, leastLeaf: MIN_LEAF, uniform },
    )
    forest.importance.forEach((gain, column) => (importance[column]! += gain))
    total += aucOf(
      Float64Array.from(outside, (i) => forest.of(rows[i]!)),
      outside.map((i) => labels[i]!),
    )
  }
  const auc = total / FOLDS
  const sum = importance.reduce((a, b) => a + b, 0)
  return {
    auc,
    standardError: aucStandardError(auc, current.length, reference.length) * SHARED_TRAINING,
    importance: [...importance].map((one) => (sum > 0 ? one / sum : 0)),
  }
}

/** Ties count half. */
function aucOf(scores: Float64Array, labels: readonly number[]): number {
  const order = [...scores.keys()].toSorted((a, b) => scores[a]! - scores[b]!)
  let ranks = 0
  let positives = 0
  for (let i = 0; i < order.length;) {
    let next = i
    while (next < order.length && scores[order[next]!] === scores[order[i]!]) next++
    for (let k = i; k < next; k++) {
      if (labels[order[k]!] === 0) continue
      positives++
      ranks += (i + next + 1) / 2
    }
    i = next
  }
  const negatives = order.length - positives
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives)
}

function shuffled(size: number, uniform: () => number): number[] {
  const places = Array.from({ length: size }, (_, i) => i)
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1))
    ;[places[i], places[j]] = [places[j]!, places[i]!]
  }
  return places
}
