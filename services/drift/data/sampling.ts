/**
 * Counts of a sampled stream: an event that was drawn with probability f stands for 1/f events.
 * Pure.
 */
import { scaledCategories } from '../../../lib/sink/counts/category-counts.ts'
import type { WindowCounts } from './window-data.ts'

/** Sums over events: of what each stands for, and of its square. */
export interface Weights {
  weight: number
  squares: number
}

/** SQL for how many events one of `predictions` or of their outcomes stands for. */
export const STANDS_FOR = '1 / ifNull(sampling_fraction, 1)'

/**
 * Inclusion probabilities below this count as it: no single label may outweigh all others beyond
 * what numbers hold.
 */
const MIN_INCLUSION_PROBABILITY = 1e-6

/**
 * SQL for how many predictions a labelled outcome stands for. A label that was drawn for review
 * with probability π stands for 1/π predictions; one that carries no probability stands for its
 * own.
 *
 * @see Horvitz and Thompson (1952), J. Am. Stat. Assoc. 47, 663–685; ratios of such sums are
 *   Hájek's estimator
 */
export const LABEL_STANDS_FOR = `${STANDS_FOR} / greatest(ifNull(inclusion_probability, 1), ${MIN_INCLUSION_PROBABILITY})`

type Counts = Pick<WindowCounts, 'numeric' | 'categories' | 'empty' | 'leavesFeaturesOut'>

/**
 * How much of its weight an event is worth, so that together they weigh Kish's effective number; 1
 * where nothing was sampled.
 */
export const kishFactor = ({ weight, squares }: Weights): number =>
  squares > 0 ? weight / squares : 1

/**
 * Weighted counts, brought to as many as they are worth: Kish's effective number, (Σw)² / Σw².
 * Shares are then those of the stream before it was sampled, and whatever is made of the counts has
 * the uncertainty of so many independent events.
 *
 * @param counts sums of weights
 * @returns the same counts where nothing was sampled
 * @see Kish (1965), Survey Sampling, section 11.7
 */
export function effectiveCounts(
  counts: Counts,
  { weight, squares }: Weights,
): Counts & { effective: number; weight: number } {
  const factor = kishFactor({ weight, squares })
  return { ...scaledCounts(counts, factor), effective: weight * factor, weight }
}

/** Counts that are multiplied, such as by what one event is worth; `factor` > 0. */
export function scaledCounts<T extends Counts>(counts: T, factor: number): T {
  if (factor === 1) return counts
  const scale = (values: readonly number[]) => values.map((value) => value * factor)
  return {
    ...counts,
    numeric: new Map(
      [...counts.numeric].map(([name, sample]) => [
        name,
        { ...sample, counts: scale(sample.counts), totals: scale(sample.totals) },
      ]),
    ),
    categories: new Map(
      [...counts.categories].map(([name, own]) => [name, scaledCategories(own, factor)]),
    ),
  }
}
