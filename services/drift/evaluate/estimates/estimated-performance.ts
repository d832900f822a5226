/**
 * What performance is thought to be while truth is missing, late, or known of a choice of
 * predictions only. Pure.
 */
import type { ScoreCounts } from '../../data/reference.ts'
import {
  calibrationLine,
  expectedCalibrationError,
  type ScoreBin,
} from '../../../../lib/stats/estimators/calibration.ts'
import { normalInterval } from '../../../../lib/stats/intervals/normal-interval.ts'
import {
  calibratedRates,
  estimatedAccuracy,
  estimatedAuc,
  estimatedRates,
  expectedCells,
  poststratifiedAccuracy,
} from '../../../../lib/stats/estimators/confidence-estimate.ts'
import type { BusinessValue } from '../../../../schemas/model.ts'
import { wilson } from '../../../../lib/stats/intervals/proportions.ts'
import { improbableReason, MAX_IMPROBABLE } from '../thresholds.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'

/** Parts of [0, 1] by which scores are counted. */
export const SCORE_PARTS = 100
/** Parts of the score that are shown by themselves. */
const SCORE_GROUPS = 10
const CELL_WIDTH = 5
const CI_LEVEL = 0.95
/** Share of predictions in cells without labels above which the correction is incomplete. */
const MAX_GAP = 0.05

/** @param pastErrors of earlier windows, estimate minus what came true */
export function evaluateEstimates(
  current: ScoreCounts,
  reference: ScoreCounts | undefined,
  referenceName: string,
  pastErrors: readonly number[],
  worth?: BusinessValue,
): MetricResult[] {
  if (current.improbable > MAX_IMPROBABLE)
    return [...CALIBRATION, 'estimated_accuracy'].map((metric) =>
      metricResult('performance', '', metric, null, {
        ...(metric === 'estimated_accuracy' && { method: 'cbpe', reference: referenceName }),
        verdict: 'incomplete',
        reason: improbableReason(current.improbable),
      }),
    )
  const isLearned = reference !== undefined && reference.improbable <= MAX_IMPROBABLE
  const method = (current.drawn ?? 0) > 0 ? ('weighted' as const) : ('observed' as const)
  return [
    ...calibration(current.labelled).map((result) => ({ ...result, method })),
    ...poststratified(current),
    ...(isLearned ? estimated(current, reference, { name: referenceName, pastErrors, worth }) : []),
  ]
}

/** What says whether scores mean what they say. */
const CALIBRATION = ['ece', 'calibration_slope', 'calibration_intercept']

const count = (bins: readonly ScoreBin[]) => bins.reduce((sum, { n }) => sum + n, 0)

function intervalOf(value: number, standardError: number, low = -Infinity, high = Infinity) {
  const interval = normalInterval(value, standardError, CI_LEVEL)
  return {
    ci_low: Math.max(low, interval.low),
    ci_high: Math.min(high, interval.high),
    ci_level: CI_LEVEL,
  }
}

function calibration(labelled: readonly ScoreBin[]): MetricResult[] {
  const sizes = { n_current: count(labelled), n_labelled: count(labelled) }
  const ece = expectedCalibrationError(labelled, SCORE_PARTS, SCORE_GROUPS)
  const line = calibrationLine(labelled)
  const of = (metric: string, value: number, standardError: number, least = -Infinity) =>
    metricResult('performance', '', metric, value, {
      ...sizes,
      precision: 'bounded',
      ...intervalOf(value, standardError, least),
    })
  return [
    ...(ece ? [of('ece', ece.value, ece.standardError, 0)] : []),
    ...(line
      ? [
          of('calibration_slope', line.slope, line.slopeError),
          of('calibration_intercept', line.intercept, line.interceptError),
        ]
      : labelled.length > 0
        ? ['calibration_slope', 'calibration_intercept'].map((metric) =>
            metricResult('performance', '', metric, null, {
              ...sizes,
              verdict: 'incomplete',
              reason: lineless(labelled),
            }),
          )
        : []),
    ...residuals(labelled),
  ]
}

/** Why a logistic line has no slope. */
function lineless(labelled: readonly ScoreBin[]): string {
  const positives = labelled.reduce((sum, bin) => sum + bin.positives, 0)
  if (positives === 0 || positives === count(labelled)) return 'all labels are of one class'
  const means = new Set(labelled.map(({ n, scores }) => scores / n))
  return means.size === 1 ? 'all scores are equal' : 'the score separates the classes'
}

/** Finds, by part of the score, how much more often the positive class came true than was said. */
function residuals(labelled: readonly ScoreBin[]): MetricResult[] {
  const width = SCORE_PARTS / SCORE_GROUPS
  return [...Map.groupBy(labelled, ({ bin }) => Math.floor(bin / width))]
    .toSorted(([a], [b]) => a - b)
    .map(([group, bins]) => {
      const n = count(bins)
      const positives = bins.reduce((sum, bin) => sum + bin.positives, 0)
      const score = bins.reduce((sum, bin) => sum + bin.scores, 0) / n
      const rate = wilson(positives, n, CI_LEVEL)
      const end = (part: number) => (part / SCORE_GROUPS).toFixed(1)
      return metricResult(
        'performance',
        `score=${end(group)}-${end(group + 1)}`,
        'calibration_residual',
        positives / n - score,
        {
          n_current: n,
          n_labelled: n,
          ci_low: rate.low - score,
          ci_high: rate.high - score,
          ci_level: CI_LEVEL,
        },
      )
    })
}

