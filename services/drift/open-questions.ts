/** What counts leave open is read from rows: a distance on either side of its line, and what alarms do to the score. Seldom asked. */
import type { Model } from '../../lib/models.ts'
import type { Window } from '../../lib/windows.ts'
import { settledKs, undecidedKs } from './evaluate-drift.ts'
import { alarmedFeatures, withMovement } from './evaluate-movement.ts'
import type { Fact } from './facts.ts'
import type { DriftQueries } from './queries.ts'
import type { Combination } from './scope.ts'

/** Every value of these goes through Node. */
export const MOST_EXACT = 200_000

/** Some spans of a model, and how many events they hold. */
export interface Rows {
  spans: readonly Window[]
  scope: Combination
  events: number
}

/** @param reference of which there are rows */
export async function answered(
  queries: DriftQueries,
  model: Model,
  facts: readonly Fact[],
  current: Rows,
  reference: Rows,
): Promise<Fact[]> {
  const exact = ({ spans, scope }: Rows) =>
    queries.rawCounts(model.modelId, spans, scope, { exact: true, unweighted: false })
  const scored = ({ spans, scope }: Rows) => queries.scored(model.modelId, spans, scope)
  let found = [...facts]
  if (undecidedKs(found).length > 0 && Math.max(current.events, reference.events) <= MOST_EXACT)
    found = settledKs(found, await exact(current), await exact(reference))
  if (alarmedFeatures(found).length > 0)
    found = withMovement(found, await scored(reference), await scored(current))
  return found
}
