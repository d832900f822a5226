import { normalQuantile } from '../distributions/normal-quantile.ts'
import type { Interval } from './proportions.ts'

/**
 * Logit interval of an average precision (area under the precision-recall curve): holds its level
 * better than binomial or normal ones and never leaves [0, 1].
 *
 * @param value in [0, 1]
 * @param positives ≥ 1
 * @param confidence in (0, 1)
 * @returns within [0, 1]; at 0 and 1, where the logit is infinite, half a case is taken off or
 *   added
 * @see Boyd, Eng & Page (2013), Area Under the Precision-Recall Curve: Point Estimates and
 *   Confidence Intervals, ECML PKDD
 * @example averagePrecisionInterval(0.7, 50, 0.95) // => { low: 0.5603148224, high: 0.8103300039 }
 */
export function averagePrecisionInterval(
  value: number,
  positives: number,
  confidence: number,
): Interval {
  const edge = 0.5 / positives
  const p = Math.min(1 - edge / 2, Math.max(edge / 2, value))
  const logit = Math.log(p / (1 - p))
  const half = normalQuantile((1 + confidence) / 2) / Math.sqrt(positives * p * (1 - p))
  const back = (x: number) => 1 / (1 + Math.exp(-x))
  return { low: Math.min(value, back(logit - half)), high: Math.max(value, back(logit + half)) }
}
