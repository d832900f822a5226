/**
 * Standard error of a statistic of multinomial counts, by the delta method with numeric derivatives
 * (the infinitesimal jackknife): sqrt(sum n_i d_i^2 - (sum n_i d_i)^2 / n), d_i the derivative by
 * the i-th count.
 *
 * @param statistic of counts, smooth near the given ones; must not keep the array
 * @param counts each ≥ 0
 * @returns ≥ 0; 0 for no counts at all. O(k) evaluations of the statistic
 * @see Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6
 * @example countsStandardError(([a, b]) => a / (a + b), [8, 2]) // => 0.1264911064
 */
export function countsStandardError(
  statistic: (counts: readonly number[]) => number,
  counts: readonly number[],
): number {
  const n = counts.reduce((sum, count) => sum + count, 0)
  if (n === 0) return 0
  const step = 1e-5 * n
  let squares = 0
  let sum = 0
  counts.forEach((count, i) => {
    if (count === 0) return
    const at = (change: number) =>
      statistic(counts.map((other, j) => (j === i ? other + change : other)))
    const derivative = (at(step) - at(-Math.min(step, count))) / (step + Math.min(step, count))
    squares += count * derivative ** 2
    sum += count * derivative
  })
  return Math.sqrt(Math.max(0, squares - sum ** 2 / n))
}
