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
/** Scored rows that a loss is learned from at least. */
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
  const learn = (from: readonly ScoredRow[], lossOf: (loss: number) => number) => {
    const losses = from.map(({ loss }) => lossOf(loss!))
    const forest = growForest(from.map(rowOf), losses, { ...FOREST, uniform: uniforms(SEED) })
    return (scored: ScoredRow) => forest.of(rowOf(scored))
  }
  const learnt = (lossOf: (loss: number) => number) => {
    const residuals = Array.from({ length: FOLDS }, (_, fold) => {
      const inside = learn(
        known.filter((__, i) => i % FOLDS !== fold),
        lossOf,
      )
      return known
        .filter((__, i) => i % FOLDS === fold)
        .map((scored) => lossOf(scored.loss!) - inside(scored))
    }).flat()
    return { of: learn(known, lossOf), residual: Math.sqrt(momentsOf(residuals).variance) }
  }
  return { ...learnt((loss) => loss), squared: learnt((loss) => loss ** 2), n: known.length }
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
    squaredResult(current, model, past, more),
    // Both sides are of the same events, so that the error is the estimate's alone.
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

/** The root of the mean squared error; its interval is that of the mean, by the delta method. */
function squaredResult(
  current: readonly ScoredRow[],
  { squared, n }: LossModel,
  past: number,
  more: Partial<MetricResult>,
): MetricResult {
  const value = Math.sqrt(Math.max(0, momentsOf(current.map(squared.of)).mean))
  const standardError = squared.residual * Math.sqrt(1 / current.length + 1 / n)
  const { low, high } = normalInterval(
    value,
    Math.hypot(value > 0 ? standardError / (2 * value) : 0, past),
    CI_LEVEL,
  )
  return metricResult('performance', '', 'estimated_rmse', value, {
    ...more,
    ci_low: Math.max(0, low),
    ci_high: high,
    ci_level: CI_LEVEL,
    reason: 'if errors depend on features and predictions as they did in the reference',
  })
}
