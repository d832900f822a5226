/**
 * Whether the labels that came are those that would have come in the baseline. Where a label's delay
 * depends on what it says, the first ones are a choice: mistakes that are told late leave an accuracy
 * that is too high. Pure.
 */
import { newcombe } from '../../../../lib/stats/intervals/proportions.ts'
import type { OutcomeCounts } from '../../data/window-data.ts'
import { PERFORMANCE_FALL } from '../thresholds.ts'
import type { Measure } from './measure.ts'

/** Fewer labels than in the baseline by more than this share of the predictions are a choice. */
const COVERAGE_FALL = 0.05
/** Level of the interval that must lie beyond it. */
const LEVEL = 0.99
/** Labels that take so many times as long, or come in as small a part of the time, are others. */
const DELAY_FACTOR = 3
/** Where so many of the predictions are labelled, their delays no longer choose. */
const ENOUGH = 0.95

/** Labels of a window beside those of its baseline. */
export interface CoverageFault {
  reason: string
  /** Share of the labels that the baseline had which is here; in (0, 1]. */
  share: number
}

/**
 * Why labels of a window are not those that its baseline's would be; undefined where they may be.
 * Labels that were drawn with a known probability are no choice.
 */
export function coverageFault(
  current: OutcomeCounts,
  reference: OutcomeCounts | undefined,
): CoverageFault | undefined {
  if (!reference || current.labelled === 0 || current.drawn === current.labelled) return undefined
  const [now, before] = [current, reference].map(
    ({ labelled, predictions }) => labelled / Math.max(1, predictions),
  ) as [number, number]
  if (!(before > 0)) return undefined
  const share = Math.min(1, now / before)
  const fall = newcombe(countsOf(reference), countsOf(current), LEVEL)
  if (now < before && fall.low > COVERAGE_FALL)
    return {
      share,
      reason: `${percent(now)} of the predictions are labelled, ${percent(before)} of the baseline's: labels that are still to come may say something else`,
    }
  const [delay, usual] = [current.delayP50Seconds, reference.delayP50Seconds]
  if (now >= ENOUGH || delay === null || usual === null || !(usual > 0)) return undefined
  return delay * DELAY_FACTOR < usual || delay > usual * DELAY_FACTOR
    ? {
        share,
        reason: `half of the labels came within ${short(delay)} s, ${short(usual)} s in the baseline, and ${percent(1 - now)} of the predictions have none`,
      }
    : undefined
}

const countsOf = ({ labelled, predictions }: OutcomeCounts) => ({
  successes: Math.min(labelled, predictions),
  n: Math.max(1, predictions),
})
const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const short = (x: number) => String(Number(x.toPrecision(3)))

/**
 * Between which values a share of all labels lies once as many have come as the baseline had: all
 * of the others right, or none (Manski 1990). Undefined for what is no share of all labels.
 */
export function coverageBounds(
  { metric, value, n }: Measure,
  { share }: CoverageFault,
  labelled: number,
): { low: number; high: number } | undefined {
  if (metric !== 'accuracy' || n !== labelled) return undefined
  return { low: share * value, high: share * value + (1 - share) }
}

/** Whether even the best of what is still to come leaves a fall that matters. */
export const isSureFall = (bounds: { high: number } | undefined, baseline: number | undefined) =>
  bounds !== undefined && baseline !== undefined && bounds.high < baseline - PERFORMANCE_FALL
