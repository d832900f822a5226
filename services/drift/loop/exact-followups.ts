/** What counts leave open is read from rows: a distance on either side of its line, and what alarms do to the score. Seldom asked. */
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { settledKs, undecidedKs } from '../evaluate/drift.ts'
import { alarmedFeatures, withMovement } from '../evaluate/score-attribution.ts'
import type { Fact } from '../data/metric-results.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import type { Combination } from '../data/cohort.ts'

/** Every value of these goes through Node. */
export const MOST_EXACT = 200_000

/** Some spans of a model, and how many events they hold. */
export interface Rows {
  spans: readonly Window[]
  scope: Combination
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
  return async (facts: readonly Fact[], current: Rows): Promise<Fact[]> => {
    let found = [...facts]
    if (undecidedKs(found).length > 0 && Math.max(current.events, reference.events) <= MOST_EXACT)
      found = settledKs(found, await exact(current), await exact(reference))
    if (alarmedFeatures(found).length > 0)
      found = withMovement(found, await (ofReference ??= scored(reference)), await scored(current))
    return found
  }
}
