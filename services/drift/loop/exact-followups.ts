/** What counts leave open is read from rows: a distance on either side of its line, and what alarms do to the score. Seldom asked. */
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { settledKs, undecidedKs } from '../evaluate/drift.ts'
import { alarmedFeatures, withMovement } from '../evaluate/score-attribution.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { Cohort } from '../data/cohort.ts'

/** Every value of these goes through Node. */
export const MAX_EXACT = 200_000

/** Some spans of a model, and how many events they hold. */
export interface Rows {
  spans: readonly Window[]
  scope: Cohort
  events: number
}

/**
 * Answers for windows that are compared with one reference, whose scored rows are read once.
 *
 * @param reference of which there are rows
 */
export function answersBeside(queries: DriftQueries, model: Model, reference: Rows) {
  const exact = ({ spans, scope }: Rows) =>
    queries.rawCounts(model.modelId, spans, scope, { exact: true, unweighted: false })
  const scored = ({ spans, scope }: Rows) => queries.scored(model.modelId, spans, scope)
  let ofReference: ReturnType<typeof scored> | undefined
  return async (results: readonly MetricResult[], current: Rows): Promise<MetricResult[]> => {
    let found = [...results]
    if (undecidedKs(found).length > 0 && Math.max(current.events, reference.events) <= MAX_EXACT)
      found = settledKs(found, await exact(current), await exact(reference))
    if (alarmedFeatures(found).length > 0)
      found = withMovement(found, await (ofReference ??= scored(reference)), await scored(current))
    return found
  }
}
