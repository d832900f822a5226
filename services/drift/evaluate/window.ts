/** (window, references, rules) -> every fact about it, with verdicts. Pure: the same input gives the same answer. */
import {
  covers,
  type ReferenceData,
  type Drawn,
  type ScoreCounts,
  type Guess,
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
import { evaluateQuality } from './data-quality.ts'
import { evaluatePerformance } from './performance.ts'
import { withShiftVerdicts } from './drift-alarms.ts'
import { fact, type Fact } from '../data/metric-results.ts'
import { classFault, type ClassFault } from './label-classes.ts'
import type { LevelHistory } from '../data/past-metrics.ts'
import type { PastShift } from '../data/past-shifts.ts'
import { alarmLevel, FAMILY_SHARES, overridden } from './thresholds.ts'
import {
  effectiveOf,
  type GroupCounts,
  type OutcomeCounts,
  type WindowCounts,
} from '../data/window-data.ts'

export interface WindowInput {
  counts: WindowCounts
  outcomes: OutcomeCounts
  scores: ScoreCounts | undefined
  /** Single predictions of a regression whose errors are estimated. */
  guesses: readonly Guess[]
  /** Of estimates in earlier windows. */
  pastErrors: readonly number[]
  /** Groups per protected attribute. */
  groups: ReadonlyMap<string, readonly GroupCounts[]>
  /** Some of its rows, where a classifier is asked. */
  rows: readonly Drawn[]
  references: readonly ReferenceData[]
  window: Window
  /** Windows between the judging reference and this one. */
  past: readonly PastShift[]
  /** Performance and operations of the reference's windows, and of those since. */
  levels: LevelHistory
  /** Combinations of version and variant that are judged of this window. */
  combinations: number
  isSlice: boolean
  /** Share of the emitted events that came; null where producers do not tell. */
  completeness: number | null
  /** The step of label maturity the window has reached; 0: none, 1: every prediction is older than the label horizon. */
  maturity: number
}

export function evaluateWindow(input: WindowInput, model: Model): Fact[] {
  const facts = [
    ...input.references.flatMap((reference) => driftFacts(input, reference, model)),
    ...multivariateFacts(input, model),
    ...withLevels(
      evaluateOperations(input.counts, input.window.end - input.window.start),
      'operations',
      input,
      model,
    ),
    duplicateRatio(input.counts),
    ...leftOut(input.counts),
  ]
  return [
    ...facts
      .map((f) => overridden(f, model.overrides))
      .map((f) => gated(f, input.completeness, model.windows.min_completeness))
      .map((f) => withEffectiveSize(f, input.counts)),
    ...evaluateTruth(input, model),
  ]
}

const withEffectiveSize = (f: Fact, counts: WindowCounts): Fact =>
  effectiveOf(counts) === counts.events || f.family === 'operations'
    ? f
    : { ...f, n_effective: effectiveOf(counts) }

/** Of references that do not judge, the numbers that are looked at. */
const INFORMING = new Set(['psi', 'ks', 'wasserstein', 'chi_squared', 'js_distance'])

function driftFacts(input: WindowInput, reference: ReferenceData, model: Model): Fact[] {
  const { counts, window, past, combinations } = input
  const kinds = declaredKinds(model)
  const facts = evaluateDrift(counts, reference, model.windows.min_count, kinds)
  if (!reference.judge) return facts.filter((f) => INFORMING.has(f.metric))
  const windowLevel = alarmLevel(model, window)
  const quality = evaluateQuality(counts, reference, kinds).map((f) => ({
    ...f,
    reference: reference.name,
  }))
  return withShiftVerdicts([...facts, ...quality], counts, window, reference, {
    windowLevel,
    past,
    combinations,
  })
}

const judgingOf = ({ references }: Pick<WindowInput, 'references'>) =>
  references.find((reference) => reference.judge)

const withLevels = (
  facts: readonly Fact[],
  family: 'performance' | 'operations',
  { levels, window, combinations, ...input }: WindowInput,
  model: Model,
) =>
  withLevelVerdicts(facts, family, judgingOf(input), levels, {
    window,
    windowLevel: alarmLevel(model, window),
    combinations,
    looks: family === 'performance' ? model.labels.judge_at.length : 1,
    minCount: model.windows.min_count,
  })

function multivariateFacts({ rows, window, ...input }: WindowInput, model: Model): Fact[] {
  const judging = judgingOf(input)
  if (!judging?.multivariate || rows.length === 0) return []
  return evaluateMultivariate(rows, judging.multivariate, {
    reference: judging.name,
    windowLevel: alarmLevel(model, window),
    isReference: covers(judging.spans, window),
  })
}

/** Of a window that lacks too much of what was emitted nothing is judged; its values stand all the same. */
function gated(fact: Fact, completeness: number | null, floor: number): Fact {
  if (completeness === null) return fact
  if (completeness >= floor || fact.verdict === 'none') return { ...fact, completeness }
  return {
    ...fact,
    completeness,
    verdict: 'incomplete',
    reason: `${(100 * completeness).toFixed(1)} % of the emitted events came, below min_completeness ${floor}`,
  }
}

/** How often events came again: a producer that sends everything twice is worth knowing, although it counts once. */
function duplicateRatio({ events, duplicates }: WindowCounts): Fact {
  const sent = events + duplicates
  return fact('quality', '', 'duplicate_ratio', sent > 0 ? duplicates / sent : null, {
    n_current: sent,
  })
}

/** How many features are evaluated, where that is not all of them. */
function leftOut({ numeric, categories, leavesFeaturesOut, events }: WindowCounts): Fact[] {
  if (!leavesFeaturesOut) return []
  const names = new Set([...numeric.keys(), ...categories.keys()].filter(isFeature))
  return [
    fact('quality', '', 'features_evaluated', names.size, {
      n_current: events,
      reason: 'the window has more features; those with the most values are evaluated',
    }),
  ]
}

/** The families that depend on labels: performance and fairness. */
export function evaluateTruth(input: WindowInput, model: Model): Fact[] {
  // Outcomes know attributes alone: of a slice by a feature there are none.
  if (input.isSlice && input.outcomes.labelled === 0) return []
  const minCount = model.windows.min_count
  const judging = judgingOf(input)
  const fairnessLevel =
    (alarmLevel(model, input.window) * FAMILY_SHARES.fairness) /
    (input.combinations * Math.max(1, fairnessTests(input.groups.values())))
  const binary = isBinary(model, input.outcomes)
  const faults = classFaults(input.outcomes, judging?.outcomes, model, binary)
  const performance = evaluatePerformance(input.outcomes, judging, {
    faults,
    positiveClass: model.positiveClass,
    minLabelled: model.windows.min_labelled,
    minCount,
    maturity: input.maturity,
    looks: model.labels.judge_at.length,
    binary,
    isReference: judging !== undefined && covers(judging.spans, input.window),
    businessValue: model.businessValue,
  })
  const estimates =
    input.scores && binary
      ? evaluateEstimates(
          faults.current ? { ...input.scores, labelled: [] } : input.scores,
          faults.reference ? undefined : judging?.scores,
          judging?.name ?? '',
          input.pastErrors,
        )
      : judging?.losses
        ? evaluateLosses(input.guesses, judging.losses, judging.name, input.pastErrors)
        : []
  const facts = [
    ...withLevels([...performance, ...estimates], 'performance', input, model),
    ...fairnessAttributes(model).flatMap(({ name, privileged }) =>
      withoutTruth(faults.current, input.groups.get(name) ?? [], name, (groups) =>
        evaluateFairness(groups, {
          attribute: name,
          privileged,
          minCount,
          maturity: input.maturity,
          level: fairnessLevel,
        }),
      ),
    ),
  ]
  return facts.map((f) => overridden(f, model.overrides))
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
  evaluate: (groups: readonly GroupCounts[]) => Fact[],
): Fact[] {
  if (!fault || groups.length === 0) return evaluate(groups)
  const { reason } = fault
  return [
    ...evaluate(groups.map((group) => ({ ...group, tp: 0, fp: 0, fn: 0, tn: 0 }))),
    fact('fairness', attribute, 'equalized_odds_difference', null, {
      verdict: 'incomplete',
      reason,
    }),
  ]
}

function isBinary(model: Model, outcomes: OutcomeCounts): boolean {
  if (model.task) return model.task === 'binary'
  return (outcomes.confusion?.classes.length ?? 0) <= 2
}
