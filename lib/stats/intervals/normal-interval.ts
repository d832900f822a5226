import { normalQuantile } from '../distributions/normal-quantile.ts'

/**
 * Standard error of the area under the ROC curve by Hanley and McNeil's formula.
 *
 * @param auc in [0, 1]
 * @param positives ≥ 1
 * @param negatives ≥ 1
 * @returns ≥ 0
 * @see Hanley & McNeil (1982), Radiology 143, 29–36
 * @example aucStandardError(0.8, 50, 50) // => 0.0445021847
 */
export function aucStandardError(auc: number, positives: number, negatives: number): number {
  const q1 = auc / (2 - auc)
  const q2 = (2 * auc * auc) / (1 + auc)
  const variance =
    (auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)) /
    (positives * negatives)
  return Math.sqrt(Math.max(0, variance))
}

/**
 * Interval of a mean, or of anything else with a known standard error, by the normal approximation.
 *
 * @param confidence in (0, 1)
 * @example normalInterval(10, 1, 0.95) // => { low: 8.0400360155, high: 11.9599639845 }
 */
export function normalInterval(
  value: number,
  standardError: number,
  confidence: number,
): { low: number; high: number } {
  const half = normalQuantile((1 + confidence) / 2) * standardError
  return { low: value - half, high: value + half }
}
