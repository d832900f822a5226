/** How right a model was, with an interval on every number, and whether that has fallen. Pure. */
import { aucStandardError, normalInterval } from '../../lib/stats/auc-interval.ts'
import { cellsOf, precisionRecall, type Confusion } from '../../lib/stats/confusion.ts'
import { newcombe, wilson } from '../../lib/stats/proportions.ts'
import { fact, type Fact } from './facts.ts'
import { ERROR_RISE, fallVerdict, PERFORMANCE_FALL } from './rules.ts'
import type { BusinessValue } from '../../schemas/model.ts'
import type { OutcomeCounts, ReferenceData } from './window-data.ts'

const CI_LEVEL = 0.95
const ALARM_LEVEL = 0.99

/** One measure of one span: a proportion, or a number with a standard error. */
interface Measure {
  metric: string
  value: number
  n: number
  /** Set where the measure is a share of cases: its intervals are then those of proportions. */
  successes?: number
  standardError?: number
  /** An error: less is better, and changes are judged relative to the reference. */
  isError?: boolean
  /** Neither more nor less of it is better: shown, not judged. */
  isSigned?: boolean
}

export interface PerformanceRules {
  positiveClass: string
  minLabelled: number
  minCount: number
  /** Whether every prediction is older than the label horizon. */
  mature: boolean
  binary: boolean
  /** The window is one of those it would be compared with. */
  isReference: boolean
  /** What each kind of decision is worth. */
  businessValue?: BusinessValue | undefined
}

export function evaluatePerformance(
  current: OutcomeCounts,
  reference: ReferenceData | undefined,
  rules: PerformanceRules,
): Fact[] {
  const coverage = current.predictions > 0 ? current.labelled / current.predictions : null
  const counts = {
    n_current: current.predictions,
    n_labelled: current.labelled,
    label_maturity: rules.mature ? 1 : 0,
    completeness: coverage,
  }
  const facts = [
    fact('performance', '', 'label_coverage', coverage, counts),
    ...(current.delayP50Seconds === null
      ? []
      : [fact('performance', '', 'label_delay_p50_s', current.delayP50Seconds, counts)]),
  ]
  const before = new Map(
    measuresOf(reference?.outcomes, rules).map((measure) => [measure.metric, measure]),
  )
  for (const measure of measuresOf(current, rules)) {
    const interval = intervalOf(measure, CI_LEVEL)
    const judged = judge(measure, before.get(measure.metric), current, reference, rules)
    facts.push(
      fact('performance', '', measure.metric, measure.value, {
        ...counts,
        ci_low: interval.low,
        ci_high: interval.high,
        ci_level: CI_LEVEL,
        n_reference: reference?.outcomes?.labelled ?? 0,
        reference: reference?.name ?? '',
        ...judged,
      }),
    )
  }
  return facts
}

function judge(
  measure: Measure,
  before: Measure | undefined,
  current: OutcomeCounts,
  reference: ReferenceData | undefined,
  rules: PerformanceRules,
): Pick<Fact, 'verdict' | 'reason' | 'threshold'> {
  const incomplete = (reason: string) => ({
    verdict: 'incomplete' as const,
    reason,
    threshold: null,
  })
  if (!reference?.judge) return { verdict: 'none', reason: 'no reference', threshold: null }
  if (rules.isReference)
    return { verdict: 'none', reason: 'part of the reference', threshold: null }
  if (measure.isSigned) return { verdict: 'none', reason: '', threshold: null }
  if (!rules.mature) return incomplete('younger than the label horizon')
  if (current.labelled < rules.minLabelled * current.predictions)
    return incomplete(
      `${current.labelled} of ${current.predictions} labelled, below min_labelled ${rules.minLabelled}`,
    )
  if (current.labelled < rules.minCount)
    return incomplete(`${current.labelled} labelled, below min_count ${rules.minCount}`)
  if (!before) return incomplete('the reference has no such number')
  if ((reference.outcomes?.labelled ?? 0) < rules.minCount)
    return incomplete('the reference has too few labels')
  const [low95, low99] = [CI_LEVEL, ALARM_LEVEL].map((level) =>
    lowOfFall(before, measure, level),
  ) as [number, number]
  const line = measure.isError ? ERROR_RISE : PERFORMANCE_FALL
  const threshold = measure.isError ? before.value * (1 + line) : before.value - line
  return {
    verdict: fallVerdict(low95, low99, line),
    reason: `reference ${before.value.toPrecision(6)}`,
    threshold,
  }
}

/** Lower end of the interval of (reference − current), or of the relative rise of an error. */
function lowOfFall(before: Measure, now: Measure, level: number): number {
  if (before.successes !== undefined && now.successes !== undefined)
    return newcombe(
      { successes: before.successes, n: before.n },
      { successes: now.successes, n: now.n },
      level,
    ).low
  const difference = now.isError ? now.value - before.value : before.value - now.value
  const standardError = Math.hypot(before.standardError ?? 0, now.standardError ?? 0)
  const low = normalInterval(difference, standardError, level).low
  if (!now.isError) return low
  return before.value > 0 ? low / before.value : low > 0 ? Infinity : 0
}

function intervalOf(measure: Measure, level: number): { low: number; high: number } {
  if (measure.successes !== undefined) return wilson(measure.successes, measure.n, level)
  const interval = normalInterval(measure.value, measure.standardError ?? 0, level)
  if (measure.isSigned || measure.metric === 'r2') return interval
  return measure.isError
    ? { low: Math.max(0, interval.low), high: interval.high }
    : { low: Math.max(0, interval.low), high: Math.min(1, interval.high) }
}

