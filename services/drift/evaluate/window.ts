/**
 * (window, references, rules) -> every result about it, with verdicts. Pure: the same input gives
 * the same answer.
 */
import { covers, type ReferenceData } from '../data/reference.ts'
import type { WindowInput } from '../data/window-input.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { isFeature } from '../../../lib/events/subjects.ts'
import { declaredKinds } from '../data/declared-features.ts'
import { TASKS_SHARE } from './agents/agent-tasks.ts'
import { evaluateDrift } from './drift.ts'
import { evaluateExpectations } from './expectations/violations.ts'
import { evaluateMultivariate } from './multivariate-drift.ts'
import { evaluateOperations } from './operations.ts'
import { SENDERS_SHARE } from './silence/senders.ts'
import { evaluateThroughput, THROUGHPUT_SHARE } from './silence/throughput.ts'
import { evaluateQuality } from './quality/data-quality.ts'
import { withoutValues } from './quality/without-values.ts'
import { evaluateLabelled } from './labelled-window.ts'
import { baselineOf, withLevels } from './window-levels.ts'
import { withShiftVerdicts } from './drift-alarms.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'
import { whileLearning, whileLearningDrift } from './learning.ts'
import { evaluateSkew, SKEW_SHARE, trainedOn } from './skew/skew.ts'
import { FIXED_LINES, windowAlphaOf, overridden } from './thresholds.ts'
import { effectiveOf, type WindowCounts } from '../data/window-data.ts'

/** Every metric of one cohort of a window, with its verdict. Depends on the input alone. */
export function evaluateWindow(input: WindowInput, model: Model): MetricResult[] {
  const drift = input.references.flatMap((reference) =>
    driftResults(input, reference, model).map((result) =>
      whileLearningDrift(result, input.learning, reference),
    ),
  )
  const others = [
    ...multivariateResults(input, model),
    ...operationsResults(input, model),
    duplicateRatio(input.counts),
    ...leftOut(input.counts),
  ]
  const evaluated = [
    ...drift,
    ...others.map((result) => whileLearning(result, input.learning)),
    ...expectationResults(input, model),
    ...withoutValues(input, model),
    // A table needs no learning.
    ...evaluateSkew(input, model),
  ]
    .map((result) => overridden(result, model.overrides))
    .map((result) => gated(result, input.completeness, model.windows.min_completeness))
  return [
    ...[...evaluated, ...driftShare(evaluated)].map((result) =>
      withEffectiveSize(result, input.counts),
    ),
    ...evaluateLabelled(input, model),
  ]
}

/** What was declared needs no baseline: it is evaluated from the first window on. */
const expectationResults = ({ violations }: WindowInput, model: Model): MetricResult[] =>
  violations ? evaluateExpectations(model.expectations, violations, model.windows.min_count) : []

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
  const windowAlpha = windowAlphaOf(model, window) * (trainedOn(input) ? 1 - SKEW_SHARE : 1)
  const quality = evaluateQuality(counts, reference, kinds, model.windows.min_count).map(
    (result) => ({
      ...result,
      reference: reference.name,
    }),
  )
  return withShiftVerdicts([...results, ...quality], counts, window, reference, {
    windowAlpha,
    past,
    cohorts,
    ...(model.hasFixedLines && { fixedBecause: FIXED_LINES }),
  })
}

/**
 * Throughput of a live model is evaluated by its own history, the rest by the baseline's windows.
 */
function operationsResults(input: WindowInput, model: Model): MetricResult[] {
  const { counts, window, usual } = input
  const windowMs = window.end - window.start
  const results = evaluateOperations(counts, windowMs)
  const ofTasks = model.task === 'llm' ? TASKS_SHARE : 0
  if (usual === undefined) return withLevels(results, 'operations', input, model, 1 - ofTasks)
  const others = results.filter(({ metric }) => metric !== 'throughput_per_s')
  const windowAlpha = windowAlphaOf(model, window)
  return [
    evaluateThroughput(counts.events, counts.weight ?? counts.events, {
      usual,
      windowAlpha,
      windowMs,
    }),
    ...withLevels(
      others,
      'operations',
      input,
      model,
      (1 - THROUGHPUT_SHARE - SENDERS_SHARE) * (1 - ofTasks),
    ),
  ]
}

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

/**
 * Takes the verdict from a window that lacks too much of what was emitted; its values stand all the
 * same.
 */
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

/**
 * How often events came again: a producer that sends everything twice is worth knowing, although it
 * counts once.
 */
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