function poststratified({ predicted, labelled }: ScoreCounts): MetricResult[] {
  const found = poststratifiedAccuracy(predicted, labelled, CELL_WIDTH)
  if (!found) return []
  const sizes = { n_current: count(predicted), n_labelled: count(labelled) }
  const isPartial = found.gap > MAX_GAP
  return [
    metricResult('performance', '', 'coverage_gap', found.gap, {
      ...sizes,
      reason: 'share of predictions with a score and class of which no label is known',
    }),
    metricResult('performance', '', 'accuracy', isPartial ? null : found.value, {
      ...sizes,
      method: 'poststratified',
      precision: found.gap > 0 ? 'bounded' : 'exact',
      bound_low: found.low,
      bound_high: found.high,
      ...(isPartial
        ? {
            verdict: 'incomplete' as const,
            reason: `no label in cells of ${(100 * found.gap).toFixed(1)} % of the predictions`,
          }
        : intervalOf(found.value, found.standardError, 0, 1)),
    }),
  ]
}

const IF_CALIBRATED = 'if the scores mean what they meant in the reference'

interface EstimateRules {
  /** Name of the reference. */
  name: string
  pastErrors: readonly number[]
  worth: BusinessValue | undefined
}

/**
 * Estimates of what the confusion matrix gives; `scale` is how much an error of the accuracy moves
 * each at most.
 */
function ofCells(
  predicted: readonly ScoreBin[],
  rates: readonly number[],
  worth: BusinessValue | undefined,
) {
  const cells = expectedCells(predicted, rates)
  const n = count(predicted)
  const rateOf = Object.entries(estimatedRates(cells)).map(([metric, estimate]) => {
    const { tp, fp, fn } = cells
    const divisor =
      metric === 'precision' ? tp + fp : metric === 'recall' ? tp + fn : tp + (fp + fn) / 2
    return {
      metric: `estimated_${metric}`,
      ...estimate,
      bounds: { low: 0, high: 1, scale: n / divisor },
    }
  })
  if (!worth) return rateOf
  const { tp, fp, fn, tn, ofPredicted, ofOthers } = cells
  const value = (tp * worth.tp + fp * worth.fp + fn * worth.fn + tn * worth.tn) / n
  const [chosen, others] = [worth.tp - worth.fp, worth.fn - worth.tn]
  const standardError = Math.sqrt(chosen ** 2 * ofPredicted + others ** 2 * ofOthers) / n
  const scale = Math.max(Math.abs(chosen), Math.abs(others))
  return [
    ...rateOf,
    {
      metric: 'estimated_business_value',
      value,
      standardError,
      bounds: { low: -Infinity, high: Infinity, scale },
    },
  ]
}

function estimated(
  current: ScoreCounts,
  reference: ScoreCounts,
  { name, pastErrors, worth }: EstimateRules,
): MetricResult[] {
  const rates = calibratedRates(reference.labelled, SCORE_PARTS)
  const accuracy = rates && estimatedAccuracy(current.predicted, rates)
  if (!rates || !accuracy) return []
  const auc = estimatedAuc(current.predicted, rates)
  const past = Math.sqrt(
    pastErrors.reduce((sum, error) => sum + error * error, 0) / Math.max(1, pastErrors.length),
  )
  const more = {
    method: 'cbpe' as const,
    n_current: count(current.predicted),
    n_reference: count(reference.labelled),
    reference: name,
  }
  const right = current.labelled.reduce(
    (sum, { asPositive, n, positives }) => sum + (asPositive ? positives : n - positives),
    0,
  )
  // Both sides are of the same events, so that the error is the estimate's alone.
  const ofLabelled = estimatedAccuracy(current.labelled, rates)
  return [
    metricResult('performance', '', 'estimated_accuracy', accuracy.value, {
      ...more,
      ...intervalOf(accuracy.value, Math.hypot(accuracy.standardError, past), 0, 1),
      reason: IF_CALIBRATED,
    }),
    ...ofCells(current.predicted, rates, worth).map(({ metric, value, standardError, bounds }) =>
      metricResult('performance', '', metric, value, {
        ...more,
        ...intervalOf(
          value,
          Math.hypot(standardError, bounds.scale * past),
          bounds.low,
          bounds.high,
        ),
        reason: IF_CALIBRATED,
      }),
    ),
    ...(auc === undefined
      ? []
      : [
          metricResult('performance', '', 'estimated_roc_auc', auc, {
            ...more,
            precision: 'bounded',
          }),
        ]),
    ...(ofLabelled
      ? [
          metricResult(
            'performance',
            '',
            'estimate_error',
            ofLabelled.value - right / count(current.labelled),
            { ...more, n_labelled: count(current.labelled) },
          ),
        ]
      : []),
  ]
}
