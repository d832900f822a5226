import { studentQuantile } from '../distributions/student-t.ts'
import { momentsOf } from '../samples/moments.ts'

/** What one more value of a normal sample is expected to be. */
export interface Prediction {
  /** Mean of the sample. */
  value: number
  low: number
  high: number
}

/** How the next value differs from those of the sample. */
export interface NextValue {
  /** Its variance over that of the sample's, > 0; 1 unless given. */
  inflation?: number
  /** What it varies by at least, in the square of the unit; 0 unless given. */
  minVariance?: number
}

/**
 * Student's prediction interval for one more value of a normal sample with unknown mean and
 * variance: mean ± t · √(max(inflation · s², minVariance) + s²/n), t of n − 1 degrees of freedom.
 *
 * @param values of the sample, finite
 * @param level coverage in (0, 1), such as 0.95
 * @returns undefined for fewer than two values. O(n) time.
 * @throws {RangeError} when level is outside (0, 1)
 * @see Hahn and Meeker (1991), Statistical Intervals, section 4.7
 * @example predictionInterval([1, 2, 3], 0.95) // => { value: 2, low: -2.9682754235, high: 6.9682754235 }
 */
export function predictionInterval(
  values: readonly number[],
  level: number,
  { inflation = 1, minVariance = 0 }: NextValue = {},
): Prediction | undefined {
  if (!(level > 0 && level < 1)) throw new RangeError('predictionInterval requires level in (0, 1)')
  const n = values.length
  if (n < 2) return undefined
  const { mean, variance } = momentsOf(values)
  const ofNext = Math.max(inflation * variance, minVariance)
  const half = studentQuantile((1 + level) / 2, n - 1) * Math.sqrt(ofNext + variance / n)
  return { value: mean, low: mean - half, high: mean + half }
}
