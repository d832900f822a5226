/** Follows up from raw rows what counts cannot decide: KS near its line, and what alarms do to the score. */
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { settledKs, undecidedKs } from '../evaluate/numeric-drift.ts'
import { alarmedFeatures, withScoreAttribution } from '../evaluate/score-attribution.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { Cohort } from '../data/cohort.ts'

/** Events of a window, or of the reference, above which KS is not settled: every value goes through Node. */
export const MAX_EXACT = 200_000

/** Some spans of a model, and how many events they hold. */
export interface Rows {
  spans: readonly Window[]
  cohort: Cohort
  events: number
}

/**
 * Makes a follow-up for windows that are compared with one reference, whose scored rows are read once.
 *
 * @param reference the spans of the baseline, and the cohort that they are read of
 */
export function answersBeside(queries: DriftQueries, model: Model, reference: Rows) {
  const exact = ({ spans, cohort }: Rows) =>
    queries.rawCounts(model.modelId, spans, cohort, { exact: true, unweighted: false })
  const scored = ({ spans, cohort }: Rows) => queries.scored(model.modelId, spans, cohort)
  let ofReference: ReturnType<typeof scored> | undefined
  return async (results: readonly MetricResult[], current: Rows): Promise<MetricResult[]> => {
    let found = [...results]
    if (undecidedKs(found).length > 0 && Math.max(current.events, reference.events) <= MAX_EXACT)
      found = settledKs(found, await exact(current), await exact(reference))
    if (alarmedFeatures(found).length > 0)
      found = withScoreAttribution(
        found,
        await (ofReference ??= scored(reference)),
        await scored(current),
      )
    return found
  }
}
