/**
 * Can a classifier tell rows of now from rows of then? If so the two differ, even where no feature
 * by itself does.
 *
 * Forests of extremely randomized trees, each fold evaluated by trees that have not seen it, give
 * the area under the ROC curve: 0.5 where nothing can be known.
 */
import { wilcoxonRankSum } from 'simple-statistics'
import { aucStandardError } from '../intervals/normal-interval.ts'
import { growForest } from './forest.ts'

const FOLDS = 5
/** Folds learn from mostly the same rows, and err together. */
const SHARED_TRAINING = Math.sqrt(1 + FOLDS / (FOLDS - 1))
const TREES = 30
const DEPTH = 8
const MIN_LEAF = 5

/** How well a classifier tells rows of two samples apart. */
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
 * @returns undefined where a side has fewer than {@link FOLDS} rows, or there are no columns.
 *   O(trees · rows · depth) time.
 * @see Lopez-Paz & Oquab (2017), Revisiting Classifier Two-Sample Tests; Nadeau & Bengio (2003),
 *   Mach. Learn. 52, 239–281, for the error
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
      outside.map((i) => forest.of(rows[i]!)),
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

/**
 * Area under the ROC curve by the rank sum of Mann and Whitney; ties count half. NaN where a class
 * is missing.
 */
function aucOf(scores: readonly number[], labels: readonly number[]): number {
  const positives = scores.filter((_, i) => labels[i] !== 0)
  const negatives = scores.filter((_, i) => labels[i] === 0)
  if (positives.length === 0 || negatives.length === 0) return NaN
  const above =
    wilcoxonRankSum(positives, negatives) - (positives.length * (positives.length + 1)) / 2
  return above / (positives.length * negatives.length)
}

function shuffled(size: number, uniform: () => number): number[] {
  const places = Array.from({ length: size }, (_, i) => i)
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1))
    ;[places[i], places[j]] = [places[j]!, places[i]!]
  }
  return places
}
