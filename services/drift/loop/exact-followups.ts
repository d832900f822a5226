/**
 * Follows up from raw rows what counts cannot decide: KS near its line, bins too coarse to show a
 * change, bins that one new value may fill, and what alarms do to the score.
 */
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { settledAtoms, suspectAtoms } from '../evaluate/quality/data-quality.ts'
import {
  blindSubjects,
  settledBlind,
  settledKs,
  undecidedKs,
} from '../evaluate/settle/settled-drift.ts'
import { alarmedFeatures, withScoreAttribution } from '../evaluate/score-attribution.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { Cohort } from '../data/cohort.ts'

/**
 * Events of a window, or of the reference, above which nothing is settled: every value goes through
 * Node.
 */
export const MAX_EXACT = 200_000

/** Some spans of a model, and how many events they hold. */
export interface Rows {
  spans: readonly Window[]
  cohort: Cohort
  events: number
}

/**
 * Makes a follow-up for windows that are compared with one reference, whose rows are read once for
 * all of its cohorts.
 *
 * @param reference the spans of the baseline, and the cohort that they are read of
 */
export function answersBeside(queries: DriftQueries, model: Model, reference: Rows) {
  const exact = ({ spans, cohort }: Rows) =>
    queries.rawCounts(model.modelId, spans, cohort, { exact: true, unweighted: false })
  const scored = ({ spans, cohort }: Rows) => queries.scored(model.modelId, spans, cohort)
  let exactOfReference: ReturnType<typeof exact> | undefined
  let scoredOfReference: ReturnType<typeof scored> | undefined
  return async (results: readonly MetricResult[], current: Rows): Promise<MetricResult[]> => {
    let found = [...results]
    const isOpen = [undecidedKs, blindSubjects, suspectAtoms].some((open) => open(found).length > 0)
    if (isOpen && Math.max(current.events, reference.events) <= MAX_EXACT) {
      const now = await exact(current)
      const before = await (exactOfReference ??= exact(reference))
      found = settledBlind(settledKs(found, now, before), now, before)
      found = settledAtoms(found, now, before)
    }
    if (alarmedFeatures(found).length > 0)
      found = withScoreAttribution(
        found,
        await (scoredOfReference ??= scored(reference)),
        await scored(current),
      )
    return found
  }
}
