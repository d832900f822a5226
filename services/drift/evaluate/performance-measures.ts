/** The measures of performance of one span, each with what its uncertainty rests on. Pure. */
import { aucStandardError, normalInterval } from '../../../lib/stats/intervals/normal-interval.ts'
import {
  averageOfClasses,
  cellsAt,
  cellsOf,
  precisionRecall,
  type Cells,
  type Confusion,
} from '../../../lib/stats/estimators/confusion.ts'
import { countsStandardError } from '../../../lib/stats/intervals/delta-method.ts'
import { averagePrecisionInterval } from '../../../lib/stats/intervals/average-precision.ts'
import { wilson, type Interval } from '../../../lib/stats/intervals/proportions.ts'
import { improbableReason, improbableShare, MAX_IMPROBABLE } from './thresholds.ts'
import type { BusinessValue } from '../../../schemas/model.ts'
import type {
  ErrorMoments,
  ForecastCounts,
  Mean,
  OutcomeCounts,
  RankingCounts,
  ScoredOutcomes,
} from '../data/window-data.ts'

/** One measure of one span: a proportion, or a number with a standard error. */
export interface Measure {
  metric: string
  /** `class=…`, or '' for the model as a whole. */
  subject?: string
  value: number
  n: number
  /** Set where the measure is a share of cases: its intervals are then those of proportions. */
  successes?: number
  standardError?: number
  /** Where neither of the two gives it. */
  interval?: (level: number) => Interval
  /** An error: less is better, and changes are evaluated relative to the reference. */
  isError?: boolean
  /** Neither more nor less of it is better, or others say it already: shown, not evaluated. */
  informs?: boolean
  /** Said beside it. */
  note?: string
}

export interface MeasureRules {
  positiveClass: string
  binary: boolean
  /** What each kind of decision is worth. */
  businessValue?: BusinessValue | undefined
}

/** Classes of which each has measures of its own. */
const MAX_SHOWN_CLASSES = 20

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

export function intervalOf(measure: Measure, level: number): Interval {
  if (measure.interval) return measure.interval(level)
  if (measure.successes !== undefined) return wilson(measure.successes, measure.n, level)
  const interval = normalInterval(measure.value, measure.standardError ?? 0, level)
  if (UNBOUNDED.has(measure.metric) || measure.metric.startsWith('custom.')) return interval
  return measure.isError || measure.metric === 'lift'
    ? { low: Math.max(0, interval.low), high: interval.high }
    : { low: Math.max(0, interval.low), high: Math.min(1, interval.high) }
}

const UNBOUNDED = new Set(['r2', 'bias', 'business_value'])

function classMeasures(confusion: Confusion, rules: MeasureRules): Measure[] {
  const { n, allRight } = confusion
  if (n === 0) return []
  const accuracy: Measure = { metric: 'accuracy', value: allRight / n, n, successes: allRight }
  if (!rules.binary) return [accuracy, ...averages(confusion), ...perClass(confusion)]
  return confusion.classes.includes(rules.positiveClass)
    ? [accuracy, ...oneClass(cellsOf(confusion, rules.positiveClass))]
    : [accuracy]
}

/** Precision, recall and F1 of one class against all others, where they are defined. */
function oneClass(cells: Cells): Measure[] {
  const { precision, recall, f1 } = precisionRecall(cells)
  const predicted = cells.tp + cells.fp
  const truly = cells.tp + cells.fn
  const f1Of = ([tp, others]: readonly number[]) => (2 * tp!) / (2 * tp! + others!)
  return [
    ...(precision === undefined
      ? []
      : [{ metric: 'precision', value: precision, n: predicted, successes: cells.tp }]),
    ...(recall === undefined
      ? []
      : [{ metric: 'recall', value: recall, n: truly, successes: cells.tp }]),
    ...(f1 === undefined
      ? []
      : [
          {
            metric: 'f1',
            value: f1,
            n: predicted + truly,
            standardError: countsStandardError(f1Of, [cells.tp, cells.fp + cells.fn]),
          },
        ]),
  ]
}

