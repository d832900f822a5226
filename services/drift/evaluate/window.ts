/** (window, references, rules) -> every result about it, with verdicts. Pure: the same input gives the same answer. */
import {
  covers,
  type ReferenceData,
  type Drawn,
  type ScoreCounts,
  type ScoredRow,
} from '../data/reference.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { isFeature } from '../../../lib/events/subjects.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { declaredKinds } from '../data/declared-features.ts'
import { evaluateDrift } from './drift.ts'
import { evaluateEstimates } from './estimated-performance.ts'
import { evaluateFairness, fairnessAttributes, fairnessTests } from './fairness.ts'
import { withLevelVerdicts } from './metric-alarms.ts'
import { evaluateLosses } from './estimated-loss.ts'
import { evaluateMultivariate } from './multivariate-drift.ts'
import { evaluateOperations } from './operations.ts'
import { evaluateThroughput, THROUGHPUT_SHARE } from './throughput.ts'
import { evaluateQuality } from './data-quality.ts'
import { evaluatePerformance } from './performance.ts'
import { withShiftVerdicts } from './drift-alarms.ts'
import { metricResult, isEvaluated, type MetricResult } from '../data/metric-results.ts'
import { learningReason, whileLearning, type Learning } from './learning.ts'
import { classFault, type ClassFault } from './label-classes.ts'
import type { LevelHistory } from '../data/past-metrics.ts'
import type { PastShift } from '../data/past-shifts.ts'
import { windowAlphaOf, FAMILY_SHARES, overridden } from './thresholds.ts'
import {
  effectiveOf,
  type GroupCounts,
  type OutcomeCounts,
  type WindowCounts,
} from '../data/window-data.ts'

/** Everything that was read of one cohort of a window. */
export interface WindowInput {
  counts: WindowCounts
  outcomes: OutcomeCounts
  scores: ScoreCounts | undefined
  /** Single predictions of a regression whose errors are estimated. */
  scoredRows: readonly ScoredRow[]
  /** Of estimates in earlier windows. */
  pastErrors: readonly number[]
  /** Groups per protected attribute. */
  groups: ReadonlyMap<string, readonly GroupCounts[]>
  /** Some of its rows, where a classifier is asked. */
  rows: readonly Drawn[]
  references: readonly ReferenceData[]
  /** While the baseline is being learned. */
  learning: Learning | undefined
  window: Window
  /** Windows between the baseline and this one. */
  past: readonly PastShift[]
  /** Performance and operations of the reference's windows, and of those since. */
  levels: LevelHistory
  /** Cohorts of version and variant that are evaluated of this window. */
  cohorts: number
  isSlice: boolean
  /** Events of the windows before, of a live model as a whole: what its throughput is evaluated by. */
  usual: readonly number[] | undefined
  /** Share of the emitted events that came; null where producers do not tell. */
  completeness: number | null
  /** The step of label maturity the window has reached; 0: none, 1: every prediction is older than the label horizon. */
  maturity: number
}

/** Every metric of one cohort of a window, with its verdict. Depends on the input alone. */
export function evaluateWindow(input: WindowInput, model: Model): MetricResult[] {
  const results = [
    ...input.references.flatMap((reference) => driftResults(input, reference, model)),
    ...multivariateResults(input, model),
    ...operationsResults(input, model),
    duplicateRatio(input.counts),
    ...leftOut(input.counts),
  ]
  const evaluated = results
    .map((result) => whileLearning(result, input.learning))
    .map((result) => overridden(result, model.overrides))
    .map((result) => gated(result, input.completeness, model.windows.min_completeness))
  return [
    ...[...evaluated, ...driftShare(evaluated)].map((result) =>
      withEffectiveSize(result, input.counts),
    ),
    ...evaluateTruth(input, model),
  ]
}

/** The share of features that drifted, of those with a verdict; nothing where none has one. */
function driftShare(results: readonly MetricResult[]): MetricResult[] {
  const features = results.filter(
    ({ family, metric, subject, convention, verdict }) =>
      family === 'drift' &&
      metric === 'psi' &&
      convention === 'plumbline' &&
      isFeature(subject) &&
      (verdict === 'ok' || verdict === 'warning' || verdict === 'alarm'),
  )
  if (features.length === 0) return []
  const drifted = features.filter(({ verdict }) => verdict === 'alarm').length
  return [
    metricResult('drift', '', 'drift_share', drifted / features.length, {
      n_current: features.length,
      reference: features[0]!.reference,
      reason: `${drifted} of ${features.length} features`,
    }),
  ]
}

const withEffectiveSize = (result: MetricResult, counts: WindowCounts): MetricResult =>
  effectiveOf(counts) === counts.events || result.family === 'operations'
    ? result
    : { ...result, n_effective: effectiveOf(counts) }

/** Metrics that are published against a reference that is not the baseline. */
const INFORMING = new Set(['psi', 'ks', 'wasserstein', 'chi_squared', 'js_distance'])

