/** Metrics of a window that depend on its labels: performance, its estimates, fairness. Pure. */
import { covers } from '../data/reference.ts'
import { isEvaluated, metricResult, type MetricResult } from '../data/metric-results.ts'
import type { GroupCounts, OutcomeCounts } from '../data/window-data.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { WindowInput } from '../data/window-input.ts'
import { evaluateEstimates } from './estimates/estimated-performance.ts'
import { evaluateLosses } from './estimates/estimated-loss.ts'
import { evaluateNowCasts } from './estimates/now-cast.ts'
import { evaluateFairness, fairnessAttributes, fairnessTests } from './fairness/fairness.ts'
import { classFault, type ClassFault } from './label-classes.ts'
import { learningReason, whileLearning } from './learning.ts'
import { evaluatePerformance } from './performance.ts'
import { FAMILY_SHARES, overridden, windowAlphaOf } from './thresholds.ts'
import { baselineOf, withLevels } from './window-levels.ts'

/** The families that depend on labels: performance and fairness. */
export function evaluateLabelled(input: WindowInput, model: Model): MetricResult[] {
  // Outcomes know attributes alone: of a slice by a feature there are none.
  if (input.isSlice && input.outcomes.labelled === 0) return []
  const minCount = model.windows.min_count
  const { learning } = input
  // The performance of a version that is learning is that of the windows before it, or worse.
  const evaluating = learning ? learning.before : baselineOf(input)
  const fairnessAlpha =
    (windowAlphaOf(model, input.window) * FAMILY_SHARES.fairness) /
    (input.cohorts * Math.max(1, fairnessTests(input.groups.values())))
  const binary = isBinary(model, input.outcomes)
  const faults = classFaults(input.outcomes, evaluating?.outcomes, model, binary)
  const performance = evaluatePerformance(input.outcomes, evaluating, {
    faults,
    positiveClass: model.positiveClass,
    minLabelled: model.windows.min_labelled,
    minCount,
    maturity: input.maturity,
    looks: model.labels.evaluate_at.length,
    binary,
    isReference: evaluating !== undefined && covers(evaluating.spans, input.window),
    businessValue: model.businessValue,
  })
  const estimates =
    input.scores && binary
      ? evaluateEstimates(
          faults.current ? { ...input.scores, labelled: [] } : input.scores,
          faults.reference || learning ? undefined : evaluating?.scores,
          evaluating?.name ?? '',
          input.pastErrors,
          model.businessValue,
        )
      : evaluating?.losses && !learning
        ? evaluateLosses(input.scoredRows, evaluating.losses, evaluating.name, input.pastErrors)
        : []
  const results = [
    ...(learning
      ? learningPerformance(performance, estimates, input, model)
      : withLevels([...performance, ...estimates], 'performance', input, model)),
    ...(input.earlyLabels
      ? evaluateNowCasts(performance, input.earlyLabels, model.labels.absent_means)
      : []),
    ...fairnessAttributes(model).flatMap(({ name, privileged }) =>
      withoutTruth(faults.current, input.groups.get(name) ?? [], name, (groups) =>
        evaluateFairness(groups, {
          attribute: name,
          privileged,
          minCount,
          maturity: input.maturity,
          alpha: fairnessAlpha,
        }),
      ),
    ),
  ]
  return results.map((result) => overridden(result, model.overrides))
}

/**
 * Performance while a version learns; what its scores mean is new, and beside those of the version
 * before it says nothing.
 */
function learningPerformance(
  performance: readonly MetricResult[],
  estimates: readonly MetricResult[],
  input: WindowInput,
  model: Model,
): MetricResult[] {
  const { learning } = input
  if (!learning?.before)
    return [...performance, ...estimates].map((result) => whileLearning(result, learning))
  const evaluated = withLevels(
    performance,
    'performance',
    { ...input, references: [learning.before] },
    model,
  )
  return [
    ...evaluated.map((result) =>
      isEvaluated(result)
        ? { ...result, reason: `${result.reason}; ${learningReason(learning)}` }
        : result,
    ),
    ...estimates.map((result) => whileLearning(result, learning)),
  ]
}

/** Why labels say nothing of predictions, in a window and in its reference. */
export function classFaults(
  current: OutcomeCounts,
  reference: OutcomeCounts | undefined,
  { classes, positiveClass }: Model,
  binary: boolean,
): { current: ClassFault | undefined; reference: ClassFault | undefined } {
  const rules = { declared: classes, positiveClass, binary }
  const ofReference = classFault(reference?.confusion, rules)
  return {
    current: classFault(current.confusion, {
      ...rules,
      reference: ofReference ? undefined : reference?.confusion,
    }),
    reference: ofReference,
  }
}

const withoutLabels = (group: GroupCounts): GroupCounts => ({
  ...group,
  favorableLabels: 0,
  favorableHits: 0,
  tp: 0,
  fp: 0,
  fn: 0,
  tn: 0,
})

/** Fairness of what was predicted alone, where labels say nothing of predictions. */
function withoutTruth(
  fault: ClassFault | undefined,
  groups: readonly GroupCounts[],
  attribute: string,
  evaluate: (groups: readonly GroupCounts[]) => MetricResult[],
): MetricResult[] {
  if (!fault || groups.length === 0) return evaluate(groups)
  const { reason } = fault
  return [
    ...evaluate(groups.map((group) => withoutLabels(group))),
    metricResult('fairness', attribute, 'equalized_odds_difference', null, {
      verdict: 'incomplete',
      reason,
    }),
  ]
}

/** Whether one class stands against all others, by the model file or else by the outcomes. */
export function isBinary(model: Model, outcomes: OutcomeCounts): boolean {
  if (model.task) return model.task === 'binary'
  return (outcomes.confusion?.classes.length ?? 0) <= 2
}