/** Each class by itself, the most frequent ones; what moves of them moves the averages too. */
function perClass(confusion: Confusion): Measure[] {
  return confusion.classes
    .map((name, i) => ({ name, i, n: confusion.truly[i]! }))
    .toSorted((a, b) => b.n - a.n)
    .slice(0, MAX_SHOWN_CLASSES)
    .flatMap(({ name, i }) =>
      oneClass(cellsAt(confusion, i)).map((measure) => ({
        ...measure,
        subject: `class=${name}`,
        informs: true,
      })),
    )
}

/** Over classes: evenly (`macro_…`), and by how many cases each has (`weighted_…`). Left out where not all are known. */
function averages(confusion: Confusion): Measure[] {
  if (!confusion.allClasses) return []
  return (['precision', 'recall', 'f1'] as const).flatMap((which) =>
    [false, true].map((weighted) => ({
      metric: `${weighted ? 'weighted' : 'macro'}_${which}`,
      ...averageOfClasses(confusion, which, weighted),
      n: confusion.n,
      // One of six says that it fell.
      informs: weighted || which !== 'f1',
      ...(!confusion.allCells && {
        note: 'too many pairs of classes: the interval is as wide as the counts per class allow',
      }),
    })),
  )
}

/** Mean worth of a decision. */
function businessValue(confusion: Confusion, positive: string, worth: BusinessValue): Measure {
  const cells = confusion.classes.includes(positive)
    ? cellsOf(confusion, positive)
    : { tp: 0, fp: 0, fn: 0, tn: confusion.n }
  const kinds = ['tp', 'fp', 'fn', 'tn'] as const
  const n = kinds.reduce((sum, kind) => sum + cells[kind], 0)
  const mean = kinds.reduce((sum, kind) => sum + cells[kind] * worth[kind], 0) / n
  const variance = kinds.reduce((sum, kind) => sum + cells[kind] * (worth[kind] - mean) ** 2, 0) / n
  return {
    metric: 'business_value',
    value: mean,
    n,
    standardError: Math.sqrt(variance / n),
    informs: true,
  }
}

const errorOf = ({ standardDeviation }: Mean, n: number) => standardDeviation / Math.sqrt(n)

function scoreMeasures(scored: ScoredOutcomes): Measure[] {
  const { positives, negatives, auc, averagePrecision, top } = scored
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
  return [...measures, ...lossMeasures(scored)]
}

/** A number that cannot be known, and why. */
const absent = (metric: string, note: string): Measure => ({ metric, value: NaN, n: 0, note })

function lossMeasures({ losses, improbable }: ScoredOutcomes): Measure[] {
  if (improbable > MAX_IMPROBABLE)
    return ['log_loss', 'brier'].map((metric) => absent(metric, improbableReason(improbable)))
  if (!losses) return []
  const { n, logLoss, brier } = losses
  const note = improbable > 0 ? `${improbableShare(improbable)} and are left out` : ''
  return [
    { metric: 'log_loss', mean: logLoss },
    { metric: 'brier', mean: brier },
  ].map(({ metric, mean }) => ({
    metric,
    value: mean.mean,
    n,
    standardError: errorOf(mean, n),
    isError: true,
    ...(note && { note }),
  }))
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
      : [absent('mape', 'every label is 0')]),
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
      : [absent('wape', 'every label is 0')]),
    ...(labelVariance > 0
      ? [
          {
            metric: 'r2',
            value: 1 - squared.mean / labelVariance,
            n,
            standardError: squaredError / labelVariance,
          },
        ]
      : [absent('r2', 'all labels are equal')]),
  ]
}

/** Of forecasts that give quantiles. */
function forecastMeasures({ n, pinball, within, nominal }: ForecastCounts): Measure[] {
  return [
    {
      metric: 'pinball',
      value: pinball.mean,
      n,
      standardError: errorOf(pinball, n),
      isError: true,
    },
    // Too wide is as wrong as too narrow: what it should be stands beside it.
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
