/**
 * The nondecreasing values nearest to given ones (least weighted squares), by pooling adjacent
 * violators.
 *
 * @param values length k
 * @param weights > 0, length k
 * @returns k values, nondecreasing. O(k) time.
 * @see Ayer et al. (1955); Barlow et al. (1972), Statistical Inference under Order Restrictions
 * @example isotonic([1, 3, 2, 4], [1, 1, 1, 1]) // => [1, 2.5, 2.5, 4]
 */
export function isotonic(values: readonly number[], weights: readonly number[]): number[] {
  const blocks: { mean: number; weight: number; size: number }[] = []
  values.forEach((value, i) => {
    let block = { mean: value, weight: weights[i]!, size: 1 }
    for (let last = blocks.at(-1); last && last.mean >= block.mean; last = blocks.at(-1)) {
      blocks.pop()
      const weight = last.weight + block.weight
      block = {
        mean: (last.mean * last.weight + block.mean * block.weight) / weight,
        weight,
        size: last.size + block.size,
      }
    }
    blocks.push(block)
  })
  return blocks.flatMap(({ mean, size }) => Array.from({ length: size }, () => mean))
}
