/** What another policy would have earned, told from what was logged while one explored. */

/** One logged action with its reward. */
export interface LoggedReward {
  reward: number
  /** Probability with which the logged action was chosen, in (0, 1]. */
  propensity: number
  /** Whether the policy that is valued chooses the logged action too. */
  agrees: boolean
  /**
   * What the valued policy's action is expected to earn here, by a model that has not seen this
   * reward. Any number keeps the doubly robust estimate unbiased; a good one makes it narrow.
   */
  expected: number
}

/** A mean and its standard error. */
export interface Estimate {
  value: number
  standardError: number
}

/** What a policy is worth per decision. */
export interface PolicyValue {
  /** Inverse propensity scores: Σ w r / n. */
  ips: Estimate
  /** IPS divided by Σ w: biased by O(1 / n), and narrower. */
  snips: Estimate
  /** Doubly robust: Σ (expected + w (r − expected)) / n. */
  dr: Estimate
  /** Mean of the weights; 1 but for chance where the propensities are right. */
  meanWeight: Estimate
  /** Independent rewards that the weighted ones are worth, (Σ w)² / Σ w². */
  effective: number
}

/**
 * Values a policy from the log of another one; w is 1 / propensity where both agree, else 0.
 *
 * @param rows n ≥ 2 decisions of the logging policy, whose propensity is above 0 wherever the valued
 *   policy might act
 * @returns NaN for what no agreement tells
 * @see Horvitz and Thompson (1952), JASA 47, 663–685; Swaminathan and Joachims (2015), NeurIPS;
 *   Dudík, Langford and Li (2011), ICML
 * @example policyValue([{ reward: 1, propensity: 0.5, agrees: true, expected: 0 }, { reward: 1, propensity: 0.5, agrees: false, expected: 0 }]).ips.value // => 1
 */
export function policyValue(rows: readonly LoggedReward[]): PolicyValue {
  const weights = rows.map(({ agrees, propensity }) => (agrees ? 1 / propensity : 0))
  const total = weights.reduce((sum, w) => sum + w, 0)
  const squares = weights.reduce((sum, w) => sum + w * w, 0)
  const meanWeight = total / rows.length
  const snips = rows.reduce((sum, { reward }, i) => sum + weights[i]! * reward, 0) / total
  return {
    ips: meanOf(rows.map(({ reward }, i) => weights[i]! * reward)),
    snips: {
      value: snips,
      // The delta method for a ratio of means.
      standardError: meanOf(
        rows.map(({ reward }, i) => (weights[i]! * (reward - snips)) / meanWeight),
      ).standardError,
    },
    dr: meanOf(doublyRobust(rows)),
    meanWeight: meanOf(weights),
    effective: squares > 0 ? total ** 2 / squares : 0,
  }
}

/**
 * The single terms whose mean is the doubly robust estimate: those of two policies over the same
 * rows, subtracted, give the interval of their difference.
 */
export const doublyRobust = (rows: readonly LoggedReward[]): number[] =>
  rows.map(({ reward, propensity, agrees, expected }) =>
    agrees ? expected + (reward - expected) / propensity : expected,
  )

/** The mean of some numbers, with its standard error. */
export function meanOf(values: readonly number[]): Estimate {
  const n = values.length
  const value = values.reduce((sum, x) => sum + x, 0) / n
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (n - 1)
  return { value, standardError: Math.sqrt(variance / n) }
}
