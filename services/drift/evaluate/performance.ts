/** How right a model was, with an interval on every number, and whether that has fallen. Pure. */
import { compared, joined } from './reasons/reasons.ts'
import type { ReferenceData } from '../data/reference.ts'
import { normalInterval } from '../../../lib/stats/intervals/normal-interval.ts'
import { newcombe } from '../../../lib/stats/intervals/proportions.ts'
import { metricResult, type MetricResult, type Verdict } from '../data/metric-results.ts'
import type { ClassFault } from './label-classes.ts'
import { coverageBounds, coverageFault, isSureFall } from './measures/label-coverage.ts'
import { NO_REFERENCE, PART_OF_REFERENCE } from './learning.ts'
import { intervalOf, type Measure, type MeasureRules } from './measures/measure.ts'
import { measuresOf } from './measures/performance-measures.ts'
import { ERROR_RISE, fallVerdict, PERFORMANCE_FALL } from './thresholds.ts'
import type { OutcomeCounts } from '../data/window-data.ts'

const CI_LEVEL = 0.95
const ALARM_LEVEL = 0.99

/** What verdicts on performance depend on. */
export interface PerformanceRules extends MeasureRules {
  minLabelled: number
  minCount: number
  /** Share of the label horizon that has passed at the last interim look; 0 before the first. */
  maturity: number
  /** How many interim looks there are. */
  looks: number
  /** The window is one of those it would be compared with. */
  isReference: boolean
  /** Why labels of the window, or of its reference, say nothing of predictions. */
  faults?: { current: ClassFault | undefined; reference: ClassFault | undefined }
}

/**
 * Label coverage, label delay and every measure that the outcomes allow, with intervals. A fall
 * against the reference has a verdict only where labels are mature and many enough.
 */
export function evaluatePerformance(
  current: OutcomeCounts,
  reference: ReferenceData | undefined,
  rules: PerformanceRules,
): MetricResult[] {
  const coverage = current.predictions > 0 ? current.labelled / current.predictions : null
  const counts = {
    n_current: current.predictions,
    n_labelled: current.labelled,
    n_effective: current.effective ?? null,
    label_maturity: rules.maturity,
    completeness: coverage,
  }
  const results = [
    metricResult('performance', '', 'label_coverage', coverage, counts),
    ...(current.delayP50Seconds === null
      ? []
      : [metricResult('performance', '', 'label_delay_p50_s', current.delayP50Seconds, counts)]),
  ]
  const nameOf = ({ metric, subject = '' }: Measure) => `${metric}/${subject}`
  const before = new Map(
    measuresOf(reference?.outcomes, rules)
      .filter((measure) => Number.isFinite(measure.value))
      .filter((measure) => !isUnknown(measure, rules.faults?.reference))
      .map((measure) => [nameOf(measure), measure]),
  )
  const fault = rules.faults?.current
  const chosen = reference?.baseline ? coverageFault(current, reference.outcomes) : undefined
  for (const measure of measuresOf(current, rules)) {
    if (fault && isUnknown(measure, fault)) {
      // The classes one by one would say the same once more.
      if (!measure.subject)
        results.push(unknown(measure, fault, { ...counts, reference: reference?.name ?? '' }))
      continue
    }
    const interval = intervalOf(measure, CI_LEVEL)
    const baseline = before.get(nameOf(measure))
    const found = evaluate(measure, baseline, current, reference, rules)
    const bounds = chosen && coverageBounds(measure, chosen, current.labelled)
    const evaluated =
      chosen && isVerdict(found.verdict) && !isSureFall(bounds, baseline?.value)
        ? { verdict: 'incomplete' as const, reason: chosen.reason, threshold: null }
        : found
    results.push(
      metricResult('performance', measure.subject ?? '', measure.metric, measure.value, {
        ...counts,
        n_current: measure.n,
        method: isWeighted(measure, current) ? 'weighted' : 'observed',
        ci_low: finite(interval.low),
        ci_high: finite(interval.high),
        ci_level: CI_LEVEL,
        n_reference: baseline?.n ?? 0,
        reference: reference?.name ?? '',
        baseline_value: finite(baseline?.value ?? NaN),
        ...evaluated,
        ...(bounds && {
          precision: 'bounded' as const,
          bound_low: bounds.low,
          bound_high: bounds.high,
        }),
        reason: [evaluated.reason, weightingOf(measure, current)].filter(Boolean).join('; '),
      }),
    )
  }
  return results
}

