/** Isolation forests: how soon random cuts part a row from all others says how unusual it is. */

/** Euler's constant. */
const GAMMA = 0.5772156649015329

/** The size of an isolation forest and its source of randomness. */
export interface IsolationOptions {
  /** 100 in the paper. */
  trees: number
  /** Rows that each tree sees, 256 in the paper; all where there are fewer. */
  sample: number
  /** Draws from [0, 1); a seeded one gives the same forest again. */
  uniform: () => number
}

/** A trained isolation forest. */
export interface IsolationForest {
  /**
   * How unusual a row is: near 1 for one that is parted at once, 0.5 and less for one among many.
   * O(trees · log sample) time.
   */
  of: (row: Float64Array) => number
}

type Node = { column: number; threshold: number; below: Node; above: Node } | { length: number }

/**
 * Grows a forest.
 *
 * Within the range of its rows the score is that of the paper. Beyond it, where the paper's forest
 * takes any value for the extreme of what it has seen, a row has the path that it would have had
 * among the rows.
 *
 * @param rows of one length, at least one column and two rows; what is missing is NaN, which lies
 *   below the least value of its column, as far as the column reaches
 * @see Liu, Ting & Zhou (2008), Isolation Forest, ICDM; scikit-learn's `IsolationForest` has the
 *   same score with its sign turned
 * @example growIsolation([1, 2, 3, 4].map((x) => Float64Array.of(x)), { trees: 50, sample: 4, uniform: () => 0.5 }).of(Float64Array.of(2)) // => 0.4729913525698812
 */
export function growIsolation(
  rows: readonly Float64Array[],
  { trees, sample, uniform }: IsolationOptions,
): IsolationForest {
  const gaps = gapsOf(rows)
  const known = rows.map((row) => withoutGaps(row, gaps))
  const size = Math.min(sample, rows.length)
  const depth = Math.ceil(Math.log2(Math.max(2, size)))
  const roots = Array.from({ length: trees }, () =>
    grow(drawn(known, size, uniform), { depth: 0, most: depth, uniform }),
  )
  const usual = averagePath(size)
  const box = boxOf(known)
  return {
    of: (row) => {
      const own = withoutGaps(row, gaps)
      const beyond = shareBeyond(own, box)
      const length = roots.reduce((sum, root) => sum + cutShort(pathOf(root, own), beyond), 0)
      return 2 ** (-length / trees / usual)
    },
  }
}

/** Per column the least and the greatest value. */
type Box = readonly (readonly [number, number])[]

const boxOf = (rows: readonly Float64Array[]): Box =>
  [...rows[0]!.keys()].map((column) => extremesOf(rows, column))

function extremesOf(rows: readonly Float64Array[], column: number): readonly [number, number] {
  let [least, greatest] = [Infinity, -Infinity]
  for (const row of rows) {
    const x = row[column]!
    if (x < least) least = x
    if (x > greatest) greatest = x
  }
  return [least, greatest]
}

/**
 * How likely one cut of a column that any of them alike may be parts a row from all rows of the
 * box, had it been among them: 0 within the box.
 */
function shareBeyond(row: Float64Array, box: Box): number {
  let sum = 0
  for (const [column, [least, greatest]] of box.entries()) {
    const x = row[column]!
    if (x > greatest) sum += (x / 2 - greatest / 2) / (x / 2 - least / 2)
    else if (x < least) sum += (least / 2 - x / 2) / (greatest / 2 - x / 2)
  }
  return sum / box.length
}

/** The mean of a path that each cut may end by a chance: of the smaller of it and a geometric one. */
const cutShort = (length: number, chance: number): number =>
  chance === 0 ? length : ((1 - chance) * (1 - (1 - chance) ** length)) / chance

/**
 * The mean length of an unsuccessful search in a binary tree of `n` rows: what a path ends with
 * where its tree was cut off.
 *
 * @example averagePath(256) // => 10.244770920119917
 */
export function averagePath(n: number): number {
  if (n <= 1) return 0
  if (n === 2) return 1
  return 2 * (Math.log(n - 1) + GAMMA) - (2 * (n - 1)) / n
}

/** Per column, where missing values lie. */
function gapsOf(rows: readonly Float64Array[]): Float64Array {
  return Float64Array.from(rows[0]!, (_, column) => {
    const [least, greatest] = extremesOf(rows, column)
    if (least > greatest) return 0
    const gap = least - (greatest - least)
    return Number.isFinite(gap) && gap < least ? gap : least - 1
  })
}

const withoutGaps = (row: Float64Array, gaps: Float64Array) =>
  row.some(Number.isNaN) ? row.map((x, column) => (Number.isNaN(x) ? gaps[column]! : x)) : row

/** So many rows, each at most once. */
function drawn<T>(rows: readonly T[], size: number, uniform: () => number): T[] {
  const pool = [...rows]
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(uniform() * (pool.length - i))
    const other = pool[j]!
    pool[j] = pool[i]!
    pool[i] = other
  }
  return pool.slice(0, size)
}

interface Growing {
  depth: number
  most: number
  uniform: () => number
}

function grow(inside: readonly Float64Array[], growing: Growing): Node {
  const { depth, most, uniform } = growing
  const cut = depth < most && inside.length > 1 ? cutOf(inside, uniform) : undefined
  if (!cut) return { length: depth + averagePath(inside.length) }
  const { column, threshold } = cut
  const deeper = { ...growing, depth: depth + 1 }
  return {
    column,
    threshold,
    below: grow(
      inside.filter((row) => row[column]! <= threshold),
      deeper,
    ),
    above: grow(
      inside.filter((row) => row[column]! > threshold),
      deeper,
    ),
  }
}

/** A column that is not constant, any of them alike, and a place between its least and greatest. */
function cutOf(inside: readonly Float64Array[], uniform: () => number) {
  const columns = [...inside[0]!.keys()]
  while (columns.length > 0) {
    const at = Math.floor(uniform() * columns.length)
    const column = columns[at]!
    const [least, greatest] = extremesOf(inside, column)
    if (least < greatest) {
      // Halves are taken: the difference of two numbers may be more than a number holds.
      const share = uniform()
      const threshold = least * (1 - share) + greatest * share
      return { column, threshold: threshold < greatest ? Math.max(least, threshold) : least }
    }
    columns[at] = columns.at(-1)!
    columns.pop()
  }
  return undefined
}

function pathOf(root: Node, row: Float64Array): number {
  let node = root
  while (!('length' in node)) node = row[node.column]! <= node.threshold ? node.below : node.above
  return node.length
}
