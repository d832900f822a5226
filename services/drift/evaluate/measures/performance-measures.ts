/** The measures of performance of one span, each with what its uncertainty rests on. Pure. */
import { aucStandardError } from '../../../../lib/stats/intervals/normal-interval.ts'
import { countsStandardError } from '../../../../lib/stats/intervals/delta-method.ts'
import { averagePrecisionInterval } from '../../../../lib/stats/intervals/average-precision.ts'
import type {
  ErrorMoments,
  ForecastCounts,
  Mean,
  OutcomeCounts,
  RankingCounts,
  ScoredOutcomes,
} from '../../data/window-data.ts'
import { businessValue, classMeasures } from './class-measures.ts'
import type { Measure, MeasureRules } from './measure.ts'

/** Every measure that the outcomes allow; none where nothing is labelled. */
export function measuresOf(outcomes: OutcomeCounts | undefined, rules: MeasureRules): Measure[] {
  if (!outcomes || outcomes.labelled === 0) return []
  const { confusion, scored, errors, forecasts, ranking, custom } = outcomes
  return [
    ...(confusion ? classMeasures(confusion, rules) : []),
    ...(confusion && rules.businessValue
      ? [businessValue(confusion, rules.positiveClass, rules.businessValue)]
      : []),
    ...(scored ? scoreMeasures(scored) : []),
    ...(errors ? errorMeasures(errors) : []),
    ...(forecasts ? forecastMeasures(forecasts) : []),
    ...(ranking ? rankingMeasures(ranking) : []),
    ...custom.map(({ name, n, value, standardError, problem }) => ({
      metric: `custom.${name}`,
      value,
      n,
      standardError,
      informs: true,
      note: problem,
    })),
  ]
}

const errorOf = ({ standardDeviation }: Mean, n: number) => standardDeviation / Math.sqrt(n)

function scoreMeasures(scored: ScoredOutcomes): Measure[] {
  const { positives, negatives, auc, averagePrecision, top, losses } = scored
  const n = positives + negatives
  const measures: Measure[] = []
  if (auc !== null && positives > 0 && negatives > 0)
    measures.push({
      metric: 'roc_auc',
      value: auc,
      n,
      standardError: aucStandardError(auc, positives, negatives),
    })
  if (averagePrecision !== null && positives > 0)
    measures.push({
      metric: 'pr_auc',
      value: averagePrecision,
      n,
      interval: (level) => averagePrecisionInterval(averagePrecision, positives, level),
      informs: true,
    })
  if (positives > 0 && top.n > 0)
    measures.push({
      metric: 'lift',
      value: top.positives / top.n / (positives / n),
      n,
      standardError: countsStandardError(
        ([topRight, topWrong, right, wrong]) =>
          topRight! /
          (topRight! + topWrong!) /
          ((topRight! + right!) / (topRight! + topWrong! + right! + wrong!)),
        [
          top.positives,
          top.n - top.positives,
          positives - top.positives,
          negatives - top.n + top.positives,
        ],
      ),
      informs: true,
    })
  if (losses) {
    const { logLoss, brier } = losses
    for (const [metric, mean] of [
      ['log_loss', logLoss],
      ['brier', brier],
    ] as const)
      measures.push({ metric, value: mean.mean, n, standardError: errorOf(mean, n), isError: true })
  }
  return measures
}

function errorMeasures(errors: ErrorMoments): Measure[] {
  const { n, absolute, squared, labelVariance, bias, relative, nonzero, meanLabel } = errors
  const absoluteError = errorOf(absolute, n)
  const rmse = Math.sqrt(squared.mean)
  const squaredError = errorOf(squared, n)
  return [
    { metric: 'mae', value: absolute.mean, n, standardError: absoluteError, isError: true },
    {
      metric: 'rmse',
      value: rmse,
      n,
      standardError: rmse > 0 ? squaredError / (2 * rmse) : 0,
      isError: true,
    },
    { metric: 'bias', value: bias.mean, n, standardError: errorOf(bias, n), informs: true },
    ...(relative
      ? [
          {
            metric: 'mape',
            value: relative.mean,
            n: nonzero,
            standardError: errorOf(relative, nonzero),
            isError: true,
          },
        ]
      : []),
    ...(meanLabel > 0
      ? [
          {
            metric: 'wape',
            value: absolute.mean / meanLabel,
            n,
            standardError: absoluteError / meanLabel,
            isError: true,
          },
        ]
      : []),
    ...(labelVariance > 0
      ? [
          {
            metric: 'r2',
            value: 1 - squared.mean / labelVariance,
            n,
            standardError: squaredError / labelVariance,
          },
        ]
      : []),
  ]
}

/** Measures of forecasts that give quantiles. */
function forecastMeasures({ n, pinball, within, nominal }: ForecastCounts): Measure[] {
  return [
    {
      metric: 'pinball',
      value: pinball.mean,
      n,
      standardError: errorOf(pinball, n),
      isError: true,
    },
    // Coverage is shown beside what it should be: too wide is as wrong as too narrow.
    ...(nominal === null
      ? []
      : [
          {
            metric: 'interval_coverage',
            value: within / n,
            n,
            successes: within,
            informs: true,
            note: `nominal ${nominal}`,
          },
        ]),
  ]
}

/** The unit is the ranking, not the item. */
function rankingMeasures({ n, ndcg, hits, reciprocalRank }: RankingCounts): Measure[] {
  return [
    { metric: 'ndcg_at_k', value: ndcg.mean, n, standardError: errorOf(ndcg, n) },
    { metric: 'hit_rate_at_k', value: hits / n, n, successes: hits },
    { metric: 'mrr', value: reciprocalRank.mean, n, standardError: errorOf(reciprocalRank, n) },
  ]
}
