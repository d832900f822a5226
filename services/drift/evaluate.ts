/** (window, references, rules) -> every fact about it, with verdicts. Pure: the same input gives the same answer. */
import type { Model } from '../../lib/models.ts'
import { evaluateDrift } from './evaluate-drift.ts'
import { evaluateFairness } from './evaluate-fairness.ts'
import { evaluateOperations } from './evaluate-operations.ts'
import { evaluatePerformance } from './evaluate-performance.ts'
import type { Fact } from './facts.ts'
import { overridden } from './rules.ts'
import type { GroupCounts, OutcomeCounts, ReferenceData, WindowCounts } from './window-data.ts'

export interface WindowInput {
  counts: WindowCounts
  outcomes: OutcomeCounts
  /** Groups per protected attribute. */
  groups: ReadonlyMap<string, readonly GroupCounts[]>
  references: readonly ReferenceData[]
  windowMs: number
  /** Whether every prediction of the window is older than the label horizon. */
  mature: boolean
}

export function evaluateWindow(input: WindowInput, model: Model): Fact[] {
  const { counts, outcomes, references } = input
  const minCount = model.windows.min_count
  const judging = references.find((reference) => reference.judge)
  const facts = [
    ...references.flatMap((reference) => evaluateDrift(counts, reference, minCount)),
    ...evaluatePerformance(outcomes, judging, {
      positiveClass: model.positiveClass,
      minLabelled: model.windows.min_labelled,
      minCount,
      mature: input.mature,
      binary: isBinary(model, outcomes),
    }),
    ...[...input.groups].flatMap(([attribute, groups]) =>
      evaluateFairness(groups, {
        attribute,
        privileged: model.fairness.attributes[attribute]?.privileged,
        minCount,
        mature: input.mature,
      }),
    ),
    ...evaluateOperations(counts, input.windowMs),
  ]
  return facts.map((f) => overridden(f, model.overrides))
}

function isBinary(model: Model, outcomes: OutcomeCounts): boolean {
  if (model.task) return model.task === 'binary'
  return (outcomes.confusion?.classes.length ?? 0) <= 2
}