function driftResults(input: WindowInput, reference: ReferenceData, model: Model): MetricResult[] {
  const { counts, window, past, cohorts } = input
  const kinds = declaredKinds(model)
  const results = evaluateDrift(counts, reference, model.windows.min_count, kinds)
  if (!reference.baseline) return results.filter((result) => INFORMING.has(result.metric))
  const windowAlpha = windowAlphaOf(model, window)
  const quality = evaluateQuality(counts, reference, kinds).map((result) => ({
    ...result,
    reference: reference.name,
  }))
  return withShiftVerdicts([...results, ...quality], counts, window, reference, {
    windowAlpha,
    past,
    cohorts,
  })
}

/** Throughput of a live model is evaluated by its own history, the rest by the baseline's windows. */
function operationsResults(input: WindowInput, model: Model): MetricResult[] {
  const { counts, window, usual } = input
  const windowMs = window.end - window.start
  const results = evaluateOperations(counts, windowMs)
  if (usual === undefined) return withLevels(results, 'operations', input, model)
  const others = results.filter(({ metric }) => metric !== 'throughput_per_s')
  const windowAlpha = windowAlphaOf(model, window)
  return [
    evaluateThroughput(counts.events, counts.weight ?? counts.events, {
      usual,
      windowAlpha,
      windowMs,
    }),
    ...withLevels(others, 'operations', input, model, 1 - THROUGHPUT_SHARE),
  ]
}

const baselineOf = ({ references }: Pick<WindowInput, 'references'>) =>
  references.find((reference) => reference.baseline)

const withLevels = (
  results: readonly MetricResult[],
  family: 'performance' | 'operations',
  { levels, window, cohorts, ...input }: WindowInput,
  model: Model,
  share = 1,
) =>
  withLevelVerdicts(results, family, baselineOf(input), levels, {
    window,
    windowAlpha: windowAlphaOf(model, window) * share,
    cohorts,
    looks: family === 'performance' ? model.labels.evaluate_at.length : 1,
    minCount: model.windows.min_count,
  })

function multivariateResults(
  { rows, window, ...input }: WindowInput,
  model: Model,
): MetricResult[] {
  const evaluating = baselineOf(input)
  if (!evaluating?.multivariate || rows.length === 0) return []
  return evaluateMultivariate(rows, evaluating.multivariate, {
    reference: evaluating.name,
    windowAlpha: windowAlphaOf(model, window),
    isReference: covers(evaluating.spans, window),
  })
}

/** Of a window that lacks too much of what was emitted nothing is evaluated; its values stand all the same. */
function gated(result: MetricResult, completeness: number | null, floor: number): MetricResult {
  if (completeness === null) return result
  if (completeness >= floor || result.verdict === 'none') return { ...result, completeness }
  return {
    ...result,
    completeness,
    verdict: 'incomplete',
    reason: `${(100 * completeness).toFixed(1)} % of the emitted events came, below min_completeness ${floor}`,
  }
}

/** How often events came again: a producer that sends everything twice is worth knowing, although it counts once. */
function duplicateRatio({ events, duplicates }: WindowCounts): MetricResult {
  const sent = events + duplicates
  return metricResult('quality', '', 'duplicate_ratio', sent > 0 ? duplicates / sent : null, {
    n_current: sent,
  })
}

/** How many features are evaluated, where that is not all of them. */
function leftOut({ numeric, categories, leavesFeaturesOut, events }: WindowCounts): MetricResult[] {
  if (!leavesFeaturesOut) return []
  const names = new Set([...numeric.keys(), ...categories.keys()].filter(isFeature))
  return [
    metricResult('quality', '', 'features_evaluated', names.size, {
      n_current: events,
      reason: 'the window has more features; those with the most values are evaluated',
    }),
  ]
}

/** The families that depend on labels: performance and fairness. */
export function evaluateTruth(input: WindowInput, model: Model): MetricResult[] {
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
        )
      : evaluating?.losses && !learning
        ? evaluateLosses(input.scoredRows, evaluating.losses, evaluating.name, input.pastErrors)
        : []
  const results = [
    ...(learning
      ? learningPerformance(performance, estimates, input, model)
      : withLevels([...performance, ...estimates], 'performance', input, model)),
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

/** Performance while a version learns; what its scores mean is new, and beside those of the version before it says nothing. */
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
function classFaults(
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
    ...evaluate(groups.map((group) => ({ ...group, tp: 0, fp: 0, fn: 0, tn: 0 }))),
    metricResult('fairness', attribute, 'equalized_odds_difference', null, {
      verdict: 'incomplete',
      reason,
    }),
  ]
}

function isBinary(model: Model, outcomes: OutcomeCounts): boolean {
  if (model.task) return model.task === 'binary'
  return (outcomes.confusion?.classes.length ?? 0) <= 2
}
