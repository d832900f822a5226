/**
 * Fleiss' kappa of several raters: how much more often two answers about one item agree than two of
 * any items.
 *
 * @param counts by item how many said each category; every item has the same number of answers, ≥ 2
 * @returns null without items, or where all answers are one category
 * @throws {RangeError} where items have different numbers of answers, or fewer than two
 * @see Fleiss (1971), Psychological Bulletin 76, 378–382
 * @example fleissKappa([[3, 0], [0, 3], [2, 1]]) // => 0.55
 */
export function fleissKappa(counts: readonly (readonly number[])[]): number | null {
  if (counts.length === 0) return null
  const sums = counts.map((item) => item.reduce((a, b) => a + b, 0))
  const raters = sums[0]!
  if (raters < 2 || sums.some((sum) => sum !== raters))
    throw new RangeError(
      'fleissKappa requires the same number of answers, at least 2, of each item',
    )
  const shares = counts[0]!.map(
    (_, c) => counts.reduce((sum, item) => sum + item[c]!, 0) / (raters * counts.length),
  )
  const expected = shares.reduce((sum, share) => sum + share ** 2, 0)
  if (1 - expected < 1e-12) return null
  const pairs = counts.reduce((sum, item) => sum + item.reduce((a, n) => a + n * (n - 1), 0), 0)
  const observed = pairs / (raters * (raters - 1) * counts.length)
  return (observed - expected) / (1 - expected)
}
