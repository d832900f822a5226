/**
 * How wrong a regression is thought to be while truth is missing: its absolute error, learned from
 * the reference's rows by their features and the prediction (direct loss estimation). Blind to
 * concept drift, as every estimate without truth. Pure.
 */
import type { ScoredRow, LossModel } from '../../data/reference.ts'
import { normalInterval } from '../../../../lib/stats/intervals/normal-interval.ts'
import { growForest, type ForestOptions } from '../../../../lib/stats/estimators/forest.ts'
import { momentsOf } from '../../../../lib/stats/samples/moments.ts'
import { uniforms } from '../../../../lib/stats/distributions/random.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import { featureMatrix } from '../../data/feature-matrix.ts'

/** Rows that are drawn of a window, and of a reference. */
export const MAX_SCORED_ROWS = 2000
/** Of fewer rows nothing is learned. */
const MIN_SCORED_ROWS = 100
const FOREST: Omit<ForestOptions, 'uniform'> = { trees: 50, depth: 10, leastLeaf: 10 }
const FOLDS = 2
const SEED = 1
const CI_LEVEL = 0.95

/** @returns undefined where too few rows have a truth */
export function lossModel(reference: readonly ScoredRow[]): LossModel | undefined {
  const known = reference.filter((scored) => scored.loss !== null)
  if (known.length < MIN_SCORED_ROWS) return undefined
  const matrix = featureMatrix(known.map(({ features }) => features))
  const rowOf = ({ features, prediction }: ScoredRow) =>
    Float64Array.of(prediction, ...matrix.rowOf(features))
  const learn = (from: readonly ScoredRow[]) => {
    const losses = from.map(({ loss }) => loss!)
    const forest = growForest(from.map(rowOf), losses, { ...FOREST, uniform: uniforms(SEED) })
    return (scored: ScoredRow) => forest.of(rowOf(scored))
  }
  const residuals = Array.from({ length: FOLDS }, (_, fold) => {
    const inside = learn(known.filter((__, i) => i % FOLDS !== fold))
    return known
      .filter((__, i) => i % FOLDS === fold)
      .map((scored) => scored.loss! - inside(scored))
  }).flat()
  return { of: learn(known), n: known.length, residual: Math.sqrt(momentsOf(residuals).variance) }
}

/** @param pastErrors of earlier windows, estimate minus what came true */
export function evaluateLosses(
  current: readonly ScoredRow[],
  model: LossModel,
  reference: string,
  pastErrors: readonly number[],
): MetricResult[] {
  if (current.length === 0) return []
  const meanOf = (scoredRows: readonly ScoredRow[], of: (scored: ScoredRow) => number) =>
    momentsOf(scoredRows.map(of)).mean
  const value = meanOf(current, model.of)
  const past = Math.sqrt(momentsOf(pastErrors.map((error) => error ** 2)).mean || 0)
  const standardError = model.residual * Math.sqrt(1 / current.length + 1 / model.n)
  const { low, high } = normalInterval(value, Math.hypot(standardError, past), CI_LEVEL)
  const more = {
    method: 'dle' as const,
    n_current: current.length,
    n_reference: model.n,
    reference,
  }
  const labelled = current.filter(({ loss }) => loss !== null)
  return [
    metricResult('performance', '', 'estimated_mae', value, {
      ...more,
      ci_low: Math.max(0, low),
      ci_high: high,
      ci_level: CI_LEVEL,
      reason: 'if errors depend on features and predictions as they did in the reference',
    }),
    // Of the same events, so that the error is the estimate's alone.
    ...(labelled.length === 0
      ? []
      : [
          metricResult(
            'performance',
            '',
            'estimate_error',
            meanOf(labelled, model.of) - meanOf(labelled, ({ loss }) => loss!),
            { ...more, n_current: labelled.length, n_labelled: labelled.length },
          ),
        ]),
  ]
}
