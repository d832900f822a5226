/** What a window is told of while its baseline is being learned. Pure. */
import { isEvaluated, type MetricResult } from '../data/metric-results.ts'
import type { ReferenceData } from '../data/reference.ts'
import type { Learning } from '../data/window-input.ts'

/** How the reason of a result begins whose baseline is being learned. */
export const LEARNING = 'learning, window '

/** Such as `learning, window 3 of 8`; with how long it takes where that is long. */
export const learningReason = ({
  window,
  of,
  hint = '',
}: Pick<Learning, 'window' | 'of' | 'hint'>): string =>
  `${LEARNING}${window} of ${of}${hint === '' ? '' : `; ${hint}`}`

/**
 * Takes the verdict from a metric result that lacks a baseline, and says why; its value stays. Too
 * little data stays `incomplete`.
 */
export function whileLearning(result: MetricResult, learning: Learning | undefined): MetricResult {
  // Operations are evaluated by a whole baseline alone, or, as silence is, by none.
  if (result.family === 'operations') return result
  const lacksBaseline = isEvaluated(result) || result.reason === NO_REFERENCE
  if (!learning || !lacksBaseline) return result
  return { ...result, verdict: 'none', threshold: null, reason: learningReason(learning) }
}

/**
 * {@link whileLearning} of drift and data quality: what was tested by the noise between shorter
 * windows keeps its verdict, and says so.
 */
export function whileLearningDrift(
  result: MetricResult,
  learning: Learning | undefined,
  { shorter }: Pick<ReferenceData, 'shorter'>,
): MetricResult {
  if (!learning || !shorter || result.p_adjusted === null) return whileLearning(result, learning)
  if (!isEvaluated(result)) return result
  const noise = `by the noise between ${shorter.windows.windows.length} windows of ${shorter.size}, while the baseline is learned (window ${learning.window} of ${learning.of})`
  return { ...result, reason: `${result.reason}; ${noise}` }
}

/**
 * While production's own windows are learned, its performance is compared with that of the table it
 * was trained on, where that one has labels.
 */
export function withTable(
  learning: Learning | undefined,
  references: readonly ReferenceData[],
): Learning | undefined {
  const table = references.find(({ isTrainedOn }) => isTrainedOn)
  return learning && !learning.before && (table?.outcomes?.labelled ?? 0) > 0
    ? { ...learning, before: { ...table!, baseline: true } }
    : learning
}

/** Why a metric of a window that the baseline is made of has no verdict. */
export const PART_OF_REFERENCE = 'part of the reference'

/** Why a metric that has no baseline has no verdict. */
export const NO_REFERENCE = 'no reference'
