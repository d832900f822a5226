/** Two samples of raw values: exact statistics, where counts would only bound them. */

/** Values in ascending order, without those that are not finite. */
export const sorted = (values: Iterable<number>): Float64Array =>
  Float64Array.from(values).filter(Number.isFinite).sort()

/**
 * Calls `visit` with F − G behind each distinct value, and the distance to the next one (0 behind
 * the last).
 */
function eachValue(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  visit: (difference: number, width: number) => void,
): void {
  let i = 0
  let j = 0
  let x = Math.min(a[0] ?? Infinity, b[0] ?? Infinity)
  while (i < a.length || j < b.length) {
    while (i < a.length && a[i] === x) i++
    while (j < b.length && b[j] === x) j++
    const next = Math.min(a[i] ?? Infinity, b[j] ?? Infinity)
    visit(i / a.length - j / b.length, next === Infinity ? 0 : next - x)
    x = next
  }
}

/**
 * Kolmogorov–Smirnov statistic of two samples.
 *
 * @param a ascending, not empty
 * @param b ascending, not empty
 * @returns in [0, 1]. O(n + m) time.
 * @see Smirnov (1939)
 * @example ksStatistic([1, 2, 3], [2, 3, 4]) // => 0.3333333333
 */
export function ksStatistic(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0
  eachValue(a, b, (difference) => {
    largest = Math.max(largest, Math.abs(difference))
  })
  return largest
}

/**
 * Exact probability that two samples of one continuous distribution differ by `d` or more: the
 * share of lattice paths from (0, 0) to (n, m) that somewhere are as far from the diagonal.
 *
 * @param d the statistic, in [0, 1]
 * @returns in [0, 1], to about 1e-12 relative error however small. O(n · m) time.
 * @see Schröer & Trenkler (1995), Comput. Stat. Data Anal. 20, 185–202
 * @example ksExactPValue(1, 3, 3) // => 0.1
 */
export function ksExactPValue(d: number, n: number, m: number): number {
  // The statistic is a multiple of 1 / (n·m), up to rounding.
  const reach = Math.round(d * n * m) - 0.5
  if (reach < 0) return 1
  let row = new Float64Array(m + 1)
  for (let i = 0; i <= n; i++) {
    const next = new Float64Array(m + 1)
    for (let j = 0; j <= m; j++) {
      if (Math.abs(i * m - j * n) > reach) next[j] = 1
      else if (i + j > 0)
        next[j] = ((i > 0 ? i * row[j]! : 0) + (j > 0 ? j * next[j - 1]! : 0)) / (i + j)
    }
    row = next
  }
  return row[m]!
}

/**
 * First Wasserstein distance of two samples.
 *
 * @param a ascending, not empty
 * @param b ascending, not empty
 * @returns ≥ 0, in the unit of the values. O(n + m) time.
 * @see Vallender (1974), Theory Probab. Appl. 18(4), 784–786
 * @example wassersteinDistance([0, 1, 3], [5, 6, 8]) // => 5
 */
export function wassersteinDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let distance = 0
  eachValue(a, b, (difference, width) => {
    distance += Math.abs(difference) * width
  })
  return distance
}

/**
 * Energy distance of two samples, `√(2 ∫ (F − G)²)`.
 *
 * @param a ascending, not empty
 * @param b ascending, not empty
 * @returns ≥ 0. O(n + m) time.
 * @see Székely & Rizzo (2013), J. Stat. Plan. Inference 143, 1249–1272; scipy.stats.energy_distance
 * @example energyDistance([0], [2]) // => 2
 */
export function energyDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0
  eachValue(a, b, (difference, width) => {
    total += difference ** 2 * width
  })
  return Math.sqrt(2 * total)
}
