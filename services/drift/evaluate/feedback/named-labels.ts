/**
 * What named labels say of a window: a mean or a rate per class for each name, with an interval.
 * Pure.
 */
import { normalInterval } from '../../../../lib/stats/intervals/normal-interval.ts'
import {
  ratioEstimate,
  shareInterval,
  type RatioEstimate,
} from '../../../../lib/stats/estimators/ratio-estimate.ts'
import { wilson } from '../../../../lib/stats/intervals/proportions.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { NamedLabels, NamedLabelsOfCohort } from '../../data/named-labels.ts'

const CI_LEVEL = 0.95
/** Labels of a name are numbers where this share of them is; the others are left out and told. */
const NUMBERS_SHARE = 0.9

/** Whether a name's labels are numbers, whose mean is shown, or classes, whose rates are. */
export const areNumbers = ({ numbers, labels }: NamedLabels): boolean =>
  numbers.n >= NUMBERS_SHARE * labels

/** What a cohort's feedback is about. */
export interface FeedbackScope {
  predictions: number
  maturity: number
  /**
   * Names whose labels are numbers in the window as a whole, so that all cohorts have the metric
   * alike.
   */
  numeric: ReadonlySet<string>
}

/** Label coverage of each name, and its mean or the rates of its classes; without verdicts. */
export function namedLabelResults(
  { names, read }: NamedLabelsOfCohort,
  scope: FeedbackScope,
): MetricResult[] {
  return [
    ...read.flatMap((labels) => [
      coverageOf(labels, scope),
      ...(scope.numeric.has(labels.name) ? meanOf(labels, scope) : ratesOf(labels, scope)),
    ]),
    ...(names > read.length
      ? [
          metricResult('feedback', '', 'names_evaluated', read.length, {
            n_current: scope.predictions,
            reason: `the window has ${names} names of labels; those with the most labels are evaluated`,
          }),
        ]
      : []),
  ]
}

const countsOf = ({ labels }: NamedLabels, { predictions, maturity }: FeedbackScope) => ({
  n_current: predictions,
  n_labelled: labels,
  label_maturity: maturity,
  completeness: predictions > 0 ? labels / predictions : null,
})

function coverageOf(labels: NamedLabels, scope: FeedbackScope): MetricResult {
  const counts = countsOf(labels, scope)
  const interval = wilson(Math.min(labels.labels, scope.predictions), scope.predictions, CI_LEVEL)
  return metricResult('feedback', labels.name, 'label_coverage', counts.completeness, {
    ...counts,
    ci_low: interval.low,
    ci_high: interval.high,
    ci_level: CI_LEVEL,
  })
}

/** How labels were used, and how many they are worth. */
function weightingOf(
  { labels, drawn, squares }: NamedLabels,
  { effective }: RatioEstimate,
): Pick<MetricResult, 'method' | 'n_effective' | 'reason'> {
  const isSampled = drawn > 0 || squares !== labels
  return {
    method: drawn > 0 ? 'weighted' : 'observed',
    n_effective: isSampled ? effective : null,
    reason:
      drawn > 0 && drawn < labels
        ? `${labels - drawn} of ${labels} labels carry no inclusion probability and stand for themselves`
        : '',
  }
}

const joined = (...parts: readonly string[]) => parts.filter(Boolean).join('; ')
const finite = (x: number) => (Number.isFinite(x) ? x : null)

function meanOf(labels: NamedLabels, scope: FeedbackScope): MetricResult[] {
  const { numbers, name } = labels
  if (numbers.n === 0) return []
  const estimate = ratioEstimate(numbers)
  // A mean of zeros and ones is a share.
  const interval =
    numbers.otherThanBits === 0
      ? shareInterval(estimate, CI_LEVEL)
      : normalInterval(estimate.mean, estimate.standardError, CI_LEVEL)
  const others = labels.labels - numbers.n
  const weighting = weightingOf(labels, estimate)
  return [
    metricResult('feedback', name, 'mean', estimate.mean, {
      ...countsOf(labels, scope),
      ...weighting,
      n_labelled: numbers.n,
      ci_low: finite(interval.low),
      ci_high: finite(interval.high),
      ci_level: CI_LEVEL,
      reason: joined(
        weighting.reason,
        others > 0 ? `${others} of ${labels.labels} labels are no numbers and left out` : '',
      ),
    }),
  ]
}

function ratesOf(labels: NamedLabels, scope: FeedbackScope): MetricResult[] {
  const { name, classes, classCount, labels: n, weight, squares } = labels
  return classes.map((own) => {
    const estimate = ratioEstimate({
      n,
      weight,
      squares,
      total: own.weight,
      squaredTotal: own.squares,
      squaredSquares: own.squares,
    })
    const interval = shareInterval(estimate, CI_LEVEL)
    const weighting = weightingOf(labels, estimate)
    return metricResult('feedback', `${name}=${own.name}`, 'rate', estimate.mean, {
      ...countsOf(labels, scope),
      ...weighting,
      ci_low: interval.low,
      ci_high: interval.high,
      ci_level: CI_LEVEL,
      reason: joined(
        weighting.reason,
        classCount > classes.length
          ? `the ${classes.length} most frequent of ${classCount} classes`
          : '',
      ),
    })
  })
}