const isVerdict = (verdict: Verdict) =>
  verdict === 'ok' || verdict === 'warning' || verdict === 'alarm'

/**
 * Whether labels weigh one over their inclusion probability; expressions of the model file count
 * rows as they are.
 */
const isWeighted = ({ metric }: Measure, { drawn = 0 }: OutcomeCounts) =>
  drawn > 0 && !metric.startsWith('custom.')

/**
 * What the reason says of how labels were weighted; '' where none carries an inclusion probability.
 */
function weightingOf(measure: Measure, outcomes: OutcomeCounts): string {
  const { drawn = 0, labelled } = outcomes
  if (drawn === 0) return ''
  if (!isWeighted(measure, outcomes))
    return 'rows as they are: the expression weighs them by the column weight, or not at all'
  return drawn === labelled
    ? 'weighted by inclusion probabilities'
    : `weighted by inclusion probabilities; ${labelled - drawn} of ${labelled} labels carry none and stand for themselves`
}

/**
 * Cases that verdicts rest on: as many as weighted labels are worth, and never more than there are.
 */
const casesOf = ({ drawn, effective, labelled }: OutcomeCounts) =>
  drawn === undefined ? labelled : Math.min(labelled, Math.floor(effective ?? labelled))

/** Measures that hold a score against the class of a label. */
const OF_SCORES = new Set(['roc_auc', 'pr_auc', 'lift', 'log_loss', 'brier'])

const isUnknown = ({ metric }: Measure, fault: ClassFault | undefined) =>
  fault !== undefined &&
  !metric.startsWith('custom.') &&
  (fault.of === 'all' || OF_SCORES.has(metric))

const unknown = (
  { metric }: Measure,
  { reason }: ClassFault,
  more: Partial<MetricResult>,
): MetricResult =>
  metricResult('performance', '', metric, null, { ...more, verdict: 'incomplete', reason })

const finite = (x: number) => (Number.isFinite(x) ? x : null)

function evaluate(
  measure: Measure,
  before: Measure | undefined,
  current: OutcomeCounts,
  reference: ReferenceData | undefined,
  rules: PerformanceRules,
): Pick<MetricResult, 'verdict' | 'reason' | 'threshold'> {
  const incomplete = (reason: string) => ({
    verdict: 'incomplete' as const,
    reason,
    threshold: null,
  })
  if (!Number.isFinite(measure.value)) return incomplete(measure.note ?? '')
  if (measure.informs) return { verdict: 'none', reason: measure.note ?? '', threshold: null }
  if (!reference?.baseline) return { verdict: 'none', reason: NO_REFERENCE, threshold: null }
  if (rules.isReference) return { verdict: 'none', reason: PART_OF_REFERENCE, threshold: null }
  if (rules.maturity === 0) return incomplete('younger than the label horizon')
  // Labels that were all drawn with a known probability speak for the predictions without one.
  const isFairSample = current.drawn === current.labelled
  if (!isFairSample && current.labelled < rules.minLabelled * current.predictions)
    return incomplete(
      `${current.labelled} of ${current.predictions} labelled, below min_labelled ${rules.minLabelled}`,
    )
  const cases = casesOf(current)
  if (cases < rules.minCount) {
    const worth = cases < current.labelled ? `, worth ${cases}` : ''
    return incomplete(`${current.labelled} labelled${worth}, below min_count ${rules.minCount}`)
  }
  if (!before)
    return incomplete(
      rules.faults?.reference?.reason
        ? `in the reference ${rules.faults.reference.reason}`
        : 'the reference has no such number',
    )
  if ((reference.outcomes?.labelled ?? 0) < rules.minCount)
    return incomplete('the reference has too few labels')
  // Each look has its share of the error, so that looking twice does not err twice as often.
  const [low95, low99] = [CI_LEVEL, ALARM_LEVEL].map((level) =>
    lowOfFall(before, measure, 1 - (1 - level) / rules.looks),
  ) as [number, number]
  const line = measure.isError ? ERROR_RISE : PERFORMANCE_FALL
  const threshold = measure.isError ? before.value * (1 + line) : before.value - line
  return {
    verdict: fallVerdict(low95, low99, line),
    reason: joined(
      measure.note,
      compared(measure.value, intervalOf(measure, CI_LEVEL), before.value),
    ),
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
