/** Reads named labels of a window once for all cohorts, and evaluates them cohort by cohort. */
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { ALL, keyOf, type Cohort } from '../data/cohort.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { NamedLabelsOfCohort } from '../data/named-labels.ts'
import { evaluateFeedback } from '../evaluate/feedback/feedback.ts'
import type { WindowInput } from '../data/window-input.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'

type Named = ReadonlyMap<string, NamedLabelsOfCohort>

/** What a window's named labels are read for. */
export interface FeedbackQuestion {
  queries: Pick<DriftQueries, 'namedLabels' | 'namedLabelsOfSlice'>
  model: Model
  window: Window
  cohorts: readonly Cohort[]
  /** Whether any label of the window has come. */
  hasLabels: boolean
}

/** Evaluates the named labels of one cohort. */
export type FeedbackEvaluator = (c: Cohort, input: WindowInput) => Promise<MetricResult[]>

/**
 * Reads with one statement for all names and all cohorts without a slice, and with one for each
 * slice; with none where the window has no label, and with none for slices where it has no named
 * one.
 */
export async function feedbackEvaluator(question: FeedbackQuestion): Promise<FeedbackEvaluator> {
  const { queries, model, window, hasLabels } = question
  const of = { modelId: model.modelId, window }
  const unsliced: Named = hasLabels ? await queries.namedLabels(of) : new Map()
  if (unsliced.size === 0) return async () => []
  const slices = new Map<string, Promise<Named>>()
  return async (c, input) => {
    const named = c.slice
      ? (await sliceOf(question, slices, c.slice.key)).get(c.slice.value)
      : unsliced.get(keyOf(c))
    return evaluateFeedback(
      {
        window,
        named,
        whole: unsliced.get(keyOf(ALL)),
        predictions: input.counts.events,
        baseline: input.references.find((reference) => reference.baseline),
        learning: input.learning,
        levels: input.levels,
        cohorts: input.cohorts,
        maturity: input.maturity,
      },
      model,
    )
  }
}

function sliceOf(
  { queries, model, window, cohorts }: FeedbackQuestion,
  slices: Map<string, Promise<Named>>,
  key: string,
): Promise<Named> {
  let read = slices.get(key)
  if (!read) {
    const own = cohorts.flatMap(({ slice }) => (slice?.key === key ? [slice] : []))
    read = queries.namedLabelsOfSlice({ modelId: model.modelId, window }, own)
    slices.set(key, read)
  }
  return read
}
