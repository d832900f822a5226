import { wilson, type Interval } from '../intervals/proportions.ts'

/** Sums over n cases with weights w > 0 and values x. */
export interface WeightedSums {
  /** Cases, ≥ 1. */
  n: number
  /** Σw */
  weight: number
  /** Σw² */
  squares: number
  /** Σwx */
  total: number
  /** Σw²x */
  squaredTotal: number
  /** Σw²x² */
  squaredSquares: number
}

/** A mean that was estimated from a sample. */
export interface RatioEstimate {
  mean: number
  standardError: number
  /** Kish's number of independent cases that the weights leave: (Σw)² / Σw². */
  effective: number
  /** How many cases of a share have this standard error, as Wilson's interval takes them. */
  wilsonSize: number
}

/**
 * Hájek's estimate of a mean, Σwx / Σw, where a case that was drawn with probability π weighs w =
 * 1/π. Its standard error is that of the linearised ratio, √(Σw²(x − mean)²) / Σw, with n − 1 in
 * place of n, so that with equal weights it is that of a mean. It holds where weights and values
 * hang together, which Kish's number does not see.
 *
 * @returns `wilsonSize` is Kish's number where the standard error is 0
 * @see Hájek (1971), in: Foundations of Statistical Inference; Särndal, Swensson, Wretman (1992),
 *   section 5.7
 * @example ratioEstimate({ n: 3, weight: 5, squares: 9, total: 9, squaredTotal: 17, squaredSquares: 41 }) // => { mean: 1.8, standardError: 0.7332121112, effective: 2.7777777778, wilsonSize: 2.7777777778 }
 */
export function ratioEstimate(sums: WeightedSums): RatioEstimate {
  const { n, weight, squares, total, squaredTotal, squaredSquares } = sums
  const mean = total / weight
  const rest = Math.max(0, squaredSquares - 2 * mean * squaredTotal + mean ** 2 * squares)
  const variance = rest / weight ** 2
  const effective = weight ** 2 / squares
  const ofShare = (mean * (1 - mean)) / variance
  return {
    mean,
    standardError: n > 1 ? Math.sqrt((variance * n) / (n - 1)) : NaN,
    effective,
    wilsonSize: variance > 0 && ofShare > 0 ? ofShare : effective,
  }
}

/** Wilson's interval of an estimated share, as wide as its standard error tells. */
export const shareInterval = (
  { mean, wilsonSize }: Pick<RatioEstimate, 'mean' | 'wilsonSize'>,
  level: number,
): Interval => wilson(mean * wilsonSize, wilsonSize, level)
