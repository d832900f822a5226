/** Events whose score of the positive class falls into one bin. */
export interface ScoreBin {
  /** Place among the equal parts of [0, 1]. */
  bin: number
  /** What the model predicted of them: the positive class or another. */
  asPositive: boolean
  n: number
  /** Labelled events of the positive class; 0 without ground truth. */
  positives: number
  /** Sum of their scores. */
  scores: number
}

/**
 * Expected calibration error over equal bins of the score: the mean distance of score and rate of
 * positives, weighted by events.
 *
 * @param bins of labelled events, of a grid of `parts` parts
 * @param groups how many bins to form of them; a divisor of `parts`
 * @returns value in [0, 1] and a standard error that takes the bins' directions as known; undefined
 *   without events. O(k) time.
 * @see Naeini, Cooper & Hauskrecht (2015), AAAI 29
 * @example expectedCalibrationError([{ bin: 90, asPositive: true, n: 10, positives: 8, scores: 9 }], 100, 10) // => { value: 0.1, standardError: 0.1264911064 }
 */
export function expectedCalibrationError(
  bins: readonly ScoreBin[],
  parts: number,
  groups: number,
): { value: number; standardError: number } | undefined {
  const total = bins.reduce((sum, { n }) => sum + n, 0)
  if (total === 0) return undefined
  let value = 0
  let variance = 0
  for (const members of Map.groupBy(bins, ({ bin }) =>
    Math.floor((bin * groups) / parts),
  ).values()) {
    const n = members.reduce((sum, member) => sum + member.n, 0)
    const rate = members.reduce((sum, member) => sum + member.positives, 0) / n
    const score = members.reduce((sum, member) => sum + member.scores, 0) / n
    value += (n / total) * Math.abs(score - rate)
    variance += (n / total) ** 2 * ((rate * (1 - rate)) / n)
  }
  return { value, standardError: Math.sqrt(variance) }
}

const STEPS = 50
/** Scores of 0 and 1 have no finite logit. */
const MIN_SCORE = 1e-6

/**
 * Logistic recalibration: the intercept and slope of the ground truth on the logit of the score. A
 * calibrated model has 0 and 1; a slope below 1 is too sure of itself.
 *
 * @param bins of labelled events; every bin stands for its mean score
 * @returns both with standard errors; undefined where they do not exist: one class, one score, or
 *   classes that the score separates. O(k) time a step.
 * @see Cox (1958), Biometrika 45, 562–565; Van Calster et al. (2019), BMC Med. 17, 230
 * @example calibrationLine([{ bin: 20, asPositive: false, n: 100, positives: 20, scores: 20 }, { bin: 80, asPositive: true, n: 100, positives: 80, scores: 80 }]) // => { intercept: 0, slope: 1, interceptError: 0.1767766953, slopeError: 0.1275174308 }
 */
export function calibrationLine(
  bins: readonly ScoreBin[],
): { intercept: number; slope: number; interceptError: number; slopeError: number } | undefined {
  const points = bins
    .filter(({ n }) => n > 0)
    .map(({ n, positives, scores }) => {
      const score = Math.min(1 - MIN_SCORE, Math.max(MIN_SCORE, scores / n))
      return { n, positives, x: Math.log(score / (1 - score)) }
    })
  let [intercept, slope] = [0, 1]
  for (let step = 0; step < STEPS; step++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0]
    for (const { n, positives, x } of points) {
      const p = 1 / (1 + Math.exp(-(intercept + slope * x)))
      const weight = n * p * (1 - p)
      g0 += positives - n * p
      g1 += x * (positives - n * p)
      h00 += weight
      h01 += weight * x
      h11 += weight * x * x
    }
    const determinant = h00 * h11 - h01 * h01
    if (!(determinant > 1e-9 * h00 * h11) || !Number.isFinite(determinant)) return undefined
    const da = (h11 * g0 - h01 * g1) / determinant
    const db = (h00 * g1 - h01 * g0) / determinant
    intercept += da
    slope += db
    if (Math.abs(da) + Math.abs(db) < 1e-10)
      return {
        intercept,
        slope,
        interceptError: Math.sqrt(h11 / determinant),
        slopeError: Math.sqrt(h00 / determinant),
      }
  }
  return undefined
}