function measuresOf(outcomes: OutcomeCounts | undefined, rules: PerformanceRules): Measure[] {
  if (!outcomes || outcomes.labelled === 0) return []
  return [
    ...(outcomes.confusion ? classMeasures(outcomes.confusion, rules) : []),
    ...(outcomes.confusion && rules.businessValue
      ? [businessValue(outcomes.confusion, rules.positiveClass, rules.businessValue)]
      : []),
    ...(outcomes.scored ? scoreMeasures(outcomes.scored) : []),
    ...(outcomes.errors ? errorMeasures(outcomes.errors) : []),
  ]
}

function classMeasures(confusion: Confusion, rules: PerformanceRules): Measure[] {
  const n = confusion.counts.flat().reduce((sum, count) => sum + count, 0)
  if (n === 0) return []
  const right = confusion.counts.reduce((sum, row, i) => sum + row[i]!, 0)
  const accuracy: Measure = { metric: 'accuracy', value: right / n, n, successes: right }
  if (!rules.binary) return [accuracy, ...macroF1(confusion, n)]
  if (!confusion.classes.includes(rules.positiveClass)) return [accuracy]
  const cells = cellsOf(confusion, rules.positiveClass)
  const { precision, recall, f1 } = precisionRecall(cells)
  return [
    accuracy,
    ...(precision === undefined
      ? []
      : [{ metric: 'precision', value: precision, n: cells.tp + cells.fp, successes: cells.tp }]),
    ...(recall === undefined
      ? []
      : [{ metric: 'recall', value: recall, n: cells.tp + cells.fn, successes: cells.tp }]),
    ...(f1 === undefined
      ? []
      : [{ metric: 'f1', value: f1, n, standardError: f1StandardError(cells, f1) }]),
  ]
}

/** Mean worth of a decision. */
function businessValue(confusion: Confusion, positive: string, worth: BusinessValue): Measure {
  const cells = confusion.classes.includes(positive)
    ? cellsOf(confusion, positive)
    : { tp: 0, fp: 0, fn: 0, tn: confusion.counts.flat().reduce((sum, n) => sum + n, 0) }
  const kinds = ['tp', 'fp', 'fn', 'tn'] as const
  const n = kinds.reduce((sum, kind) => sum + cells[kind], 0)
  const mean = kinds.reduce((sum, kind) => sum + cells[kind] * worth[kind], 0) / n
  const variance = kinds.reduce((sum, kind) => sum + cells[kind] * (worth[kind] - mean) ** 2, 0) / n
  return {
    metric: 'business_value',
    value: mean,
    n,
    standardError: Math.sqrt(variance / n),
    isSigned: true,
  }
}

/** Delta method: F1 is the odds-like share 2tp / (2tp + fp + fn) of multinomial counts. */
function f1StandardError(
  { tp, fp, fn }: { tp: number; fp: number; fn: number },
  f1: number,
): number {
  const denominator = 2 * tp + fp + fn
  return Math.sqrt(Math.max(0, ((1 - f1) * f1 * (2 - f1)) / denominator))
}

function macroF1(confusion: Confusion, n: number): Measure[] {
  const scores = confusion.classes.map((name) => precisionRecall(cellsOf(confusion, name)).f1 ?? 0)
  const value = scores.reduce((sum, f1) => sum + f1, 0) / scores.length
  return [{ metric: 'macro_f1', value, n, standardError: Math.sqrt((value * (1 - value)) / n) }]
}

function scoreMeasures(scored: NonNullable<OutcomeCounts['scored']>): Measure[] {
  const n = scored.positives + scored.negatives
  const se = (deviation: number) => deviation / Math.sqrt(n)
  return [
    ...(scored.auc === null || scored.positives === 0 || scored.negatives === 0
      ? []
      : [
          {
            metric: 'roc_auc',
            value: scored.auc,
            n,
            standardError: aucStandardError(scored.auc, scored.positives, scored.negatives),
          },
        ]),
    {
      metric: 'log_loss',
      value: scored.logLoss.mean,
      n,
      standardError: se(scored.logLoss.standardDeviation),
      isError: true,
    },
    {
      metric: 'brier',
      value: scored.brier.mean,
      n,
      standardError: se(scored.brier.standardDeviation),
      isError: true,
    },
  ]
}

function errorMeasures(errors: NonNullable<OutcomeCounts['errors']>): Measure[] {
  const { n, absolute, squared, labelVariance, bias, relative, nonzero, meanLabel } = errors
  const absoluteError = absolute.standardDeviation / Math.sqrt(n)
  const rmse = Math.sqrt(squared.mean)
  const squaredError = squared.standardDeviation / Math.sqrt(n)
  return [
    {
      metric: 'mae',
      value: absolute.mean,
      n,
      standardError: absoluteError,
      isError: true,
    },
    {
      metric: 'rmse',
      value: rmse,
      n,
      standardError: rmse > 0 ? squaredError / (2 * rmse) : 0,
      isError: true,
    },
    {
      metric: 'bias',
      value: bias.mean,
      n,
      standardError: bias.standardDeviation / Math.sqrt(n),
      isSigned: true,
    },
    ...(relative
      ? [
          {
            metric: 'mape',
            value: relative.mean,
            n: nonzero,
            standardError: relative.standardDeviation / Math.sqrt(nonzero),
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
