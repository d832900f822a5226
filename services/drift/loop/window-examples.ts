/**
 * What declared expectations say of a window, and the events of it that are kept to be looked at.
 */
import type { Model } from '../../../lib/models/model-files.ts'
import type { Cohort } from '../data/cohort.ts'
import { countsOfCohort, type RuleCounts, type ViolationsOfCohort } from '../data/expectations.ts'
import type { Drawn } from '../data/reference.ts'
import { novelExamples } from '../evaluate/expectations/novel.ts'
import type { MetricResult } from '../data/metric-results.ts'
import { VIOLATION_RATIO } from '../evaluate/expectations/violations.ts'
import type { KeptExamples } from '../publish/example-rows.ts'
import { unusualEvents } from './unusual-events.ts'
import type { WindowReaderParts, WindowReading } from './window-input.ts'

/** Counts of every rule, by cohort; undefined where a model declares none, and of slices. */
export type ViolationsOf = (c: Cohort) => ReadonlyMap<string, RuleCounts> | undefined

/**
 * Counts what violates the model's expectations in a window: one statement for all cohorts.
 *
 * @param isAsked whether the inputs of the window are evaluated at all
 */
export async function readViolations(
  { queries, model }: Pick<WindowReaderParts, 'queries' | 'model'>,
  { due }: Pick<WindowReading, 'due'>,
  isAsked: boolean,
): Promise<ViolationsOf> {
  const { expectations: rules, modelId } = model
  if (rules.length === 0 || !isAsked) return () => undefined
  const found: ViolationsOfCohort[] = await queries.violations({
    modelId,
    window: { start: due.start, end: due.end },
    rules,
  })
  return (c) => (c.slice ? undefined : countsOfCohort(found, c))
}

/** Whether a model declares anything that events are kept for. */
export const keepsExamples = ({
  expectations,
  unusualEvents: unusual,
  multivariateRows,
}: Model): boolean => expectations.length > 0 || unusual !== undefined || multivariateRows > 0

/**
 * Reads the events that are kept of a window whose inputs were evaluated: those that violate rules,
 * the rules with the greatest share of violations first; the most unusual ones; and those whose
 * embeddings are new.
 *
 * @param ofAll results of the model as a whole
 * @param drawn rows of the window that the novelty of embeddings is told of
 * @returns rows that replace those of earlier revisions
 */
export async function readExamples(
  { queries, model }: Pick<WindowReaderParts, 'queries' | 'model'>,
  reading: Pick<WindowReading, 'due' | 'baseline' | 'baselineSpans' | 'learning'>,
  ofAll: readonly MetricResult[],
  drawn: readonly Drawn[],
): Promise<KeptExamples> {
  const { baseline, learning } = reading
  const violated = ofAll
    .filter(({ metric, value }) => metric === VIOLATION_RATIO && (value ?? 0) > 0)
    .toSorted((a, b) => b.value! - a.value!)
    .map(({ subject }) => subject)
  const question = {
    modelId: model.modelId,
    window: { start: reading.due.start, end: reading.due.end },
    rules: model.expectations,
  }
  return {
    violations: violated.length > 0 ? await queries.violationExamples(question, violated) : [],
    unusual: await unusualEvents(queries, model, reading),
    novel:
      baseline?.multivariate && !learning ? novelExamples(baseline.multivariate.rows, drawn) : [],
  }
}
