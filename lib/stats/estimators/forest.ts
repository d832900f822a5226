/** Forests of extremely randomized trees: the mean of a number by what the columns of a row say. */

/** Where missing values lie: below all others. */
const MISSING = -Number.MAX_VALUE

/** The size of a random forest and its source of randomness. */
export interface ForestOptions {
  trees: number
  depth: number
  /** Least rows in a leaf. */
  leastLeaf: number
  /** Draws from [0, 1); a seeded one gives the same forest again. */
  uniform: () => number
}

/** A trained random forest. */
export interface Forest {
  /** Mean over the trees of the leaf that a row falls into. O(trees · depth) time. */
  of: (row: Float64Array) => number
  /** Per column, how much of the variance its splits took away. */
  importance: Float64Array
}

type Node = { mean: number } | { column: number; threshold: number; below: Node; above: Node }

interface Growing extends ForestOptions {
  rows: readonly Float64Array[]
  numbers: readonly number[]
  columns: number
  importance: Float64Array
}

/**
 * @param rows of one length, at least one column; what is missing is NaN
 * @param numbers one for each row
 * @see Geurts, Ernst & Wehenkel (2006), Mach. Learn. 63, 3–42
 * @example growForest([Float64Array.of(0), Float64Array.of(1)], [2, 4], { trees: 1, depth: 2, leastLeaf: 5, uniform: () => 0 }).of(Float64Array.of(1)) // => 3
 */
export function growForest(
  rows: readonly Float64Array[],
  numbers: readonly number[],
  options: ForestOptions,
): Forest {
  const columns = rows[0]!.length
  const importance = new Float64Array(columns)
  const growing = { ...options, rows: rows.map(withoutGaps), numbers, columns, importance }
  const all = [...rows.keys()]
  const roots = Array.from({ length: options.trees }, () => grow(growing, all, options.depth))
  return {
    importance,
    of: (row) => {
      const known = withoutGaps(row)
      return roots.reduce((sum, root) => sum + leafOf(root, known), 0) / roots.length
    },
  }
}

const withoutGaps = (row: Float64Array) =>
  row.some(Number.isNaN) ? row.map((x) => (Number.isNaN(x) ? MISSING : x)) : row

function grow(growing: Growing, inside: readonly number[], depth: number): Node {
  const { rows, numbers, uniform, columns, importance, leastLeaf } = growing
  let sum = 0
  let least = Infinity
  let greatest = -Infinity
  for (const i of inside) {
    const x = numbers[i]!
    sum += x
    least = Math.min(least, x)
    greatest = Math.max(greatest, x)
  }
  const leaf = { mean: sum / inside.length }
  if (depth === 0 || inside.length < 2 * leastLeaf || least === greatest) return leaf
  let best: { column: number; threshold: number; gain: number } | undefined
  for (let tried = 0; tried < Math.ceil(Math.sqrt(columns)); tried++) {
    const column = Math.floor(uniform() * columns)
    // A value of the data: whatever the scale, each threshold parts something.
    const threshold = rows[inside[Math.floor(uniform() * inside.length)]!]![column]!
    let below = 0
    let belowSum = 0
    for (const i of inside) {
      if (rows[i]![column]! > threshold) continue
      below++
      belowSum += numbers[i]!
    }
    const above = inside.length - below
    if (Math.min(below, above) < leastLeaf) continue
    const gain = belowSum ** 2 / below + (sum - belowSum) ** 2 / above - sum ** 2 / inside.length
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

function leafOf(root: Node, row: Float64Array): number {
  let node = root
  while (!('mean' in node)) node = row[node.column]! <= node.threshold ? node.below : node.above
  return node.mean
}
