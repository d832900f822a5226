/**
 * Can a classifier tell rows of now from rows of then? If so the two differ, even where no feature by itself does.
 *
 * Forests of extremely randomized trees, each fold judged by trees that have not seen it, give the area under the ROC curve: 0.5
 * where nothing can be told.
 */
import { aucStandardError } from './auc-interval.ts'

const FOLDS = 5
const TREES = 30
const DEPTH = 8
const LEAST_LEAF = 5

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
 * @see Geurts, Ernst & Wehenkel (2006), Mach. Learn. 63, 3–42; Lopez-Paz & Oquab (2017), Revisiting Classifier Two-Sample Tests
 * @example domainAuc(Array(5).fill([1]), Array(5).fill([1]), () => 0).auc // => 0.5
 */
export function domainAuc(
  reference: readonly Float64Array[],
  current: readonly Float64Array[],
  uniform: () => number,
): DomainAuc | undefined {
  const columns = reference[0]?.length ?? 0
  if (columns === 0 || Math.min(reference.length, current.length) < FOLDS) return undefined
  const rows = [...reference, ...current].map((row) =>
    row.map((x) => (Number.isNaN(x) ? LEAST : x)),
  )
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
    const scores = new Float64Array(outside.length)
    for (let tree = 0; tree < TREES; tree++) {
      const root = grow({ rows, labels, uniform, columns, importance }, inside, DEPTH)
      outside.forEach((row, i) => (scores[i]! += leafOf(root, rows[row]!)))
    }
    total += aucOf(
      scores,
      outside.map((row) => labels[row]!),
    )
  }
  const auc = total / FOLDS
  const sum = importance.reduce((a, b) => a + b, 0)
  return {
    auc,
    standardError: aucStandardError(auc, current.length, reference.length),
    importance: [...importance].map((one) => (sum > 0 ? one / sum : 0)),
  }
}

/** Where missing values lie: below all others. */
const LEAST = -Number.MAX_VALUE

type Node = { score: number } | { column: number; threshold: number; below: Node; above: Node }

interface Growing {
  rows: readonly Float64Array[]
  labels: readonly number[]
  uniform: () => number
  columns: number
  importance: Float64Array
}

function grow(growing: Growing, inside: readonly number[], depth: number): Node {
  const { rows, labels, uniform, columns, importance } = growing
  const positives = inside.reduce((sum, i) => sum + labels[i]!, 0)
  const leaf = { score: positives / inside.length }
  if (depth === 0 || inside.length < 2 * LEAST_LEAF) return leaf
  if (positives === 0 || positives === inside.length) return leaf
  let best: { column: number; threshold: number; gain: number } | undefined
  for (let tried = 0; tried < Math.ceil(Math.sqrt(columns)); tried++) {
    const column = Math.floor(uniform() * columns)
    // A value of the data: whatever the scale, each threshold parts something.
    const threshold = rows[inside[Math.floor(uniform() * inside.length)]!]![column]!
    let below = 0
    let belowPositives = 0
    for (const i of inside) {
      if (rows[i]![column]! > threshold) continue
      below++
      belowPositives += labels[i]!
    }
    const above = inside.length - below
    if (Math.min(below, above) < LEAST_LEAF) continue
    const gain =
      impurity(positives, inside.length) -
      impurity(belowPositives, below) -
      impurity(positives - belowPositives, above)
    if (best === undefined || gain > best.gain) best = { column, threshold, gain }
  }
  if (best === undefined) return leaf
  const { column, threshold, gain } = best
  importance[column]! += gain
  const isBelow = (i: number) => rows[i]![column]! <= threshold
  return {
    column,
    threshold,
    below: grow(growing, inside.filter(isBelow), depth - 1),
    above: grow(
      growing,
      inside.filter((i) => !isBelow(i)),
      depth - 1,
    ),
  }
}

/** Gini impurity times the number of rows. */
const impurity = (positives: number, n: number) => (2 * positives * (n - positives)) / n

function leafOf(root: Node, row: Float64Array): number {
  let node = root
  while (!('score' in node)) node = row[node.column]! <= node.threshold ? node.below : node.above
  return node.score
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
