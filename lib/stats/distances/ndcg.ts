/**
 * Normalised discounted cumulative gain of one ranking of features by another: 1 where the features
 * are ranked as the baseline ranks them, lower the further a feature that mattered has fallen.
 * Equal scores share the mean of their gains.
 *
 * Σ gain(i) / log2(i + 1) over the ranking by `scores`, divided by the same over the best ranking.
 *
 * @param gains what each item is worth, ≥ 0, not all 0
 * @param scores by which the items are ranked, as many
 * @returns in (0, 1]; NaN where nothing is worth anything
 * @see Järvelin and Kekäläinen (2002), ACM TOIS 20, 422–446; Amazon SageMaker Clarify and Azure
 *   Machine Learning rank feature attributions by it
 * @example ndcg([3, 2, 1], [0.1, 0.5, 0.4]) // => 0.8675034926
 */
export function ndcg(gains: readonly number[], scores: readonly number[]): number {
  return discounted(gains, scores) / discounted(gains, gains)
}

function discounted(gains: readonly number[], scores: readonly number[]): number {
  const order = gains.map((_, i) => i).toSorted((a, b) => scores[b]! - scores[a]!)
  let total = 0
  for (let from = 0; from < order.length;) {
    let to = from
    let [gain, discount] = [0, 0]
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) {
      gain += gains[order[to]!]!
      discount += 1 / Math.log2(to + 2)
      to++
    }
    total += (gain / (to - from)) * discount
    from = to
  }
  return total
}
